"""The secret of a token: `chorus_`, 30 random characters and a checksum of 6.

The prefix lets secret scanners find a leaked one; the checksum (CRC32 of the random part, as in GitHub's
tokens) lets us refuse a mistyped one without asking the database.
"""

import hashlib
import re
import secrets
import string
from itertools import islice
from zlib import crc32

PREFIX = "chorus_"
SHOWN_CHARACTERS = 15
"""How much of a secret is kept in the clear, so that its owner can tell tokens apart."""

_BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
_SYNTAX = re.compile(rf"{PREFIX}([0-9A-Za-z]{{30}})([0-9A-Za-z]{{6}})")


def new_secret() -> str:
    """A secret of 43 characters with 178 random bits."""
    body = "".join(secrets.choice(_BASE62) for _ in range(30))
    return f"{PREFIX}{body}{_checksum(body)}"


def is_well_formed(secret: str) -> bool:
    """Tell whether `secret` could be one of ours: its form and its checksum are right."""
    match = _SYNTAX.fullmatch(secret)
    return match is not None and match[2] == _checksum(match[1])


def is_in(text: str) -> bool:
    """Tell whether there is a well-formed secret in a text, at the latest as the hundredth that looks like one."""
    if PREFIX not in text:
        return False
    return any(match[2] == _checksum(match[1]) for match in islice(_SYNTAX.finditer(text), 100))


def digest(secret: str) -> str:
    """SHA-256 of a well-formed secret, in hexadecimal: all that is stored to know it again."""
    return hashlib.sha256(secret.encode("ascii")).hexdigest()


def _checksum(body: str) -> str:
    number, characters = crc32(body.encode("ascii")), ""
    for _ in range(6):
        number, digit = divmod(number, 62)
        characters = _BASE62[digit] + characters
    return characters
