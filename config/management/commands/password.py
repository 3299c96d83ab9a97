"""`manage.py password`: a new random password for the admin, or for somebody else."""

import argparse
from typing import Any

from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from config.passwords import random_password
from realtime.names import find_user


class Command(BaseCommand):
    help = "Give a user a new random password and print it. The user admin is made if there is none."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("username", nargs="?", default="admin")

    def handle(self, *_: Any, username: str, **__: Any) -> None:
        call_command("migrate", verbosity=0, interactive=False)
        password = random_password()
        user = find_user(username)
        if user is not None:
            username = user.get_username()
            user.set_password(password)
            user.save(update_fields=["password"])
        elif username == "admin":
            User.objects.create_superuser(username, password=password)
        else:
            raise CommandError(f"There is no user {username}.")
        self.stdout.write(f"{username} / {password}")
