"""The networks that a server offers beside the one it serves first: published and uploaded ones."""
