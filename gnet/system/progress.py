"""A progress bar on a terminal; silent anywhere else."""

from __future__ import annotations

import shutil
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from gnet.words import cut

if TYPE_CHECKING:
    from tqdm import tqdm

Progress = Callable[[int, int], None]
"""Called with the amount done and the total, which is 0 if it is not known."""
EVERY = 0.1
"""Seconds between two redraws."""
ROOM = 24
"""Columns that are left beside a long title for bar, percentage and time."""


class Bar:
    """One line on stderr, redrawn in place; call it with (done, total)."""

    def __init__(self, title: str) -> None:
        self.title = title
        self._drawn: tqdm | None = None

    def __call__(self, done: int, total: int, note: str = "") -> None:
        if not sys.stderr.isatty():
            return
        first = self._drawn is None
        if self._drawn is None:
            self._drawn = _line(self.title)
        self._drawn.total = total or None
        self._drawn.set_postfix_str(note, refresh=False)
        self._drawn.update(done - self._drawn.n)
        if done >= total > 0:
            self.clear()
        elif first:
            self._drawn.refresh()

    def clear(self) -> None:
        """Take the line away."""
        if self._drawn is not None:
            self._drawn.close()
            self._drawn = None


def _line(title: str) -> tqdm:
    from tqdm import tqdm  # late: most imports of this module draw nothing

    class Line(tqdm):
        monitor_interval = 0  # no thread beside the work

    Line.set_lock(threading.RLock())  # tqdm's own is shared by processes; here one draws
    columns = shutil.get_terminal_size().columns - 1
    return Line(
        desc=cut(title, max(1, columns - ROOM)),
        leave=False,
        file=sys.stderr,
        ncols=columns,
        mininterval=EVERY,
        miniters=1,
        delay=1e-9,  # nothing is drawn before the first figure is known
        bar_format="{desc}  {bar}  {percentage:3.0f} %  {remaining}{postfix}",
    )
