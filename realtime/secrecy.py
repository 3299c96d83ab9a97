"""What must not be said aloud: an app that gives out secrets says here how one is recognised in a text."""

from collections.abc import Callable

FINDERS: list[Callable[[str], bool]] = []
"""Each tells whether a text holds a secret of its kind. An app adds its own in the `ready` of its AppConfig."""

NOT_SAYABLE = "it holds an access token, which others would read"


def holds_secret(text: str) -> bool:
    """Tell whether a text that others would read holds somebody's secret."""
    return any(finds(text) for finds in FINDERS)
