"""What crosses processes: the bus between them, and who is present in all of them."""
