"""The form by which people make tokens of their own."""

from typing import Any, ClassVar

from django import forms
from django.contrib.auth.forms import PasswordChangeForm

from accounts import scopes
from accounts.models import DEFAULT_DAYS, Token, parse_days

LIFETIMES = (
    ("7", "7 days"),
    ("30", "30 days"),
    ("90", "90 days"),
    ("365", "1 year"),
    ("never", "Never"),
)


class ScopesField(forms.MultipleChoiceField):
    """Scopes as checkboxes: at least one, and not everything together with single ones."""

    widget = forms.CheckboxSelectMultiple
    default_error_messages: ClassVar[dict[str, Any]] = {
        "required": "Choose at least one thing this token may do.",
        "both": scopes.BOTH,
    }

    def __init__(self, **options: Any) -> None:
        super().__init__(choices=scopes.CHOICES, initial=[scopes.EVERYTHING], **options)

    def validate(self, value: list[str]) -> None:
        """Refuse a choice that could be meant in two ways; everything is checked at first."""
        super().validate(value)
        if scopes.EVERYTHING in value and len(value) > 1:
            raise forms.ValidationError(self.error_messages["both"], code="both")


class LifetimeField(forms.TypedChoiceField):
    """A lifetime as a choice; its value is a number of days, or None for never."""

    def __init__(self, **options: Any) -> None:
        super().__init__(choices=LIFETIMES, coerce=parse_days, initial=str(DEFAULT_DAYS), **options)


class TokenForm(forms.Form):
    """What a person says of a token they make: its name, what it may do, and for how long."""

    name = forms.CharField(
        max_length=Token._meta.get_field("name").max_length,
        help_text="What it is for, such as Backup script.",
    )
    scopes = ScopesField(label="It may")
    days = LifetimeField(label="Expires after")


class PasswordForm(PasswordChangeForm):
    """A new password; and whether what was made with the old one ends with it."""

    revoke_tokens = forms.BooleanField(
        required=False,
        label="Revoke my access tokens too",
        help_text="If somebody else knew your password they may have made one. Programs that use yours need new ones.",
    )
