"""HTTP as the sockets speak: who asks, what they ask, what they are answered."""
