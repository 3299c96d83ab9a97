"""What is stored: streams and their entries, how they are committed, kept, read back and let go."""

from realtime.streams.stream import new_epoch

__all__ = ["new_epoch"]
