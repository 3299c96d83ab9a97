"""The key of a stream, which names it among all: `chat.room:5`. It is taken apart here and nowhere else."""


def key_of(label: str, pk: object) -> str:
    """The key of the row `pk` of the model with that label."""
    return f"{label}:{pk}"


def split_key(key: str) -> tuple[str, str]:
    """The label of a model and a primary key as text; the latter is empty in what is no key."""
    label, _, pk = key.partition(":")
    return label, pk


def group_of(key: str) -> str:
    """The layer group of a stream: its key, in the characters a group name may have."""
    return key.replace(":", ".")
