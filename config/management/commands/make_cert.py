"""`manage.py make_cert`: a certificate for localhost."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from config import certificate


class Command(BaseCommand):
    help = "Write localhost.pem, key and certificate for localhost, 127.0.0.1 and ::1, into DATA_DIR."
    requires_system_checks = ()

    def handle(self, *_: Any, **__: Any) -> None:
        path = settings.DATA_DIR / "localhost.pem"
        certificate.write(path)
        self.stdout.write(f"{path}\nValid {certificate.DAYS} days. Programs that trust it: SSL_CERT_FILE={path}")
