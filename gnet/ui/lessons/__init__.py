"""Guided lessons on the page: the panel, its words, what a step hides."""
