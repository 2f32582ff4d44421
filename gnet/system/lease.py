"""A file that a server touches while it lives; what it started goes on only that long.

So a server that was killed leaves nothing running for ever, and one that is started anew within
the time takes over what still runs. Knows nothing of servers or runs.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from gnet.errors import GnetError

TOUCHED_EVERY = 5.0
"""Seconds between two touches."""
RUNS_OUT_AFTER = 60.0
"""Seconds without a touch."""


def touch(path: Path) -> None:
    """Say that the server lives; the folder must be there."""
    try:
        path.touch()
    except OSError as error:
        raise GnetError(
            f"Cannot write {path} ({error.strerror or error}); "
            "give a folder that can be written to."
        ) from error


class Lease:
    """One reader's view of the file."""

    def __init__(self, path: str | Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.path = Path(path)
        self._clock = clock
        self._seen: int | None = None
        self._since = clock()

    def has_run_out(self) -> bool:
        """Whether the file has not been touched for a minute, or has been gone that long.

        Counted on this process's own clock, which stands still while the machine sleeps and does
        not care when the time of day is set.
        """
        try:
            touched = self.path.stat().st_mtime_ns
        except OSError:
            touched = None
        now = self._clock()
        if touched is not None and touched != self._seen:
            self._seen, self._since = touched, now
        return now - self._since >= RUNS_OUT_AFTER
