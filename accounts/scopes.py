"""What a token may be used for: strings such as `chat:read` or `chat:write:lobby`.

A scope is `area:verb`, perhaps followed by `:name` of one room, counter or topic:

- `*` covers everything its owner may do;
- `chat:write` covers itself and every `chat:write:…`;
- `chat:write:team.*` covers `chat:write:team.a` and `chat:write:team.a.b`, but neither `chat:write:team` nor
  `chat:write:teams`: a star stands for what follows its dot or colon, and only ever at the end;
- nothing else is implied: `chat:write` does not read.
"""

import re

from django.core.exceptions import ValidationError

EVERYTHING = "*"
BOTH = "Choose either everything or single things."

CHOICES = (
    (EVERYTHING, "Everything you may do"),
    ("chat:read", "Read chat rooms"),
    ("chat:write", "Write in chat rooms"),
    ("chat:moderate", "Moderate chat rooms, where its owner may"),
    ("counter:read", "Read counters"),
    ("counter:write", "Change counters"),
    ("notifications:subscribe", "Subscribe to topics"),
    ("notifications:publish", "Publish to topics and, where its owner may, to people"),
)
"""The scopes that pages offer, and what they say of them."""

_SYNTAX = re.compile(r"\*|[a-z]+:[a-z]+(:(\*|[a-z0-9][a-z0-9._-]*(\.\*)?))?")


def check(scopes: object) -> None:
    """Raise ValidationError that names the first of a list of scopes that no token can have."""
    if not isinstance(scopes, list):
        raise ValidationError("Scopes: expected a list of strings.", code="scope")
    for scope in scopes:
        if not isinstance(scope, str) or not _SYNTAX.fullmatch(scope):
            message = f"Unknown scope {scope!r}: expected *, chat:read, chat:write:lobby or chat:write:team.*"
            raise ValidationError(message, code="scope")
    if EVERYTHING in scopes and len(scopes) > 1:
        raise ValidationError(BOTH, code="scope")


def covers(granted: str, wanted: str) -> bool:
    """Tell whether the scope `granted` is enough for `wanted`, which names what is about to be done."""
    if granted.endswith("*"):
        return wanted.startswith(granted[:-1])
    return wanted == granted or wanted.startswith(f"{granted}:")
