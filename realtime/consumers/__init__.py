"""One socket: its loop, its login, its commands, the stream it follows."""
