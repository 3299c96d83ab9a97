"""The forms by which staff publish: to a topic, or to one person."""

from typing import Any, ClassVar

from django import forms

from notifications.draft import MAX_TAG, MAX_TAGS, Draft
from notifications.models import Notification
from realtime import access
from realtime.access import Identity
from realtime.protocol import Refused


class PersonForm(forms.ModelForm):  # type: ignore[type-arg]  # only the stubs take one
    """What is said to one person."""

    sender: Identity

    class Meta:
        model = Notification
        fields: tuple[str, ...] = ("title", "message", "priority")

    @property
    def said(self) -> dict[str, Any]:
        """What a Draft is made of."""
        return {name: value for name, value in self.cleaned_data.items() if name in Draft.__slots__}

    def require(self) -> None:
        """Raise Refused where the verb would."""
        Draft(**self.said)

    def clean(self) -> dict[str, Any]:
        """Check what the verb would refuse, while it can still be mended."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors:
            try:
                self.require()
            except Refused as refusal:
                raise forms.ValidationError(refusal.message) from None
        return cleaned


class PublishForm(PersonForm):
    """What is said in a topic."""

    tags = forms.CharField(
        required=False, help_text=f"Separated by commas; at most {MAX_TAGS} of {MAX_TAG} characters."
    )

    class Meta:
        model = Notification
        fields = ("stream", "title", "message", "priority", "tags")
        help_texts: ClassVar[dict[str, str]] = {
            "stream": "Everyone who follows this topic gets it at once.",
            "title": "In a few words; may be left empty.",
            "priority": "1 and 2 come silently. 5 stays on people's pages until they dismiss it.",
        }

    def clean_tags(self) -> list[str]:
        """The tags as a list."""
        return [tag.strip() for tag in self.cleaned_data["tags"].split(",") if tag.strip()]

    def require(self) -> None:
        """Also that the sender may write there."""
        access.require(self.sender, "write", self.cleaned_data["stream"])
        super().require()
