"""A progress bar on a terminal; silent anywhere else."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable

Progress = Callable[[int, int], None]
"""Called with the amount done and the total, which is 0 if it is not known."""
EVERY = 0.1
"""Seconds between two redraws."""


class Bar:
    """One line on stderr, redrawn in place; call it with (done, total)."""

    def __init__(self, title: str) -> None:
        self.title = title
        self._shown = 0.0
        self._on = sys.stderr.isatty()

    def __call__(self, done: int, total: int, note: str = "") -> None:
        now = time.monotonic()
        ended = done >= total > 0
        if not self._on or (not ended and now - self._shown < EVERY):
            return
        self._shown = now
        share = done / total if total else 0.0
        line = f"{self.title}  {'━' * round(24 * share):<24}  {100 * share:3.0f} %  {note}"
        width = shutil.get_terminal_size().columns - 1
        print(f"\r{line[:width]:<{width}}", end="", file=sys.stderr, flush=True)
        if ended:
            self.clear()

    def clear(self) -> None:
        """Take the line away."""
        if self._on:
            width = shutil.get_terminal_size().columns - 1
            print(f"\r{'':<{width}}\r", end="", file=sys.stderr, flush=True)
