"""The open sockets of this process: who may go on, what is said of them, and how they are told to go."""
