"""Names of users as people type them: compared in one form, as Django's login page does."""

import unicodedata
from typing import Any

from django.contrib.auth import get_user_model


def normal(name: str) -> str:
    """The one form of a name: Unicode's NFKC, in which Django stores them; keyboards of a Mac give another."""
    return unicodedata.normalize("NFKC", name)


def find_user(name: str, **conditions: Any) -> Any:
    """The user of that name, however it is written, to whom the conditions apply; None where there is none."""
    users = get_user_model()._default_manager
    field = get_user_model().USERNAME_FIELD
    # One who was stored as they were typed, past every form, is found by just that.
    found = {user.get_username(): user for user in users.filter(**{f"{field}__in": {normal(name), name}}, **conditions)}
    return found.get(normal(name)) or found.get(name)
