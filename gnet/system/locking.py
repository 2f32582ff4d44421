"""A file that one process holds at a time; the system lets go of it however that process ends."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

_MODE = 0o600
_NO_LOCKS = {errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK}
"""What a file system answers that knows no locks: there nothing is held."""


@contextmanager
def waited_for(path: Path) -> Iterator[None]:
    """Hold the file, once all others have let go of it; raises OSError where it cannot be made."""
    lock = FileLock(path, mode=_MODE, fallback_to_soft=False)
    _acquire(lock)
    try:
        yield
    finally:
        lock.release()


def taken(path: Path) -> FileLock | None:
    """A lock that holds the file until its `release()`; None while another process holds it.

    Any thread may release it. Raises OSError where the file cannot be made.
    """
    lock = FileLock(path, timeout=0, mode=_MODE, thread_local=False, fallback_to_soft=False)
    try:
        _acquire(lock)
    except Timeout:
        return None
    return lock


def _acquire(lock: FileLock) -> None:
    try:
        lock.acquire()
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
