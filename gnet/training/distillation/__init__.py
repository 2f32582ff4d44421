"""Learning from a teacher, a network that is larger or has learned more: its stored answers."""
