"""Who is speaking: users, their tokens, and guests."""

from django.apps import AppConfig
from django.contrib.auth import get_user_model
from django.db.models import Field

from realtime.conf import check


class AccountsConfig(AppConfig):
    """Keeps user names apart from the names of guests, tells open sockets what changes, and tokens from other texts."""

    name = "accounts"
    verbose_name = "Accounts"

    def ready(self) -> None:
        """Let no user be named like a guest, whichever user model the site has.

        The validator goes into the field's list of effective validators and not into its definition:
        a definition that changed would ask for a migration of somebody else's app.
        """
        from accounts import dead, secret
        from accounts.conf import Conf
        from accounts.guests import not_a_guest_name
        from accounts.watch import watch
        from realtime.secrecy import FINDERS
        from realtime.streams.retention import also

        check(Conf)
        watch()
        also(dead.sessions)
        also(dead.tokens)
        FINDERS.append(secret.is_in)
        user_model = get_user_model()
        field = user_model._meta.get_field(user_model.USERNAME_FIELD)
        if isinstance(field, Field):
            field.validators.append(not_a_guest_name)
