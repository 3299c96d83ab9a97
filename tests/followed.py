"""What sockets leave behind in this process when they have gone: nothing."""

from realtime.hub.hub import current_hub


def followed() -> set[str]:
    """The groups in which this process has sockets, streams or people."""
    here = current_hub()
    return {*here._groups, *here._streams, *here.presence._groups}  # noqa: SLF001 - none may be left, and none is shown
