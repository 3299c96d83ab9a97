"""The form of a stream in admin, with one switch for what is private."""

from typing import Any

from django import forms

from realtime.access import AccessLevel

LEVELS = ("guest_access", "member_access")


def is_private(stream: Any) -> bool:
    """Tell whether nobody gets into a stream but the people and groups that it names."""
    return all(getattr(stream, level) == AccessLevel.NONE for level in LEVELS)


class AccessForm(forms.ModelForm):  # type: ignore[type-arg]  # only the stubs take one
    """Nothing more is stored for the switch: it is on where guests and members may do nothing, and makes it so.

    Of a private stream the levels show what new ones have, which is what it gets when the switch is put out.
    """

    private = forms.BooleanField(
        required=False,
        help_text="Only the people and groups named below get in; to all others it is as if it were not there. "
        "While this is on, what guests and members may do counts for nothing.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "private" not in self.fields:
            return
        if is_private(self.instance):
            defaults = {level: self.instance._meta.get_field(level).get_default() for level in LEVELS}
            self.initial.update({**defaults, "private": True})
        if self.data.get(self.add_prefix("private")):
            for level in LEVELS:
                if level in self.fields:
                    self.fields[level].required = False

    def clean(self) -> dict[str, Any]:
        """Private is nothing for guests and nothing for members, whatever else was chosen."""
        found: dict[str, Any] = super().clean() or self.cleaned_data
        if found.get("private"):
            found |= dict.fromkeys(LEVELS, AccessLevel.NONE)
        return found
