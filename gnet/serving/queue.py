"""The queue of a server's runs: one is trained after the other, each by a process of its own.

A restarted server takes over the processes that still train, and continues the queue. A second
server on the same folder only watches, and takes over when the first is gone. Knows nothing of
permissions.
"""

from __future__ import annotations

import logging
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Self

from filelock import FileLock

from gnet.errors import GnetError
from gnet.runs.beginning import BEGINNING
from gnet.runs.control import Requests, request, write_requests
from gnet.runs.folder import CONTROL, EVENTS
from gnet.serving.limits import RunLimits
from gnet.serving.process import COMMAND, begin
from gnet.serving.run_card import RunCard, write_card
from gnet.serving.shelf import RunShelf, process_of
from gnet.serving.story import whole_lines
from gnet.system import processes
from gnet.system.lease import TOUCHED_EVERY, touch
from gnet.system.locking import taken, waited_for
from gnet.system.processes import NICENESS

_LOG = logging.getLogger(__name__)

PATIENCE = 3.0
"""Seconds that a run has to finish its step when the server stops, which takes 5 s in all."""
STOPPED_WITHIN = 60.0
"""Seconds that a run has to finish its step when its owner or the queue stops it."""
NEW, DELETED = ".new-", ".deleted-"
"""Prefixes of a run's folder while it is made, and while it is being removed."""
_SERVER = ".server"
"""The file that the server keeps locked, and touches as a sign of life for its runs."""
_CHANGES = ".changes"
"""The file that is locked during every change."""
_KILL_PATIENCE = 1.0
_STALE_AFTER = 3600.0
BUSY_PAUSE, _IDLE_PAUSE = 0.25, 1.0
"""Seconds between two ticks, while runs train or wait and otherwise."""


