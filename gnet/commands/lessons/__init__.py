"""Commands about the guided lessons."""
