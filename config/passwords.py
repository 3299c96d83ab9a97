"""Passwords that this site makes up."""

import secrets

ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"
"""Without what people confuse: 0 and o, 1 and l."""


def random_password() -> str:
    """12 characters, 60 random bits."""
    return "".join(secrets.choice(ALPHABET) for _ in range(12))
