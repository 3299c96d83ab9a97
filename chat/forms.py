"""The forms by which staff keep somebody from writing in a room, or out of it."""

from typing import Any

from django import forms
from django.contrib.auth import get_user_model

from chat.models import Room, Sanction
from realtime.access import Identity
from realtime.streams.moderation import spared

DURATIONS = (
    ("600", "10 minutes"),
    ("3600", "1 hour"),
    ("86400", "1 day"),
    ("604800", "1 week"),
    ("", "for good"),
)


class SanctionForm(forms.ModelForm):  # type: ignore[type-arg]  # only the stubs take one
    """What somebody is kept from, for how long and why."""

    kind = forms.ChoiceField(label="They", choices=Sanction.Kind.choices)
    how_long = forms.TypedChoiceField(
        label="For how long", choices=DURATIONS, initial="3600", required=False, coerce=int, empty_value=None
    )

    class Meta:
        model = Sanction
        fields = ("kind", "reason")

    def impose(self, room: Room, identity: Identity, by: Any) -> Sanction:
        """Do it, in the name of the user `by`; the form has to be valid."""
        said = self.cleaned_data
        return room.sanction(Sanction.Kind(said["kind"]), identity, by, seconds=said["how_long"], reason=said["reason"])


class UserSanctionForm(SanctionForm):
    """The same, and who; the widget of `user` is set by the admin page that it is on."""

    user = forms.ModelChoiceField(label="Who", queryset=get_user_model()._default_manager.all())

    field_order = ("user", "kind", "how_long", "reason")
    by: Any = None
    """Who is asking, a user; set by the admin page that it is on."""

    def clean_user(self) -> Any:
        """Refuse whom `by` may not moderate."""
        if reason := spared(self.by, self.cleaned_data["user"]):
            raise forms.ValidationError(reason)
        return self.cleaned_data["user"]

    @property
    def identity(self) -> Identity:
        """Who it is for."""
        return Identity.of_user(self.cleaned_data["user"])
