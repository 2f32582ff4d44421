"""The runs in a folder, for everybody who looks: the state and the events of each.

Changes nothing. Everything is read from the folders, so two servers see the same.
"""

from __future__ import annotations

import re
import shutil
import threading
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from gnet.errors import GnetError
from gnet.network.config import HEADS, UNTRAINED
from gnet.network.header import read_header
from gnet.runs.folder import BEST, CONFIG, EVENTS, LAST, RunFolder
from gnet.runs.train_config import TrainConfig
from gnet.serving.process import last_error
from gnet.serving.run_card import CARD, RunCard, read_card
from gnet.serving.story import RunProgress, Story
from gnet.system.paths import without_paths
from gnet.system.processes import ProcessHandle
from gnet.system.stamps import Stamp, stamp_of
from gnet.training.starting import heads_in_training

RESUMABLE = ("stopped", "interrupted", "failed")
TRAINING = ("starting", "running", "paused", "stopping")
_ID = re.compile(r"[A-Za-z0-9_-]{22}")
_STORIES = 16
"""Runs whose events are held in memory."""
FULL_BELOW = 1_000_000
"""Free bytes below which a disk counts as full."""


class RunShelf:
    """A folder of runs. Everybody who knows a run's id may watch it; ids cannot be guessed."""

    def __init__(self, folder: str | Path, *, full_below: int = FULL_BELOW) -> None:
        self.folder = Path(folder)
        self._full_below = full_below
        self._lock = threading.RLock()
        self._cards: dict[str, tuple[Stamp, RunCard]] = {}
        self._configs: dict[str, tuple[Stamp, TrainConfig]] = {}
        self._stories: OrderedDict[str, Story] = OrderedDict()
        self._progress: dict[str, tuple[int, RunProgress]] = {}
        self._trained_heads: dict[str, tuple[Stamp, dict[str, str]]] = {}

    def follow(self, run_id: str, since: int = 0, owner: str = "") -> dict[str, Any]:
        """A run's description, and its events `since` the `next` of an earlier answer.

        `run`: as in `list`. `events`: records as in events.jsonl, numbers to six digits, None for
        NaN and infinity. With `reset` they are the whole story, thinned evenly, and replace all
        earlier ones: for `since` 0, after a resume, and for a viewer far behind. Raises `GnetError`
        where there is no such run.
        """
        card = self.card(run_id)
        if not isinstance(since, int) or isinstance(since, bool) or since < 0:
            since = 0
        # The process first, then the events: so its last event is never missed.
        live = process_of(card).lives()
        update = self._story(run_id).since(since)
        return {
            "run": self._describe(run_id, card, live, update.progress, owner),
            "events": update.records,
            "next": update.next,
            "reset": update.reset,
        }

    def list(self, owner: str, also: Iterable[str] = ()) -> list[dict[str, Any]]:
        """The owner's runs and those whose ids are in `also`, the newest first.

        Keys of each: `id, name, experiment, group` (shared by runs started together), `part` (which
        of the experiment's runs), `created` (seconds since 1970), `mine`, `state` (queued,
        starting, running, paused, stopping, stopped, interrupted, failed, diverged or finished),
        `message` (why it ended), `position` in the queue from 1, `resumable`, `step, steps, epoch,
        epochs, epochs_done, seconds, left` (seconds, None if unknown), `accuracy` (head → on the
        validation set), `settings` (set during the run), `weights` (saved ones: best, last),
        `untrained` (heads without training), `config`.
        """
        also = {run_id for run_id in also if isinstance(run_id, str)}
        cards = self.cards()
        turns = _turns(cards)
        chosen = [
            (run_id, card)
            for run_id, card in cards.items()
            if run_id in also or _is_mine(card, owner)
        ]
        chosen.sort(key=lambda pair: -pair[1].created)
        return [self.describe(run_id, card, owner, turns) for run_id, card in chosen]

    def counts(self) -> dict[str, int]:
        """How many runs train and how many wait, of all owners.

        A process that has written its run's end does not train any more.
        """
        cards = self.cards()
        live = {i: card for i, card in cards.items() if process_of(card).lives()}
        return {
            "running": sum(self.state(i, card) in TRAINING for i, card in live.items()),
            "waiting": sum(card.queued > 0 for card in cards.values()),
        }

    def weights(self, run_id: str, which: str = "") -> Path:
        """The file of a run's weights: `best`, `last`, or the best that exist."""
        names = {"best": (BEST,), "last": (LAST,), "": (BEST, LAST)}.get(which, ())
        for name in names:
            if (path := self.run_folder(run_id).path / name).is_file():
                return path
        raise GnetError("These weights are not saved yet; the next checkpoint writes them.")

    def run_folder(self, run_id: str) -> RunFolder:
        """A run's own files; raises `GnetError` where there is no such run."""
        self.card(run_id)
        return RunFolder(self.folder / run_id)

    def card(self, run_id: str) -> RunCard:
        """What the server noted about a run; raises `GnetError` where there is no such run."""
        card = self._card(run_id) if isinstance(run_id, str) and _ID.fullmatch(run_id) else None
        if card is None:
            raise GnetError("There is no such run here; its owner may have deleted it.")
        return card

    def cards(self) -> dict[str, RunCard]:
        """Id → card of every run."""
        try:
            names = [path.name for path in self.folder.iterdir() if _ID.fullmatch(path.name)]
        except OSError:
            names = []
        found = {name: card for name in names if (card := self._card(name))}
        with self._lock:
            for gone in self._cards.keys() - found.keys():
                self.forget(gone)
        return found

    def describe(
        self, run_id: str, card: RunCard, owner: str, turns: Sequence[float] | None = None
    ) -> dict[str, Any]:
        """One run as in `list`; `turns` are those of all queued runs, if known."""
        live = process_of(card).lives()
        return self._describe(run_id, card, live, self.progress(run_id), owner, turns)

    def state(self, run_id: str, card: RunCard) -> str:
        """The run's state, one of those in `list`."""
        live = process_of(card).lives()
        return self._state(run_id, card, live, self.progress(run_id))[0]

    def _describe(
        self,
        run_id: str,
        card: RunCard,
        live: bool,
        progress: RunProgress,
        owner: str,
        turns: Sequence[float] | None = None,
    ) -> dict[str, Any]:
        state, message = self._state(run_id, card, live, progress)
        config, mine = self._config(run_id), _is_mine(card, owner)
        left = (progress.steps - progress.step) * progress.step_seconds
        epochs = config.epochs if config else 0
        left += max(0, epochs - progress.epochs_done) * progress.validation_seconds
        if state == "queued" and turns is None:
            turns = _turns(self.cards())
        # Weights of just before a NaN are finite and answer nothing; the best ones were tried.
        names = (BEST,) if state == "diverged" else (BEST, LAST)
        kept = [name for name in names if (self.folder / run_id / name).is_file()]
        return {
            "id": run_id,
            "name": card.name,
            "experiment": card.experiment,
            "group": card.group,
            "part": card.part,
            "created": card.created,
            "mine": mine,
            "state": state,
            "message": without_paths(message, self.folder) if message else "",
            "position": 1 + bisect_left(turns, card.queued) if state == "queued" and turns else 0,
            "resumable": state in RESUMABLE and config is not None,
            "step": progress.step,
            "steps": progress.steps,
            "epoch": progress.epoch,
            "epochs": epochs,
            "epochs_done": progress.epochs_done,
            "seconds": progress.seconds,
            "left": left if state in ("running", "paused") and progress.step_seconds else None,
            "accuracy": progress.accuracy,
            "settings": progress.settings,
            "weights": [Path(name).stem for name in kept],
            "untrained": self._untrained(run_id, config) if config else [],
            "config": public_config(config) if config else {},
        }

    def _state(
        self, run_id: str, card: RunCard, live: bool, progress: RunProgress
    ) -> tuple[str, str]:
        """A run's state, and the reason where there is one."""
        folder = self.folder / run_id
        if card.queued:
            return "queued", ""
        if card.message:
            return "failed", card.message
        if progress.reason == "finished":
            return "finished", ""
        if card.process == 0:
            return "stopped", ""  # taken out of the queue before it began
        if progress.ended_at > card.begins_at:
            words = last_error(folder) if progress.reason == "failed" else ""
            return progress.reason, words or progress.message or card.note
        if live:
            if card.stopping:
                return "stopping", ""
            if progress.began_at < card.begins_at:
                return "starting", ""
            return ("paused" if progress.paused else "running"), ""
        if words := last_error(folder):
            return "failed", words
        if card.stopping:
            return "stopped", card.note
        if _free_bytes(self.folder) < self._full_below:
            return "failed", (
                "The disk is full; make room, then resume the run from its last checkpoint."
            )
        return "interrupted", (
            "The process of this run was killed; resume to continue from the last checkpoint."
        )

    def _card(self, run_id: str) -> RunCard | None:
        """A run's card as it is on disk now; read again only if the file has changed."""
        stamp = stamp_of(self.folder / run_id / CARD)
        if not stamp:
            return None
        with self._lock:
            known = self._cards.get(run_id)
            if known and known[0] == stamp:
                return known[1]
            card = read_card(self.folder / run_id)
            if card:
                self._cards[run_id] = stamp, card
            return card

    def _config(self, run_id: str) -> TrainConfig | None:
        """The config of a run; None where the file is damaged."""
        stamp = stamp_of(self.folder / run_id / CONFIG)
        known = self._configs.get(run_id)
        if known and known[0] == stamp:
            return known[1]
        try:
            config = RunFolder(self.folder / run_id).config()
        except GnetError:
            return None
        if stamp:  # the first process adds what the data decides
            self._configs[run_id] = stamp, config
        return config

    def _untrained(self, run_id: str, config: TrainConfig) -> list[str]:
        """The heads without training: by the newest saved weights, or by the config without any.

        So a head counts as trained if its loss got a weight during the run, or if the run started
        from weights in which it was trained.
        """
        path = self.folder / run_id / LAST
        stamp, heads = stamp_of(path), heads_in_training(config)
        if stamp:
            known = self._trained_heads.get(run_id)
            if known is None or known[0] != stamp:
                with suppress(GnetError):  # the weights are damaged
                    heads = read_header(path)[1].heads
                known = self._trained_heads[run_id] = stamp, heads
            heads = known[1]
        return [head for head in HEADS if heads.get(head, UNTRAINED) == UNTRAINED]

    def _story(self, run_id: str) -> Story:
        """A run's events; those of the latest runs stay in memory."""
        with self._lock:
            story = self._stories.pop(run_id, None) or Story(self.folder / run_id / EVENTS)
            self._stories[run_id] = story
            while len(self._stories) > _STORIES:
                self._stories.popitem(last=False)
            return story

    def progress(self, run_id: str) -> RunProgress:
        """How far a run is; read again only if its events file has grown."""
        size = Story(self.folder / run_id / EVENTS).size()
        known = self._progress.get(run_id)
        if known and known[0] == size:
            return known[1]
        progress = self._story(run_id).progress()
        self._progress[run_id] = size, progress
        return progress

    def forget_card(self, run_id: str) -> None:
        """Read the run's card again the next time."""
        self._cards.pop(run_id, None)

    def forget(self, run_id: str) -> None:
        """Drop from memory a run that was deleted."""
        for known in (
            self._cards,
            self._configs,
            self._stories,
            self._progress,
            self._trained_heads,
        ):
            known.pop(run_id, None)


def process_of(card: RunCard) -> ProcessHandle:
    """The latest process that trains or trained a run."""
    return ProcessHandle(process=card.process, started=card.process_started)


def _is_mine(card: RunCard, owner: str) -> bool:
    try:
        return card.owned_by(owner)
    except GnetError:  # no valid token: a viewer
        return False


@lru_cache(maxsize=256)
def public_config(config: TrainConfig) -> dict[str, Any]:
    """A run's config as viewers may read it: files by name alone, without their folders."""
    record = config.to_json()
    return record | {name: Path(record[name]).name for name in ("data", "start", "answers")}


def _free_bytes(folder: Path) -> float:
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return float("inf")


def _turns(cards: Mapping[str, RunCard]) -> list[float]:
    """The turns of all queued runs, the next one first."""
    return sorted(card.queued for card in cards.values() if card.queued)
