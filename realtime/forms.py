"""Forms that pages of several apps share."""

from django import forms

from realtime.streams.name import validate_name


class NameForm(forms.Form):
    """The name of a stream to open: a room, a counter, a topic."""

    name = forms.CharField(label="Name", help_text=validate_name.message)

    def clean_name(self) -> str:
        """The name in lower case, with a hyphen where people put a space; raises ValidationError."""
        name = "-".join(self.cleaned_data["name"].lower().split())
        validate_name(name)
        return name
