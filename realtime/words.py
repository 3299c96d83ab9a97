"""Numbers with their nouns."""


def counted(count: int, one: str, many: str = "") -> str:
    """A number of something: `1 room`, `2 rooms`; `many` where that is no s."""
    return f"{count} {one if count == 1 else many or one + 's'}"
