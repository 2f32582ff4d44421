"""A server's training runs: each one a process and a folder, so that it needs no page to go on.

Here is what people may do with them: start, steer, delete, each their own and within the server's
limits. Knows nothing of pages.
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

from gnet.errors import GnetError
from gnet.runs.control import SETTINGS, read_requests, write_requests
from gnet.runs.folder import CONTROL, RunFolder
from gnet.runs.train_config import TrainConfig
from gnet.serving.limits import RunLimits
from gnet.serving.offers import Offers, taken_along
from gnet.serving.queue import DELETED, NEW, PATIENCE, RunQueue
from gnet.serving.run_card import RunCard, cleaned_name, hashed, new_token, write_card
from gnet.serving.shelf import RESUMABLE, RunShelf, process_of

UNDER_WAY = ("starting", "running", "paused")
ENDED = (*RESUMABLE, "finished")


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A run that somebody wants to start."""

    name: str
    config: TrainConfig
    part: str = ""
    """Which of the lesson's runs it is, by its name there."""


class Runs:
    """The runs in a folder: their owners start, steer and delete them here.

    `shelf` reads them for everybody, `queue` trains them from `open` to `close`.
    """

    def __init__(self, folder: str | Path, limits: RunLimits | None = None, **options: Any) -> None:
        """`options` are those of the queue."""
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
        """Where the runs lie."""
        return self.shelf.folder

    def open(self) -> Self:
        """Begin to train what waits; raises `GnetError` where the folder cannot be written to."""
        self.queue.open()
        return self

    def close(self, patience: float = PATIENCE) -> None:
        """Stop what runs at its next step, after `patience` seconds at once; the queue is kept."""
        self.queue.close(patience)

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(
        self, config: TrainConfig, *, name: str, owner: str, lesson: str = "", part: str = ""
    ) -> str:
        """Queue a new run and return its id, as `start_all` does for several."""
        wanted = Wanted(name=name, config=config, part=part)
        return self.start_all([wanted], owner=owner, lesson=lesson)[0]

    def start_all(self, wanted: Sequence[Wanted], *, owner: str, lesson: str = "") -> list[str]:
        """Queue new runs, all or none, and return their ids; `GnetError` for what is not allowed.

        `owner` is the token of who starts them, from `new_token`; only its hash is kept. On a full
        server the oldest ended runs of the same owner make room. `lesson` is the key of the lesson
        that the runs are, unchanged; together they are a group, of which each is a `part`.
        """
        key, configs = hashed(owner), [self.as_run(one.config) for one in wanted]
        with self.queue.alone():  # before anything is copied
            self._check_room(key, configs)
        ids = [new_token() for _ in wanted]
        try:
            for run_id, config in zip(ids, configs, strict=True):
                self._make(run_id, config)
            with self.queue.alone():
                old = self._check_room(key, configs)
                self._note(ids, wanted, key, cleaned_name(lesson, ""))
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
        """The config as it would run here; raises `GnetError` for what is not allowed."""
        config = self.limits.admitted(config, self.folder)
        threads = max(1, (_cores() - 1) // self.limits.at_once)
        return replace(config, threads=min(config.threads or threads, threads))

    def steer(self, run_id: str, owner: str, action: str, **values: Any) -> dict[str, Any] | None:
        """Do as the owner says; how the run stands then, as `list` tells it, None if deleted.

        `pause`, `continue`, `step`, `learning_rate` (learning_rate) and `aux_weights`
        (aux1_weight, aux2_weight) while it is under way; `stop` then or while it waits; `resume`
        once it is stopped; `delete` always. Raises `GnetError` for strangers, and for what cannot
        be done now.
        """
        gone: Path | None = None
        with self.queue.alone():
            card = self.shelf.card(run_id)
            if not card.owned_by(owner):
                raise GnetError(
                    "Only the browser that started this run can control it; you can watch."
                )
            state = self.shelf.state(run_id, card)
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
                self._request(run_id, pause=action != "continue", step=action == "step")
            elif action in ("learning_rate", "aux_weights") and state in UNDER_WAY:
                self._request(run_id, **{k: v for k, v in values.items() if k in SETTINGS})
            elif (action, state) != ("stop", "stopping"):
                raise GnetError(
                    f"{str(action)[:40]!r} was asked of a run that is {state}; allowed are pause, "
                    "continue, step, learning_rate, aux_weights and stop while it is under way, "
                    "resume once it is stopped, and delete."
                )
        self.queue.wake()
        if gone:
            self.queue.wait_for([card], PATIENCE)
            shutil.rmtree(gone, ignore_errors=True)
            return None
        return self.shelf.shown(run_id, self.shelf.card(run_id), owner)

    def _resume(self, run_id: str, card: RunCard) -> None:
        self.queue.allow(run_id)
        self._check_queue(card.owner, 1)
        self.queue.write(run_id, replace(card, queued=self.queue.next_turn(), message="", note=""))

    def _request(self, run_id: str, *, step: bool = False, **changes: Any) -> None:
        path = self.folder / run_id / CONTROL
        requests = read_requests(path)
        if step and not requests.pause:  # the first step asked for is the pause itself
            step = False
        write_requests(path, replace(requests, **changes, steps=requests.steps + step))

    def _make(self, run_id: str, config: TrainConfig) -> None:
        """The run's folder, not yet in its place; a zip that was uploaded is taken along."""
        folder = self.folder / f"{NEW}{run_id}"
        taken = taken_along(config, self.limits.uploads, folder)
        if taken.data != config.data:
            place = (self.folder / run_id).resolve() / Path(taken.data).name
            taken = replace(taken, data=str(place))
        RunFolder(folder).create(taken)

    def _note(self, ids: Sequence[str], wanted: Sequence[Wanted], key: str, lesson: str) -> None:
        """Give each new run its card."""
        number = 1 + sum(card.owner == key for card in self.shelf.cards().values())
        group, created, turn = new_token(), time.time(), self.queue.next_turn()
        for place, (run_id, one) in enumerate(zip(ids, wanted, strict=True)):
            card = RunCard(
                name=cleaned_name(one.name, f"Run {number + place}"),
                lesson=lesson,
                group=group,
                part=cleaned_name(one.part, ""),
                owner=key,
                created=created + place * 1e-3,
                queued=turn + place * 1e-3,
            )
            write_card(self.folder / f"{NEW}{run_id}", card)

    def _put_in_place(self, ids: Sequence[str]) -> None:
        """Show the runs that were made, all or none."""
        try:
            for run_id in ids:
                moved(self.folder / f"{NEW}{run_id}", self.folder / run_id)
        except GnetError:
            for run_id in ids:
                with suppress(OSError):  # those that were not moved yet
                    (self.folder / run_id).rename(self.folder / f"{NEW}{run_id}")
            raise

    def _check_room(self, key: str, configs: Sequence[TrainConfig]) -> list[str]:
        """Which ended runs of the owner must go for so many new ones; `GnetError` for no room.

        Nobody's runs are deleted for somebody else, and none that a new one begins from.
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
        """Raise `GnetError` where so many more may not wait; `key` is the hash of who asks."""
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
        """Take a run away, at once for all; its folder, which is still to be removed."""
        gone = self.folder / f"{DELETED}{run_id}"
        moved(self.folder / run_id, gone)
        self.shelf.forget(run_id)
        return gone


def moved(source: Path, target: Path) -> None:
    """Rename a run's folder; raises `GnetError` where that fails."""
    try:
        source.rename(target)
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
