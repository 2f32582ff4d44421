"""Memory that was freed goes back to the system, where the C library can be asked to give it."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache


@cache
def _trim() -> Callable[[int], int] | None:
    """glibc's malloc_trim; None for another C library."""
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):
        return None
    trim.argtypes, trim.restype = [ctypes.c_size_t], ctypes.c_int
    return trim


def give_back() -> bool:
    """Give free pages back to the system; whether there were any.

    glibc keeps what its threads freed for their next requests, and hands it back by itself only
    from the top of a heap.
    """
    trim = _trim()
    return bool(trim and trim(0))
