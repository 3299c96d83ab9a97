"""Guests whose keys look alike, so that without a check they would have one name."""

from functools import cache
from itertools import count

from django.core import signing

from accounts.guests import COOKIE
from realtime.access import guest_name
from tests.processes import SECRET_KEY


@cache
def namesakes() -> tuple[str, str]:
    """The keys of two guests who are called alike."""
    seen: dict[str, str] = {}
    for number in count():
        key = f"namesake-{number}"
        if (other := seen.setdefault(guest_name(key), key)) != key:
            return other, key
    raise AssertionError("there is always a next number")


def cookie(key: str) -> tuple[str, str]:
    """The name and value of a guest's cookie, as servers of tests sign it."""
    return COOKIE, signing.TimestampSigner(key=SECRET_KEY, salt="chorus.guest").sign(key)
