"""Which kinds of streams there are: the concrete models of all installed apps."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from django.apps import apps

from realtime.streams.key import split_key
from realtime.streams.stream import Stream


def kinds() -> list[type[Stream]]:
    """The models of all kinds of streams."""
    return [model for model in apps.get_models() if issubclass(model, Stream)]


def all_streams() -> Iterator[Stream]:
    """Every stream there is, a few read at a time."""
    for kind in kinds():
        yield from kind._default_manager.order_by("pk").iterator(chunk_size=500)


def kind_and_pk(key: str) -> tuple[type[Stream], int]:
    """The kind of stream that a key names, and its primary key. Raises LookupError or ValueError for what is no key."""
    label, pk = split_key(key)
    kind: Any = apps.get_model(label)
    return kind, int(pk)


def pks_by_kind(keys: Iterable[str]) -> dict[type[Stream], set[int]]:
    """Keys sorted by the kind of stream that they name, so that each kind is asked for once."""
    found: dict[type[Stream], set[int]] = defaultdict(set)
    for key in keys:
        kind, pk = kind_and_pk(key)
        found[kind].add(pk)
    return found
