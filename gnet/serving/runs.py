"""The training runs of a server; each is a process and a folder, so it needs no open page.

People start, steer and delete their own runs here, within the server's limits. Knows nothing of
pages.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from gnet.errors import FieldError, GnetError
from gnet.runs.control import SETTINGS, request
from gnet.runs.folder import CONTROL, RunFolder
from gnet.runs.train_config import TrainConfig
from gnet.serving.limits import RunLimits
from gnet.serving.offers import Offers, with_own_zip
from gnet.serving.queue import DELETED, NEW, PATIENCE, RunQueue
from gnet.serving.run_card import (
    LONGEST_NAME,
    RunCard,
    cleaned_name,
    hashed,
    new_token,
    write_card,
)
from gnet.serving.shelf import RESUMABLE, RunShelf, process_of
from gnet.system.atomic import rename
from gnet.words import cut

UNDER_WAY = ("starting", "running", "paused")
ENDED = (*RESUMABLE, "finished", "diverged")


@dataclass(frozen=True, kw_only=True)
class NewRun:
    """A run to be started."""

    name: str
    config: TrainConfig
    part: str = ""
    """Its name among the experiment's runs."""


class Runs:
    """The runs in a folder: their owners start, steer and delete them here.

    `shelf` reads them for everybody, `queue` trains them from `open` to `close`.
    """

    def __init__(self, folder: str | Path, limits: RunLimits | None = None, **options: Any) -> None:
        """`options` are passed on to the queue."""
        self.limits = limits or RunLimits()
        self.offers = Offers(
            self.limits.folders,
            self.limits.uploads,
            zip_bytes=self.limits.zip_bytes,
            zips_bytes=self.limits.zips_bytes,
        )
        self.shelf = RunShelf(folder)
        self.queue = RunQueue(self.shelf, self.limits, **options)

    @property
    def folder(self) -> Path:
        """The folder of all runs."""
        return self.shelf.folder

    def open(self) -> Self:
        """Start to train queued runs; raises `GnetError` where the folder cannot be written to."""
        self.queue.open()
        return self

    def close(self, patience: float = PATIENCE) -> None:
        """Stop each run at its next step, or kill it after `patience` seconds; the queue stays."""
        self.queue.close(patience)

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(
        self, config: TrainConfig, *, name: str, owner: str, experiment: str = "", part: str = ""
    ) -> str:
        """Queue a new run and return its id, as `start_all` does for several."""
        new_runs = NewRun(name=name, config=config, part=part)
        return self.start_all([new_runs], owner=owner, experiment=experiment)[0]

    def start_all(
        self, new_runs: Sequence[NewRun], *, owner: str, experiment: str = ""
    ) -> list[str]:
        """Queue new runs, all or none, and return their ids; `GnetError` for what is not allowed.

        `owner` is the owner's token, from `new_token`; only its hash is kept. On a full server the
        oldest ended runs of the same owner are deleted to make room. `experiment` is the key of the
        experiment, if these are its runs with settings unchanged.
        """
        key, configs = hashed(owner), [self.as_run(one.config) for one in new_runs]
        with self.queue.exclusive():  # before anything is copied
            self._check_room(key, configs)
        ids = [new_token() for _ in new_runs]
        try:
            for run_id, config in zip(ids, configs, strict=True):
                self._make(run_id, config)
            with self.queue.exclusive():
                old = self._check_room(key, configs)
                self._write_cards(ids, new_runs, key, cleaned_name(experiment, ""))
                self._put_in_place(ids)
                gone = [self._put_aside(run_id) for run_id in old]
        except BaseException:
            for run_id in ids:
                shutil.rmtree(self.folder / f"{NEW}{run_id}", ignore_errors=True)
            raise
        for path in gone:
            shutil.rmtree(path, ignore_errors=True)
        self.queue.wake()
        return ids

    def as_run(self, config: TrainConfig) -> TrainConfig:
        """The config as this server would run it; raises `GnetError` for what is not allowed."""
        config = self.limits.admitted(config, self.folder)
        threads = max(1, (_cores() - 1) // self.limits.at_once)
        return replace(config, threads=min(config.threads or threads, threads))

    def steer(self, run_id: str, owner: str, action: str, **values: Any) -> dict[str, Any] | None:
        """Do an action of the owner; returns the run as in `list`, None once deleted.

        While the run trains: `pause`, `continue`, `step`, `learning_rate` (learning_rate),
        `aux_weights` (aux1_weight, aux2_weight) and `stop`. While it waits: `stop`. Once it is
        stopped: `resume`. Always: `delete`. Raises `GnetError` for another owner, and for an action
        that the state does not allow.
        """
        gone: Path | None = None
        with self.queue.exclusive():
            card = self.shelf.card(run_id)
            if not card.owned_by(owner):
                raise GnetError(
                    "Only the browser that started this run can control it; you can watch."
                )
            state = self.shelf.state(run_id, card)
            control = self.folder / run_id / CONTROL
            if action == "delete":
                process_of(card).kill()
                gone = self._put_aside(run_id)
            elif action == "stop" and state == "queued":
                self.queue.write(run_id, replace(card, queued=0.0))
            elif action == "stop" and state in UNDER_WAY:
                self.queue.stop(run_id, card)
            elif action == "resume" and state in RESUMABLE:
                self._resume(run_id, card)
            elif action in ("pause", "continue", "step") and state in UNDER_WAY:
                request(control, pause=action != "continue", step=action == "step")
            elif action in ("learning_rate", "aux_weights") and state in UNDER_WAY:
                request(control, **{k: v for k, v in values.items() if k in SETTINGS})
            elif (action, state) != ("stop", "stopping"):
                raise GnetError(
                    f"{str(action)[:40]!r} is not possible for a run that is {state}; allowed are "
                    "pause, continue, step, learning_rate, aux_weights and stop while it trains, "
                    "resume once it is stopped, and delete."
                )
        self.queue.wake()
        if gone:
            self.queue.wait_for([card], PATIENCE)
            shutil.rmtree(gone, ignore_errors=True)
            return None
        return self.shelf.describe(run_id, self.shelf.card(run_id), owner)

    def rename(self, run_id: str, owner: str, name: Any) -> str:
        """Give the owner's run another name; returns it as everybody reads it from now on.

        Raises `GnetError` for another owner, and for a name of no visible letter or of too many.
        """
        text = cleaned_name(name, "") if isinstance(name, str) else ""
        if not text or len(" ".join(name.split())) > LONGEST_NAME:
            raise FieldError("name", cut(name), f"1 to {LONGEST_NAME} letters")
        with self.queue.exclusive():
            card = self.shelf.card(run_id)
            if not card.owned_by(owner):
                raise GnetError("Only the browser that started this run can name it.")
            self.queue.write(run_id, replace(card, name=text))
        return text

    def _resume(self, run_id: str, card: RunCard) -> None:
        self.queue.apply_limits(run_id)
        self._check_queue(card.owner, 1)
        self.queue.write(run_id, replace(card, queued=self.queue.next_turn(), message="", note=""))

    def _make(self, run_id: str, config: TrainConfig) -> None:
        """Make the run's folder under a temporary name, with a copy of an uploaded zip."""
        folder = self.folder / f"{NEW}{run_id}"
        copied = with_own_zip(config, self.limits.uploads, folder)
        if copied.data != config.data:
            place = (self.folder / run_id).resolve() / Path(copied.data).name
            copied = replace(copied, data=str(place))
        RunFolder(folder).create(copied)

    def _write_cards(
        self, ids: Sequence[str], new_runs: Sequence[NewRun], key: str, experiment: str
    ) -> None:
        """Write the card of each new run."""
        number = 1 + sum(card.owner == key for card in self.shelf.cards().values())
        group, created, turn = new_token(), time.time(), self.queue.next_turn()
        for place, (run_id, one) in enumerate(zip(ids, new_runs, strict=True)):
            card = RunCard(
                name=cleaned_name(one.name, f"Run {number + place}"),
                experiment=experiment,
                group=group,
                part=cleaned_name(one.part, ""),
                owner=key,
                created=created + place * 1e-3,
                queued=turn + place * 1e-3,
            )
            write_card(self.folder / f"{NEW}{run_id}", card)

    def _put_in_place(self, ids: Sequence[str]) -> None:
        """Give the new folders their final names, all or none."""
        try:
            for run_id in ids:
                move(self.folder / f"{NEW}{run_id}", self.folder / run_id)
        except GnetError:
            for run_id in ids:
                with suppress(OSError):  # those that were not moved yet
                    rename(self.folder / run_id, self.folder / f"{NEW}{run_id}")
            raise

    def _check_room(self, key: str, configs: Sequence[TrainConfig]) -> list[str]:
        """Ended runs of the owner to delete for these new ones; `GnetError` where there is no room.

        Runs of other owners are never deleted, nor a run that a new one starts from.
        """
        count, cards = len(configs), self.shelf.cards()
        self._check_queue(key, count)
        over = len(cards) + count - self.limits.max_runs
        if not self.limits.max_runs or over <= 0:
            return []
        needed = {part for config in configs for part in Path(config.start).parts}
        mine = {i: card for i, card in cards.items() if card.owner == key}
        ended = sorted(
            (card.created, i)
            for i, card in mine.items()
            if i not in needed and self.shelf.state(i, card) in ENDED
        )
        if len(ended) < over:
            raise GnetError(
                f"This server keeps {self.limits.max_runs} runs and has {len(cards)}, {len(mine)} "
                f"of them yours; for {count} more, {over} must be deleted, and only their owners "
                "can do that."
            )
        return [run_id for _, run_id in ended[:over]]

    def _check_queue(self, key: str, count: int) -> None:
        """Raise `GnetError` where `count` more may not wait; `key` is the hash of the owner."""
        waiting = [card.owner for card in self.shelf.cards().values() if card.queued]
        mine = waiting.count(key)
        for there, most, whose in (
            (mine, self.limits.max_waiting, "of your runs wait"),
            (len(waiting), self.limits.max_queue, "runs wait here"),
        ):
            if most and there + count > most:
                raise GnetError(
                    f"{there} {whose} already, and {count} more would make {there + count}; "
                    f"allowed are {most}, so try again when some have ended."
                )

    def _put_aside(self, run_id: str) -> Path:
        """Hide a deleted run from everybody at once; returns its folder, still to be removed."""
        gone = self.folder / f"{DELETED}{run_id}"
        move(self.folder / run_id, gone)
        self.shelf.forget(run_id)
        return gone


def move(source: Path, target: Path) -> None:
    """Rename a run's folder; raises `GnetError` where that fails."""
    try:
        rename(source, target)
    except OSError as error:
        raise GnetError(
            f"A run's folder cannot be moved ({error.strerror or error}); the folder of runs must "
            "be writable."
        ) from error


def _cores() -> int:
    """Processor cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
