"""A server's training runs: each one a process and a folder, so that it needs no page to go on.

A server that is started anew takes over what still runs and goes on with the queue; a second one
on the same folder watches, and takes over when the first is gone. Knows nothing of pages.
"""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from gnet.control import SETTINGS, Wishes, read_wishes, write_wishes
from gnet.errors import GnetError
from gnet.lease import TOUCHED_EVERY, touch
from gnet.offers import taken_along
from gnet.run_card import RunCard, cleaned_name, hashed, new_token, write_card
from gnet.run_folder import CONTROL, EVENTS, RunFolder
from gnet.run_limits import RunLimits
from gnet.run_process import COMMAND, begin
from gnet.run_shelf import RESUMABLE, RunShelf, process_of
from gnet.run_story import whole_lines
from gnet.train_config import TrainConfig

_LOG = logging.getLogger(__name__)

try:
    import fcntl
except ImportError:  # Windows: there a folder is for one server
    fcntl = None

UNDER_WAY = ("starting", "running", "paused")
ENDED = (*RESUMABLE, "finished")
PATIENCE = 10.0
"""Seconds that runs have for their last step when the server stops."""
_SERVER = ".server"
"""The file that the server holds locked, and touches for its runs to see."""
_CHANGES = ".changes"
"""The file that is locked by whoever changes something."""
_DELETED = ".deleted-"
_DYING = 5.0
_BUSY_PAUSE, _IDLE_PAUSE = 0.25, 1.0


