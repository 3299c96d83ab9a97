"""One per process: which local sockets listen to what, how events reach them, and how entries are committed."""
