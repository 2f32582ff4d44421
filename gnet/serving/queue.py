"""The queue of a server's runs: one is trained after the other, each by a process of its own.

A server that is started anew takes over what still runs and goes on with the queue; a second one
on the same folder watches, and takes over when the first is gone. Knows nothing of who may do what.
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
from gnet.runs.control import Requests, write_requests
from gnet.runs.folder import CONTROL, EVENTS
from gnet.serving.limits import RunLimits
from gnet.serving.process import COMMAND, begin
from gnet.serving.run_card import RunCard, write_card
from gnet.serving.shelf import RunShelf, process_of
from gnet.serving.story import whole_lines
from gnet.system.lease import TOUCHED_EVERY, touch
from gnet.system.locking import taken, waited_for
from gnet.system.processes import NICENESS

_LOG = logging.getLogger(__name__)

PATIENCE = 10.0
"""Seconds that runs have for their last step when the server stops."""
STOPPED_WITHIN = 60.0
"""Seconds that a run has for it when others may be waiting."""
NEW, DELETED = ".new-", ".deleted-"
"""What stands before the name of a run's folder while it is made, and once it is to go."""
_SERVER = ".server"
"""The file that the server holds locked, and touches for its runs to see."""
_CHANGES = ".changes"
"""The file that is locked by whoever changes something."""
_DYING = 5.0
_LEFT_AFTER = 3600.0
BUSY_PAUSE, _IDLE_PAUSE = 0.25, 1.0
"""Seconds between two turns."""


