"""Django's `manage.py createsuperuser`, whose new names look like nobody else's."""

from copy import copy
from typing import Any

from django.contrib.auth.management.commands import createsuperuser

from accounts.lookalikes import check_new_name


class Command(createsuperuser.Command):
    """The same, but for the names that admin refuses too."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.username_field = copy(self.username_field)
        self.username_field.validators = [*self.username_field.validators, check_new_name]
