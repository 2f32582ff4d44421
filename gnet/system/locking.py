"""A file that one process holds at a time; the system lets go of it however that process ends."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows: there nothing is held, and a folder is for one process
    fcntl = None


@contextmanager
def waited_for(path: Path) -> Iterator[None]:
    """Hold the file, once all others have let go of it; raises OSError where it cannot be made."""
    with path.open("ab") as file:
        if fcntl:
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def taken(path: Path) -> int | None:
    """A descriptor that holds the file until it is closed, or None while another process does.

    Raises OSError where the file cannot be made.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if fcntl:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except OSError:  # a file system that knows no locks
        pass
    return descriptor