class RunQueue:
    """Trains the runs of a shelf one after the other, from `open` to `close`.

    Safe to call from several threads. The lock for changes is held only for short moments.
    """

    def __init__(
        self,
        shelf: RunShelf,
        limits: RunLimits,
        *,
        command: Sequence[str] = COMMAND,
        niceness: int = NICENESS,
        pause: float = BUSY_PAUSE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`pause`: seconds between two ticks. `clock` measures how long runs are idle."""
        self.shelf = shelf
        self.folder = shelf.folder
        self.limits = limits
        self.command = command
        self._niceness = niceness
        self._pause = pause
        self._clock = clock
        self._children: dict[str, subprocess.Popen[str]] = {}
        self._changing = threading.Lock()
        self._thread: threading.Thread | None = None
        self._wake = threading.Event()
        self._closing = False
        self._server_lock: FileLock | None = None
        self._touched = -TOUCHED_EVERY
        self._idle: dict[str, tuple[object, float]] = {}
        """For each run that is paused or stopping: what was seen of it, and since when."""
        self._last_warning = ""

    def open(self) -> Self:
        """Start the queue; raises `GnetError` where the folder cannot be written to."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._take_over()
        except OSError as error:
            raise _not_writable(self.folder, error) from error
        self._closing = False
        self._thread = threading.Thread(target=self._loop, name="runs", daemon=True)
        self._thread.start()
        return self

    def close(self, patience: float = PATIENCE) -> None:
        """Stop each run at its next step, or kill it after `patience` seconds; the queue stays."""
        if self._thread is None:
            return
        self._closing = True
        self._wake.set()
        self._thread.join()
        self._thread = None
        if self._server_lock is None:
            return
        with self.exclusive():
            live = self._live(self.shelf.cards())
            for run_id, card in live.items():
                with suppress(GnetError):  # a full disk
                    self.stop(run_id, card)
        self.wait_for(list(live.values()), patience)
        for child in self._children.values():
            with suppress(subprocess.TimeoutExpired):
                child.wait(_KILL_PATIENCE)
        self._server_lock.release()
        self._server_lock = None

    def wake(self) -> None:
        """Do the next tick at once, because something has changed."""
        self._wake.set()

    def _loop(self) -> None:
        while not self._closing:
            busy = True
            try:
                busy = self.tick()
                self._last_warning = ""
            except (OSError, GnetError) as error:  # a full disk, say: the next tick may find room
                if str(error) != self._last_warning:
                    self._last_warning = str(error)
                    _LOG.warning("The queue of runs waits: %s", error)
            except Exception:  # a bug must not block the queue for ever
                _LOG.exception("The queue of runs could not go on; it tries again.")
            self._wake.wait(self._pause if busy else _IDLE_PAUSE)
            self._wake.clear()

    def tick(self) -> bool:
        """Start, stop and check runs once; returns whether a run trains or waits."""
        if not self._take_over():
            return False
        if time.monotonic() - self._touched >= TOUCHED_EVERY:
            touch(self.folder / _SERVER)
            self._touched = time.monotonic()
        with self.exclusive():
            self._children = {i: p for i, p in self._children.items() if p.poll() is None}
            cards = self.shelf.cards()
            live = self._live(cards)
            waiting = sorted((card.queued, i) for i, card in cards.items() if card.queued)
            busy = set(live)
            for _, run_id in waiting if self.limits.enabled else ():
                if len(busy) < self.limits.at_once and run_id not in busy:
                    self._begin(run_id, cards[run_id])
                    busy.add(run_id)
            others_wait = self.limits.enabled and len(waiting) > len(busy) - len(live)
            self._stop_idle(live, others_wait=others_wait)
        return bool(live or waiting)

    def _live(self, cards: Mapping[str, RunCard]) -> dict[str, RunCard]:
        return {run_id: card for run_id, card in cards.items() if process_of(card).lives()}

    def _stop_idle(self, live: Mapping[str, RunCard], *, others_wait: bool) -> None:
        """Stop runs paused for too long while others wait; kill those that do not stop."""
        self._idle = {i: seen for i, seen in self._idle.items() if i in live}
        for run_id, card in live.items():
            progress = self.shelf.progress(run_id)
            if not card.stopping and not progress.paused:
                self._idle.pop(run_id, None)
                continue
            # a single step restarts the time
            as_seen = (card.process, card.stopping, progress.step)
            known, since = self._idle.setdefault(run_id, (as_seen, self._clock()))
            if known != as_seen:
                self._idle[run_id] = as_seen, self._clock()
                continue
            idle = self._clock() - since
            if card.stopping and idle >= STOPPED_WITHIN:
                process_of(card).kill()
            most = self.limits.max_pause
            if not card.stopping and others_wait and most and idle >= 60 * most:
                self.stop(
                    run_id,
                    replace(
                        card,
                        note=f"Stopped after a pause of {most:g} minutes because other runs were "
                        "waiting; resume to continue.",
                    ),
                )

    def stop(self, run_id: str, card: RunCard) -> None:
        """Note the stop on the card and tell the process, even if the note cannot be written."""
        try:
            self.write(run_id, replace(card, stopping=True))
        finally:
            if processes.STOPS_BY_SIGNAL:
                process_of(card).stop()
            else:
                request(self.folder / run_id / CONTROL, stop=True)

    def _begin(self, run_id: str, card: RunCard) -> None:
        """Start a process that trains the run, from its last checkpoint if it has one."""
        folder = self.folder / run_id
        begun = replace(
            card, queued=0.0, stopping=False, note="", begins_at=whole_lines(folder / EVENTS)
        )
        try:
            self.apply_limits(run_id)
            write_requests(folder / CONTROL, Requests())
            (folder / BEGINNING).unlink(missing_ok=True)  # that of an earlier process
            child, handle = begin(folder, self.folder / _SERVER, self.command, self._niceness)
        except Exception as error:
            if not isinstance(error, (OSError, GnetError)):  # a bug must not block the others
                _LOG.exception("The run %s could not be started.", run_id)
            message = f"The run could not be started: {error}"
            self.write(run_id, replace(card, queued=0.0, message=message))
            return
        if earlier := self._children.get(run_id):
            earlier.wait()  # it has ended; waiting removes its zombie
        self._children[run_id] = child
        started = replace(begun, process=handle.process, process_started=handle.started)
        try:
            self.write(run_id, started)
        except GnetError:  # else the run would be started a second time
            handle.kill()
            raise

    def apply_limits(self, run_id: str) -> None:
        """Reduce the run's minutes to today's limit; `GnetError` where the run may not go on."""
        folder = self.shelf.run_folder(run_id)
        config = folder.config()
        allowed = self.limits.admitted_to_resume(config, folder.path)
        minutes = self.shelf.progress(run_id).seconds / 60
        if 0 < allowed.max_minutes <= minutes:
            raise GnetError(
                f"The run has trained for {minutes:.0f} minutes and {allowed.max_minutes:g} are "
                "allowed; you can still explore its network."
            )
        if allowed != config:
            folder.create(allowed)

    def next_turn(self) -> float:
        """A turn after all others, even if the clock was set back."""
        turns = [card.queued for card in self.shelf.cards().values()]
        return max(time.time(), max(turns, default=0.0) + 1e-3)

    def write(self, run_id: str, card: RunCard) -> None:
        """Write a run's card."""
        write_card(self.folder / run_id, card)
        self.shelf.forget_card(run_id)

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Keep all other threads and servers from changing runs; for short moments only."""
        with self._changing, ExitStack() as held:
            try:
                held.enter_context(waited_for(self.folder / _CHANGES))
            except OSError as error:
                raise _not_writable(self.folder, error) from error
            yield

    def _take_over(self) -> bool:
        """Become the folder's server if there is no other; returns whether this is it."""
        if self._server_lock is None:
            self._server_lock = taken(self.folder / _SERVER)
            if self._server_lock is not None:
                self._sweep()
        return self._server_lock is not None

    def _sweep(self) -> None:
        """Remove folders that a killed server left half made or half deleted."""
        for left in self.folder.glob(f"{DELETED}*"):
            shutil.rmtree(left, ignore_errors=True)
        for left in self.folder.glob(f"{NEW}*"):
            with suppress(OSError):  # another server may still be making it
                if time.time() - left.stat().st_mtime > _STALE_AFTER:
                    shutil.rmtree(left, ignore_errors=True)

    def wait_for(self, cards: Sequence[RunCard], patience: float) -> None:
        """Wait until the cards' processes have ended; after `patience` seconds, kill them."""
        begun = time.monotonic()
        for process in map(process_of, cards):
            while process.lives() and time.monotonic() < begun + patience:
                time.sleep(0.02)
            process.kill()
            while process.lives() and time.monotonic() < begun + patience + _KILL_PATIENCE:
                time.sleep(0.02)
        for child in list(self._children.values()):
            child.poll()


def _not_writable(folder: Path, error: OSError) -> GnetError:
    return GnetError(
        f"Cannot keep runs in {folder} ({error.strerror or error}); "
        "give a folder that can be written to."
    )
