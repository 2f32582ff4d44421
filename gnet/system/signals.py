"""Ctrl-C and SIGTERM as a request to stop: a long task ends at its next whole step.

Knows nothing of what is done; `torchrun` and process managers stop programs by SIGTERM.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Generator, Iterator
from contextlib import closing
from types import FrameType
from typing import TypeVar

Item = TypeVar("Item")


class StopSignals:
    """Remembers the signal that should stop this process."""

    def __init__(self) -> None:
        self.signal = 0
        self._started = False

    def requested(self) -> bool:
        return self.signal != 0

    @property
    def exit_code(self) -> int:
        """0, or what a shell expects of a program that a signal ended."""
        return 128 + self.signal if self.signal else 0

    def heeding(self, items: Generator[Item, None, None]) -> Iterator[Item]:
        """The same items, with the two signals caught from the first on until they end.

        Before the first item there is nothing to finish: a signal then is a KeyboardInterrupt at
        once, and so is a second Ctrl-C.
        """
        before = {kind: signal.signal(kind, self._note) for kind in (signal.SIGINT, signal.SIGTERM)}
        try:
            with closing(items) as source:
                for item in source:
                    self._started = True
                    yield item
        finally:
            for kind, handler in before.items():
                signal.signal(kind, handler)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        # torchrun passes on a Ctrl-C that its processes have had from the terminal already.
        again = self.signal == number == signal.SIGINT and "RANK" not in os.environ
        self.signal = number
        if again or not self._started:
            raise KeyboardInterrupt
