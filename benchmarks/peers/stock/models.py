"""What the tutorial's reader would store."""

from django.conf import settings
from django.db import models


class Token(models.Model):
    """A secret by which a user logs in."""

    key = models.CharField(max_length=64, primary_key=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)

    objects: models.Manager["Token"] = models.Manager()

    def __str__(self) -> str:
        return self.key[:8]


class Message(models.Model):
    """Something said."""

    room = models.CharField(max_length=64, db_index=True)
    sender = models.CharField(max_length=150)
    text = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)

    objects: models.Manager["Message"] = models.Manager()

    def __str__(self) -> str:
        return self.text


class Counter(models.Model):
    """A number."""

    value = models.BigIntegerField(default=0)

    objects: models.Manager["Counter"] = models.Manager()

    def __str__(self) -> str:
        return str(self.value)