class RunQueue:
    """Trains the runs of a shelf one after the other, from `open` to `close`.

    All methods may be called by several threads at once. Nothing slow is done while others wait to
    change something.
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
        """`pause` is the time between two turns in seconds; `clock` measures how long runs rest."""
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
        self._held: FileLock | None = None
        self._touched = -TOUCHED_EVERY
        self._resting: dict[str, tuple[object, float]] = {}
        """How a run was seen that is paused or told to stop, and since when."""
        self._trouble = ""

    def open(self) -> Self:
        """Begin to keep the queue; raises `GnetError` where the folder cannot be written to."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._take_over()
        except OSError as error:
            raise _not_here(self.folder, error) from error
        self._closing = False
        self._thread = threading.Thread(target=self._keep, name="runs", daemon=True)
        self._thread.start()
        return self

    def close(self, patience: float = PATIENCE) -> None:
        """Stop what runs at its next step, after `patience` seconds at once; the queue is kept."""
        if self._thread is None:
            return
        self._closing = True
        self._wake.set()
        self._thread.join()
        self._thread = None
        if self._held is None:
            return
        with self.alone():
            live = self._live(self.shelf.cards())
            for run_id, card in live.items():
                with suppress(GnetError):  # a full disk
                    self.stop(run_id, card)
        self.wait_for(list(live.values()), patience)
        for child in self._children.values():
            with suppress(subprocess.TimeoutExpired):
                child.wait(_DYING)
        self._held.release()
        self._held = None

    def wake(self) -> None:
        """Take the next turn at once: something has changed."""
        self._wake.set()

    def _keep(self) -> None:
        while not self._closing:
            busy = True
            try:
                busy = self.turn()
                self._trouble = ""
            except (OSError, GnetError) as error:  # a full disk: the next turn may find room
                if str(error) != self._trouble:
                    self._trouble = str(error)
                    _LOG.warning("The queue of runs waits: %s", error)
            except Exception:  # whatever it is, those who wait must not wait for ever
                _LOG.exception("The queue of runs could not go on; it tries again.")
            self._wake.wait(self._pause if busy else _IDLE_PAUSE)
            self._wake.clear()

    def turn(self) -> bool:
        """See to the runs once; whether one is under way or waits."""
        if not self._take_over():
            return False
        if time.monotonic() - self._touched >= TOUCHED_EVERY:
            touch(self.folder / _SERVER)
            self._touched = time.monotonic()
        with self.alone():
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
            self._see_to_resting(live, others_wait=others_wait)
        return bool(live or waiting)

    def _live(self, cards: Mapping[str, RunCard]) -> dict[str, RunCard]:
        return {run_id: card for run_id, card in cards.items() if process_of(card).lives()}

    def _see_to_resting(self, live: Mapping[str, RunCard], *, others_wait: bool) -> None:
        """Stop what is paused for long while others wait; end what does not stop when told to."""
        self._resting = {i: seen for i, seen in self._resting.items() if i in live}
        for run_id, card in live.items():
            standing = self.shelf.standing(run_id)
            if not card.stopping and not standing.paused:
                self._resting.pop(run_id, None)
                continue
            as_seen = (card.process, card.stopping, standing.step)  # single steps count as a sign
            known, since = self._resting.setdefault(run_id, (as_seen, self._clock()))
            if known != as_seen:
                self._resting[run_id] = as_seen, self._clock()
                continue
            rested = self._clock() - since
            if card.stopping and rested >= STOPPED_WITHIN:
                process_of(card).kill()
            most = self.limits.max_pause
            if not card.stopping and others_wait and most and rested >= 60 * most:
                self.stop(
                    run_id,
                    replace(
                        card,
                        note=f"Stopped after a pause of {most:g} minutes because other runs were "
                        "waiting; resume to continue.",
                    ),
                )

    def stop(self, run_id: str, card: RunCard) -> None:
        """Note that its process is to stop at its next step, and tell it, noted or not."""
        try:
            self.write(run_id, replace(card, stopping=True))
        finally:
            process_of(card).stop()

    def _begin(self, run_id: str, card: RunCard) -> None:
        """Have a process train the run, from its last checkpoint if it has one."""
        folder = self.folder / run_id
        begun = replace(
            card, queued=0.0, stopping=False, note="", begins_at=whole_lines(folder / EVENTS)
        )
        try:
            self.allow(run_id)
            write_requests(folder / CONTROL, Requests())
            child, trained = begin(folder, self.folder / _SERVER, self.command, self._niceness)
        except Exception as error:
            if not isinstance(error, (OSError, GnetError)):  # the others must not wait for it
                _LOG.exception("The run %s could not be started.", run_id)
            message = f"The run could not be started: {error}"
            self.write(run_id, replace(card, queued=0.0, message=message))
            return
        if earlier := self._children.get(run_id):
            earlier.wait()  # it has ended, and leaves nothing behind once that is noted
        self._children[run_id] = child
        started = replace(begun, process=trained.process, process_started=trained.started)
        try:
            self.write(run_id, started)
        except GnetError:  # a process that nobody knows of would be started a second time
            trained.kill()
            raise

    def allow(self, run_id: str) -> None:
        """Cut the run's minutes to those allowed here now; `GnetError` where it may not go on."""
        folder = self.shelf.run_folder(run_id)
        config = folder.config()
        allowed = self.limits.admitted_again(config, folder.path)
        minutes = self.shelf.standing(run_id).seconds / 60
        if 0 < allowed.max_minutes <= minutes:
            raise GnetError(
                f"The run has trained for {minutes:.0f} minutes and {allowed.max_minutes:g} are "
                "allowed; what it has learnt can be explored."
            )
        if allowed != config:
            folder.create(allowed)

    def next_turn(self) -> float:
        """A turn behind all others, even if the clock was set back."""
        turns = [card.queued for card in self.shelf.cards().values()]
        return max(time.time(), max(turns, default=0.0) + 1e-3)

    def write(self, run_id: str, card: RunCard) -> None:
        write_card(self.folder / run_id, card)
        self.shelf.forget_card(run_id)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Nobody else changes anything meanwhile, neither thread nor server: for short moments."""
        with self._changing, ExitStack() as held:
            try:
                held.enter_context(waited_for(self.folder / _CHANGES))
            except OSError as error:
                raise _not_here(self.folder, error) from error
            yield

    def _take_over(self) -> bool:
        """Whether this is the folder's server, which it becomes when there is no other."""
        if self._held is None:
            self._held = taken(self.folder / _SERVER)
            if self._held is not None:
                self._sweep()
        return self._held is not None

    def _sweep(self) -> None:
        """Remove what a server that was killed left half made or half deleted."""
        for left in self.folder.glob(f"{DELETED}*"):
            shutil.rmtree(left, ignore_errors=True)
        for left in self.folder.glob(f"{NEW}*"):
            with suppress(OSError):  # its server may still be making it
                if time.time() - left.stat().st_mtime > _LEFT_AFTER:
                    shutil.rmtree(left, ignore_errors=True)

    def wait_for(self, cards: Sequence[RunCard], patience: float) -> None:
        """Until the cards' processes have ended; after `patience` seconds they are killed."""
        begun = time.monotonic()
        for process in map(process_of, cards):
            while process.lives() and time.monotonic() < begun + patience:
                time.sleep(0.02)
            process.kill()
            while process.lives() and time.monotonic() < begun + patience + _DYING:
                time.sleep(0.02)
        for child in list(self._children.values()):
            child.poll()


def _not_here(folder: Path, error: OSError) -> GnetError:
    return GnetError(
        f"Cannot keep runs in {folder} ({error.strerror or error}); "
        "give a folder that can be written to."
    )
