"""Whose turn it is: a frame's comes while no other request is being answered."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Condition

QUIET = 0.02
"""Seconds without a request after which the next is not coming at once."""
PATIENCE = 0.3
"""Seconds that a frame waits at most, so that a camera never stands still."""


class Turns:
    """Requests go when they come; a frame waits until none is under way, for `patience` at most."""

    def __init__(
        self,
        quiet: float = QUIET,
        patience: float = PATIENCE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.quiet, self.patience, self.clock = quiet, patience, clock
        self._changed = Condition()
        self._going = 0
        self._ended = clock() - quiet

    @contextmanager
    def request(self) -> Iterator[None]:
        """Around what answers a request."""
        with self._changed:
            self._going += 1
        try:
            yield
        finally:
            with self._changed:
                self._going -= 1
                self._ended = self.clock()
                self._changed.notify_all()

    def wait(self) -> None:
        """Return once a frame may go."""
        with self._changed:
            latest = self.clock() + self.patience
            while (seconds := self._seconds(latest)) > 0:
                self._changed.wait(seconds)

    def _seconds(self, latest: float) -> float:
        """How long a frame has to wait from now on, as far as is known."""
        now = self.clock()
        return latest - now if self._going else min(latest, self._ended + self.quiet) - now
