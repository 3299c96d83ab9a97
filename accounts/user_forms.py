"""Admin's forms for users, whose new names look like nobody else's."""

from typing import Any

from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm

from accounts.lookalikes import check_new_name


class NewUserForm(AdminUserCreationForm):  # type: ignore[type-arg]  # only the stubs take one
    """Somebody new."""

    def clean_username(self) -> Any:
        """Say first what the name looks like, and then what else is wrong with it."""
        check_new_name(self.cleaned_data["username"])
        return super().clean_username()


class UserForm(UserChangeForm):  # type: ignore[type-arg]
    """Somebody who is here: their name is looked at only where it changes."""

    def clean_username(self) -> Any:
        """Refuse a new name that looks like somebody else's."""
        name = self.cleaned_data["username"]
        if "username" in self.changed_data:
            check_new_name(name, self.instance)
        return name