class Runs(RunShelf):
    """The runs in a folder, trained one after the other from `open` to `close`.

    All methods may be called by several threads at once.
    """

    def __init__(
        self,
        folder: str | Path,
        limits: RunLimits | None = None,
        *,
        command: Sequence[str] = COMMAND,
    ) -> None:
        super().__init__(folder)
        self.limits = limits or RunLimits()
        self._command = command
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._thread: threading.Thread | None = None
        self._wake = threading.Event()
        self._closing = False
        self._held: int | None = None
        self._touched = -TOUCHED_EVERY

    def open(self) -> Runs:
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
        with self._alone():
            live = {i: card for i, card in self.cards().items() if process_of(card).lives()}
            for run_id, card in live.items():
                process_of(card).stop()
                with suppress(GnetError):  # a full disk
                    self._write(run_id, replace(card, stopping=True))
        self._wait_for(list(live.values()), patience)
        for child in self._children.values():
            with suppress(subprocess.TimeoutExpired):
                child.wait(_DYING)
        os.close(self._held)
        self._held = None

    def __enter__(self) -> Runs:
        return self.open()

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self, config: TrainConfig, *, name: str, owner: str, preset: str = "") -> str:
        """Queue a new run and return its id; raises `GnetError` for what is not allowed here.

        `owner` is the token of who starts it, from `new_token`; only its hash is kept.
        """
        config = self.limits.admitted(config, self.folder)
        threads = max(1, (_cores() - 1) // self.limits.at_once)
        config = replace(config, threads=min(config.threads or threads, threads))
        key = hashed(owner)
        with self._alone():
            mine = [card for card in self.cards().values() if card.owner == key]
            waiting = sum(card.queued > 0 for card in mine)
            if waiting >= self.limits.max_waiting:
                raise GnetError(
                    f"{waiting} of your runs wait already, and more are not allowed; "
                    "stop one of them or let one end."
                )
            self._make_room(key)
            run_id = new_token()
            card = RunCard(
                name=cleaned_name(name, f"Run {len(mine) + 1}"),
                preset=cleaned_name(preset, ""),
                owner=key,
                created=time.time(),
                queued=self._next_turn(),
            )
            try:
                config = taken_along(config, self.limits.uploads, self.folder / run_id)
                RunFolder(self.folder / run_id).create(config)
                self._write(run_id, card)
            except GnetError:
                shutil.rmtree(self.folder / run_id, ignore_errors=True)
                raise
        self._wake.set()
        return run_id

    def steer(self, run_id: str, owner: str, action: str, **values: Any) -> dict[str, Any] | None:
        """Do as the owner says; how the run stands then, as `list` tells it, None if deleted.

        `pause`, `continue`, `step`, `learning_rate` (learning_rate) and `aux_weights`
        (aux1_weight, aux2_weight) while it is under way; `stop` then or while it waits (a second
        time: at once, without what was done since its last checkpoint); `resume` once it is
        stopped; `rename` (name) and `delete` always. Raises `GnetError` for strangers, and for
        what cannot be done now.
        """
        with self._alone():
            card = self.card(run_id)
            if not card.owned_by(owner):
                raise GnetError("Only who started a run can steer it; you may watch.")
            state = self.state(run_id, card)
            if action == "delete":
                self._delete(run_id, card)
                return None
            if action == "rename":
                name = cleaned_name(values.get("name", ""), card.name)
                self._write(run_id, replace(card, name=name))
            elif action == "stop" and state in (*UNDER_WAY, "queued", "stopping"):
                self._stop(run_id, card, state)
            elif action == "resume" and state in RESUMABLE:
                self._resume(run_id, card)
            elif action in ("pause", "continue", "step") and state in UNDER_WAY:
                self._wish(run_id, pause=action != "continue", step=action == "step")
            elif action in ("learning_rate", "aux_weights") and state in UNDER_WAY:
                self._wish(run_id, **{k: v for k, v in values.items() if k in SETTINGS})
            else:
                raise GnetError(
                    f"{str(action)[:40]!r} was asked of a run that is {state}; allowed are pause, "
                    "continue, step, learning_rate, aux_weights and stop while it is under way, "
                    "resume once it is stopped, rename and delete."
                )
        self._wake.set()
        return self.shown(run_id, self.card(run_id), owner)

    def _stop(self, run_id: str, card: RunCard, state: str) -> None:
        if state == "queued":
            self._write(run_id, replace(card, queued=0.0))
        elif state == "stopping":
            process_of(card).kill()
        else:
            self._write(run_id, replace(card, stopping=True))
            process_of(card).stop()

    def _resume(self, run_id: str, card: RunCard) -> None:
        self.limits.check_enabled()
        config = self.run_folder(run_id).config()
        minutes = self._standing(run_id).seconds / 60
        if 0 < config.max_minutes <= minutes:
            raise GnetError(
                f"The run has trained for {minutes:.0f} minutes and {config.max_minutes:g} are "
                "allowed; what it has learnt can be explored."
            )
        self._write(run_id, replace(card, queued=self._next_turn(), message=""))

    def _wish(self, run_id: str, *, step: bool = False, **changes: Any) -> None:
        path = self.folder / run_id / CONTROL
        wishes = read_wishes(path)
        if step and not wishes.pause:  # the first step asked for is the pause itself
            step = False
        write_wishes(path, replace(wishes, **changes, steps=wishes.steps + step))

    def _delete(self, run_id: str, card: RunCard) -> None:
        process_of(card).kill()
        self._wait_for([card], PATIENCE)
        gone = self.folder / f"{_DELETED}{run_id}"
        try:
            (self.folder / run_id).rename(gone)  # at once for all, however long the rest takes
        except OSError as error:
            raise GnetError(
                f"The run cannot be deleted ({error.strerror or error}); "
                "its folder must be writable."
            ) from error
        self._forget(run_id)
        shutil.rmtree(gone, ignore_errors=True)

    def _make_room(self, key: str) -> None:
        """See that one more run may be kept; `key` is the hash of who asks.

        Nobody's runs are deleted for somebody who keeps as many, so that who floods a server
        meets a refusal, and who comes to a full one can still try.
        """
        cards = self.cards()
        if not self.limits.max_runs or len(cards) < self.limits.max_runs:
            return
        kept = Counter(card.owner for card in cards.values())
        most = max(kept, key=lambda owner: kept[owner])
        ended = [
            (card.created, run_id)
            for run_id, card in cards.items()
            if card.owner == most and self.state(run_id, card) in ENDED
        ]
        if kept[key] >= kept[most] or not ended:
            raise GnetError(
                f"This server keeps {self.limits.max_runs} runs and has them, {kept[key]} of them "
                "yours; delete one to start another."
            )
        _, oldest = min(ended)
        self._delete(oldest, cards[oldest])

    def _next_turn(self) -> float:
        """A turn behind all others, even if the clock was set back."""
        turns = [card.queued for card in self.cards().values()]
        return max(time.time(), max(turns, default=0.0) + 1e-3)

    def _write(self, run_id: str, card: RunCard) -> None:
        write_card(self.folder / run_id, card)
        self._cards.pop(run_id, None)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Nobody else changes anything meanwhile, neither thread nor server."""
        with self._lock, ExitStack() as held:
            try:
                file = held.enter_context((self.folder / _CHANGES).open("ab"))
                if fcntl:
                    fcntl.flock(file, fcntl.LOCK_EX)
            except OSError as error:
                raise _not_here(self.folder, error) from error
            yield

    # The queue

    def _keep(self) -> None:
        while not self._closing:
            busy = True
            try:
                with suppress(OSError, GnetError):  # a full disk: the next turn may find room
                    busy = self._turn()
            except Exception:  # whatever it is, those who wait must not wait for ever
                _LOG.exception("The queue of runs could not go on; it tries again.")
            self._wake.wait(_BUSY_PAUSE if busy else _IDLE_PAUSE)
            self._wake.clear()

    def _turn(self) -> bool:
        """See to the runs once; whether one is under way or waits."""
        if not self._take_over():
            return False
        if time.monotonic() - self._touched >= TOUCHED_EVERY:
            touch(self.folder / _SERVER)
            self._touched = time.monotonic()
        with self._alone():
            self._children = {i: p for i, p in self._children.items() if p.poll() is None}
            cards = self.cards()
            live = {run_id for run_id, card in cards.items() if process_of(card).lives()}
            waiting = sorted((card.queued, i) for i, card in cards.items() if card.queued)
            for _, run_id in waiting if self.limits.enabled else ():
                if len(live) < self.limits.at_once and run_id not in live:
                    self._begin(run_id, cards[run_id])
                    live.add(run_id)
        return bool(live or waiting)

    def _begin(self, run_id: str, card: RunCard) -> None:
        """Have a process train the run, from its last checkpoint if it has one."""
        folder = self.folder / run_id
        begun = replace(card, queued=0.0, stopping=False, begins_at=whole_lines(folder / EVENTS))
        try:
            write_wishes(folder / CONTROL, Wishes())
            child, trained = begin(folder, self.folder / _SERVER, self._command)
        except (OSError, GnetError) as error:
            message = f"The run could not be started: {error}"
            self._write(run_id, replace(card, queued=0.0, message=message))
            return
        if earlier := self._children.get(run_id):
            earlier.wait()  # it has ended, and leaves nothing behind once that is noted
        self._children[run_id] = child
        started = replace(begun, process=trained.process, process_started=trained.started)
        try:
            self._write(run_id, started)
        except GnetError:  # a process that nobody knows of would be started a second time
            trained.kill()
            raise

    def _take_over(self) -> bool:
        """Whether this is the folder's server, which it becomes when there is no other."""
        if self._held is None:
            held = os.open(self.folder / _SERVER, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                if fcntl:
                    fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(held)
                return False
            self._held = held
            for left in self.folder.glob(f"{_DELETED}*"):
                shutil.rmtree(left, ignore_errors=True)
        return True

    def _wait_for(self, cards: Sequence[RunCard], patience: float) -> None:
        """Until the cards' processes have ended; after `patience` seconds they are killed."""
        begun = time.monotonic()
        for process in map(process_of, cards):
            while process.lives() and time.monotonic() < begun + patience:
                time.sleep(0.02)
            process.kill()
            while process.lives() and time.monotonic() < begun + patience + _DYING:
                time.sleep(0.02)
        for child in self._children.values():
            child.poll()


def _not_here(folder: Path, error: OSError) -> GnetError:
    return GnetError(
        f"Cannot keep runs in {folder} ({error.strerror or error}); "
        "give a folder that can be written to."
    )


def _cores() -> int:
    """Processor cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
