"""The reviews of a server's runs: each computed once, one at a time, in a child process.

So a whole data set takes neither the server's memory nor time from those who explore a picture.
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
from gnet.evaluation.review import Review
from gnet.runs.folder import RunFolder
from gnet.serving.run_review import REVIEW, kept_review, weights_of
from gnet.system.processes import Child
from gnet.system.stamps import stamp_of

COMMAND = (sys.executable, "-m", "gnet", "review", "--counting")
NICENESS = 5
"""Behind the server and before a run: somebody waits for a review."""
MOST_WAITING = 20
_KEPT, _KEPT_IN_ALL = 4, 200
_EVERY = 0.1
"""Seconds between two looks at how far a review is."""
_LONGEST = 400


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How far a review is; `state` is waiting, looking or failed."""

    state: str
    before: int = 0
    """Reviews of other runs that come before it, the one under way among them."""
    done: int = 0
    total: int = 0
    message: str = ""
    """Why it failed."""


class Reviews:
    """Reviews by run folder; several threads may ask."""

    def __init__(
        self, command: Sequence[str] = COMMAND, *, most_waiting: int = MOST_WAITING
    ) -> None:
        self._command = command
        self._lock = threading.Lock()
        self._reading = threading.Lock()
        self._kept: OrderedDict[tuple, Review | None] = OrderedDict()
        self._standing: dict[Path, Standing] = {}
        self._line: queue.Queue[Path] = queue.Queue(most_waiting)
        self._worker: threading.Thread | None = None

    def find(self, folder: Path) -> Review | None:
        """The review of a run's weights if there is one; `GnetError` without weights.

        Files are read again only if they were written since, whether there was a review or not.
        """
        run = RunFolder(folder)
        weights = weights_of(run)
        key = (folder, stamp_of(weights), stamp_of(folder / REVIEW))
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        with self._reading:  # several may ask at once: the file is read once
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

    def ask(self, folder: Path) -> Review | Standing:
        """The review, or how far it is; the first call begins it.

        A failure is reported once: the next call begins anew.
        """
        found = self.find(folder)
        with self._lock:
            if found is not None:
                self._standing.pop(folder, None)
                return found
            standing = self._standing.get(folder)
            if standing and standing.state == "failed":
                return self._standing.pop(folder)
            if standing is None:
                self._begin(folder)
            return self._place(folder)

    def _place(self, folder: Path) -> Standing:
        standing = self._standing[folder]
        if standing.state != "waiting":
            return standing
        # In the order in which they were asked for; those that failed are not in the line.
        line = [path for path, one in self._standing.items() if one.state != "failed"]
        return replace(standing, before=line.index(folder))

    def _begin(self, folder: Path) -> None:
        try:
            self._line.put_nowait(folder)
        except queue.Full:
            raise GnetError(
                f"{self._line.maxsize} reviews are waiting already, the most that are allowed; "
                "ask again in a minute."
            ) from None
        self._standing[folder] = Standing(state="waiting")
        if self._worker is None:
            self._worker = threading.Thread(target=self._work, name="reviews", daemon=True)
            self._worker.start()

    def _work(self) -> None:
        while True:
            folder = self._line.get()
            message = self._make(folder)
            with self._lock:
                self._standing.pop(folder, None)
                if message:
                    self._standing[folder] = Standing(state="failed", message=message)

    def _make(self, folder: Path) -> str:
        """Have one review computed; the reason if that failed, else an empty text."""
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
            last = "its process was ended from outside"
        return f"The review failed: {last[:200]}."

    def _note(self, folder: Path, line: str) -> None:
        done, _, total = line.strip().partition(" of ")
        if done.isdecimal() and total.isdecimal():
            with self._lock:
                self._standing[folder] = Standing(state="looking", done=int(done), total=int(total))
