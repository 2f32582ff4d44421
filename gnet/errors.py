"""The errors a person can cause and mend."""

from __future__ import annotations

from typing import Any


class GnetError(Exception):
    """A message meant for the person at the screen: what was given, and what is allowed."""


class FieldError(GnetError):
    """A field of a config holds a value that is not allowed.

    `str(error)` is the whole sentence; a form makes its own from the three attributes.
    """

    def __init__(self, field: str, given: Any, allowed: str) -> None:
        """`allowed` completes "allowed are …", as "numbers from 0 to 1"."""
        super().__init__(field, given, allowed)
        self.field = field
        self.given = given
        self.allowed = allowed

    def __str__(self) -> str:
        return f"{self.field} is {self.given!r}; allowed are {self.allowed}."
