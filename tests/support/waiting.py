"""Waiting for something to happen, however long a busy machine takes for it."""

import time
from collections.abc import Callable
from typing import TypeVar

Seen = TypeVar("Seen")


def until(look: Callable[[], Seen | None], seconds: float = 120) -> Seen:
    """What `look` sees as soon as it sees something."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if seen := look():
            return seen
        time.sleep(0.01)
    raise AssertionError(f"it did not happen within {seconds:g} seconds")
