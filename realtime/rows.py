"""Rows of the database that open sockets keep, and those that are read again later."""

from typing import Any

LOOKED_UP = "_prefetched_objects_cache"
"""Where Django keeps what was looked up for a row beforehand."""


def says_the_same(known: Any, read: Any) -> bool:
    """Tell whether a row that is known says what one says that was read now; None is a row that is not there.

    One that has learned more since does not, such as what Django keeps on a user of their permissions and groups: that
    may have changed. What a model names as `volatile` is not compared.
    """
    if known is None or read is None:
        return known is read
    then, now = vars(known), vars(read)
    passing = {"_state", *getattr(read, "volatile", ())}
    said = now.keys() - passing - {LOOKED_UP}
    return then.keys() - passing == said and all(then[name] == now[name] for name in said)


def forget_related(row: Any) -> None:
    """Forget what was looked up for a row beforehand, such as a user's groups.

    It holds the row in turn: both would stay until the garbage collector comes, for each of a crowd's sockets.
    """
    if row is not None:
        vars(row).pop(LOOKED_UP, None)
