"""The reviews of runs as a server has them: each made once, by a process of its own, one at a time.

So neither a picture that somebody explores nor the server's memory waits for a whole data set.
Knows nothing of pages or of who started a run.
"""

from __future__ import annotations

import atexit
import os
import queue
import subprocess
import sys
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import gnet
from gnet.errors import GnetError
from gnet.evaluation.review import Review
from gnet.runs.folder import RunFolder
from gnet.serving.run_review import REVIEW, kept_review, weights_of
from gnet.system.stamps import stamp_of

COMMAND = (sys.executable, "-m", "gnet", "review", "--counting")
NICENESS = 5
_KEPT, _KEPT_IN_ALL, _MOST_WAITING = 4, 200, 20
_SENTENCE = 400


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

    def __init__(self, command: Sequence[str] = COMMAND) -> None:
        self._command = command
        self._lock = threading.Lock()
        self._reading = threading.Lock()
        self._kept: OrderedDict[tuple, Review | None] = OrderedDict()
        self._standing: dict[Path, Standing] = {}
        self._line: queue.Queue[Path] = queue.Queue(_MOST_WAITING)
        self._process: subprocess.Popen[str] | None = None
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
        with self._reading:  # of all who ask for a review at once, one reads it
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
        """The review, or how far it is; who asks first sets it going.

        A failure is told once: the next one to ask begins anew.
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
            return self._told(folder)

    def _told(self, folder: Path) -> Standing:
        standing = self._standing[folder]
        if standing.state != "waiting":
            return standing
        # In the order in which they were asked for; those that failed are not in the line.
        line = [path for path, one in self._standing.items() if one.state != "failed"]
        return replace(standing, before=line.index(folder))

    def stop(self) -> None:
        """End the process that is at work, if there is one."""
        process = self._process
        if process is not None and process.poll() is None:
            process.terminate()

    def _begin(self, folder: Path) -> None:
        try:
            self._line.put_nowait(folder)
        except queue.Full:
            raise GnetError(
                f"{_MOST_WAITING} reviews are waiting already, which are as many as are allowed; "
                "ask again in a minute."
            ) from None
        self._standing[folder] = Standing(state="waiting")
        if self._worker is None:
            self._worker = threading.Thread(target=self._work, name="reviews", daemon=True)
            self._worker.start()
            atexit.register(self.stop)

    def _work(self) -> None:
        while True:
            folder = self._line.get()
            message = self._make(folder)
            with self._lock:
                self._standing.pop(folder, None)
                if message:
                    self._standing[folder] = Standing(state="failed", message=message)

    def _make(self, folder: Path) -> str:
        """Have one review made; what went wrong, if something did."""
        source = str(Path(gnet.__file__).resolve().parents[1])
        paths = [source, *filter(None, [os.environ.get("PYTHONPATH")])]
        with tempfile.TemporaryFile("w+", errors="replace") as errors:
            try:
                self._process = process = subprocess.Popen(
                    [*self._command, str(folder)],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    text=True,
                    errors="replace",
                    env=os.environ | {"PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"},
                )
            except OSError as error:
                return f"No process could be started to look at the pictures ({error.strerror})."
            with process:
                if hasattr(os, "setpriority"):  # behind the server, before a run: somebody waits
                    with suppress(OSError):
                        os.setpriority(os.PRIO_PROCESS, process.pid, NICENESS)
                assert process.stdout
                for line in process.stdout:
                    self._note(folder, line)
            errors.seek(0)
            said = errors.read().strip().splitlines()
        if process.returncode == 0:
            return ""
        last = said[-1].removeprefix("gnet: ") if said else "its process was ended"
        return last[:_SENTENCE] if process.returncode == 2 else f"The review failed: {last[:200]}."

    def _note(self, folder: Path, line: str) -> None:
        done, _, total = line.strip().partition(" of ")
        if done.isdecimal() and total.isdecimal():
            with self._lock:
                self._standing[folder] = Standing(state="looking", done=int(done), total=int(total))
