"""The reviews of a server's runs: each computed once, one at a time, in a child process.

So a review of a whole data set needs no memory in the server and does not slow down the page.
Knows nothing of pages or of a run's owner.
"""

from __future__ import annotations

import queue
import sys
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from gnet.errors import GnetError
from gnet.evaluation.depth import Depth
from gnet.evaluation.review import Review
from gnet.runs.folder import RunFolder
from gnet.serving.run_review import REVIEW, kept_depth, kept_review, weights_of
from gnet.system.processes import Child
from gnet.system.stamps import stamp_of

COMMAND = (sys.executable, "-m", "gnet", "review", "--counting")
NICENESS = 5
"""Lower priority than the server, higher than a run: a person waits for a review."""
MOST_WAITING = 20
_KEPT, _KEPT_IN_ALL = 4, 200
_EVERY = 0.1
"""Seconds between two checks of a review's progress."""
_LONGEST = 400


@dataclass(frozen=True, kw_only=True)
class ReviewProgress:
    """How far a review is; `state` is waiting, looking or failed."""

    state: str
    before: int = 0
    """Reviews of other runs that come before it, the current one included."""
    done: int = 0
    total: int = 0
    message: str = ""
    """Why it failed."""


class Reviews:
    """Reviews by run folder; safe to call from several threads."""

    def __init__(
        self, command: Sequence[str] = COMMAND, *, most_waiting: int = MOST_WAITING
    ) -> None:
        self._command = command
        self._lock = threading.Lock()
        self._reading = threading.Lock()
        self._kept: OrderedDict[tuple, Review | None] = OrderedDict()
        self._progress: dict[Path, ReviewProgress] = {}
        self._line: queue.Queue[Path] = queue.Queue(most_waiting)
        self._worker: threading.Thread | None = None

    def find(self, folder: Path) -> Review | None:
        """The review of a run's weights, or None; raises `GnetError` where there are no weights.

        The result is remembered until one of the files changes, None included.
        """
        run = RunFolder(folder)
        weights = weights_of(run)
        key = (folder, stamp_of(weights), stamp_of(folder / REVIEW))
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        with self._reading:  # of several callers at once, one reads the file
            with self._lock:
                if key in self._kept:
                    return self._kept[key]
            found = kept_review(run, weights)
            with self._lock:
                self._keep(key, found)
        return found

    def _keep(self, key: tuple, found: Review | None) -> None:
        for other in [other for other in self._kept if other[0] == key[0]]:
            del self._kept[other]  # of older files
        self._kept[key] = found
        while len(self._kept) > _KEPT_IN_ALL:
            self._kept.popitem(last=False)
        held = [key for key, review in self._kept.items() if review is not None]
        for key in held[:-_KEPT]:
            del self._kept[key]

    def ask(self, folder: Path) -> Review | ReviewProgress:
        """The review, or its progress; the first call starts it.

        A failure is reported once; the next call starts again.
        """
        found = self.find(folder)
        return found if found is not None else self._wait(folder)

    def ask_depth(self, folder: Path) -> Depth | ReviewProgress:
        """The figures of depth of a run's weights, or their progress; the first call starts it.

        They are made together with the review, and come after it.
        """
        run = RunFolder(folder)
        found = kept_depth(run, weights_of(run))
        return found if found is not None else self._wait(folder)

    def _wait(self, folder: Path) -> ReviewProgress:
        """How far the run's process is; it is begun where there is none."""
        with self._lock:
            progress = self._progress.get(folder)
            if progress and progress.state == "failed":
                return self._progress.pop(folder)
            if progress is None:
                self._begin(folder)
            return self._place(folder)

    def _place(self, folder: Path) -> ReviewProgress:
        progress = self._progress[folder]
        if progress.state != "waiting":
            return progress
        # In the order of the requests; failed ones are not in the line.
        line = [path for path, one in self._progress.items() if one.state != "failed"]
        return replace(progress, before=line.index(folder))

    def _begin(self, folder: Path) -> None:
        try:
            self._line.put_nowait(folder)
        except queue.Full:
            raise GnetError(
                f"{self._line.maxsize} reviews are waiting already, the most that are allowed; "
                "try again in a minute."
            ) from None
        self._progress[folder] = ReviewProgress(state="waiting")
        if self._worker is None:
            self._worker = threading.Thread(target=self._work, name="reviews", daemon=True)
            self._worker.start()

    def _work(self) -> None:
        while True:
            folder = self._line.get()
            message = self._make(folder)
            with self._lock:
                self._progress.pop(folder, None)
                if message:
                    self._progress[folder] = ReviewProgress(state="failed", message=message)

    def _make(self, folder: Path) -> str:
        """Compute one review in a child process; returns the reason if that failed, else ""."""
        try:
            child = Child(
                [*self._command, str(folder)],
                niceness=NICENESS,
                variables={"OMP_NUM_THREADS": "1"},
            )
        except OSError as error:
            return f"No process could be started to look at the pictures ({error.strerror})."
        with child:
            while not child.ended(_EVERY):
                self._note(folder, child.last_line)
        last = child.last_line.removeprefix("gnet: ")
        if child.code == 0:
            return ""
        if child.code == 2:
            return last[:_LONGEST]
        if (child.code or 0) < 0 or not last:
            last = "its process was killed"
        return f"The review failed: {last[:200]}."

    def _note(self, folder: Path, line: str) -> None:
        done, _, total = line.strip().partition(" of ")
        if done.isdecimal() and total.isdecimal():
            with self._lock:
                self._progress[folder] = ReviewProgress(
                    state="looking", done=int(done), total=int(total)
                )
