"""What a run's events.jsonl says so far, read once as it grows and kept thin for those who follow.

Knows nothing of processes or owners.
"""

from __future__ import annotations

import itertools
import json
import math
import os
import threading
from bisect import bisect_right
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gnet.system.paths import without_paths

Record = dict[str, Any]

MOST = {"StepDone": 1500, "GradientsMeasured": 300, "BranchesSeen": 60, "CheckpointSaved": 100}
"""How many of a kind are told to who comes late, evenly over the run; of other kinds all."""
TAIL = 700
"""The latest events, kept for those who only ask what is new."""
_CHUNK = 1 << 20
_DIGITS = 6
_RATE_STEPS, _JUDGINGS = 50, 5


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Where a run stands by its own account."""

    began_at: int = -1
    """Where in the file its latest process began to speak, in bytes; -1: none has yet."""
    ended_at: int = -1
    """Where in the file it said that it ended; -1: it has not."""
    reason: str = ""
    """Why it ended: finished, stopped or failed."""
    message: str = ""
    paused: bool = False
    step: int = 0
    steps: int = 0
    epoch: int = 0
    """The epoch under way, from 1."""
    epochs_done: int = 0
    seconds: float = 0.0
    """Time in training, that of earlier processes included."""
    step_seconds: float = 0.0
    """Of late."""
    judging_seconds: float = 0.0
    """What the validation pictures of an epoch took of late; 0 before the first time."""
    accuracy: dict[str, float] = field(default_factory=dict)
    """Head → accuracy on the validation set after the last epoch."""
    settings: dict[str, float] = field(default_factory=dict)
    """Learning rate and auxiliary weights that were set in mid-run."""


@dataclass(frozen=True, kw_only=True)
class Told:
    """An answer to who follows."""

    records: list[Record]
    next: int
    """What to ask for the next time."""
    reset: bool
    """Whether the records are the whole story, in place of all that was told before."""
    standing: Standing
    """Where the run stands after the last of them."""


class Story:
    """The events of one run that still hold; several threads may read it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._begin()

    def since(self, place: int) -> Told:
        """What is new since `place`, an earlier answer's `next`; for 0 the story so far.

        Who has fallen far behind, was told what no longer holds, or names a place that never was
        is told the whole story again.
        """
        with self._lock:
            self._read_on()
            at = bisect_right(self._tail_ends, place)
            known = place == (self._tail_ends[at - 1] if at else self._tail_from)
            records = self._tail[at:] if known else self._whole()
            return Told(
                records=records,
                next=self._next,
                reset=place == 0 or not known,
                standing=self._standing(),
            )

    def standing(self) -> Standing:
        """Where the run stands."""
        with self._lock:
            self._read_on()
            return self._standing()

    def size(self) -> int:
        """Bytes that are there to read."""
        try:
            return self.path.stat().st_size
        except OSError:
            return 0

    def _begin(self) -> None:
        self._next = 0
        self._kinds: dict[str, _Kind] = {}
        self._tail: list[Record] = []
        self._tail_ends: list[int] = []
        self._tail_from = 0
        self._began_at = -1
        self._earlier_seconds = 0.0
        self._seconds = 0.0
        self._judgings: list[float] = []

    def _read_on(self) -> None:
        size = self.size()
        if size < self._next:  # another file in its place
            self._begin()
        if size == self._next:
            return
        with self.path.open("rb") as file:
            file.seek(self._next)
            rest = b""
            while chunk := file.read(_CHUNK):
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:  # what follows the last one is not finished yet
                    self._take(line, self._next + len(line) + 1)

    def _take(self, line: bytes, end: int) -> None:
        start, self._next = self._next, end
        try:
            # JSON knows no NaN: a loss that has left the numbers is told as null.
            record = json.loads(line, parse_constant=lambda _: None)
            kind, step = record["type"], int(record["step"])
        except (ValueError, KeyError, TypeError):
            return  # a damaged line
        record = told(_rounded(record), self.path)
        if kind == "RunResumed":
            self._earlier_seconds += self._seconds
            self._seconds = 0.0
            self._kinds.pop("RunEnded", None)
            for other in self._kinds.values():
                other.drop_behind(step)
        if kind in ("RunStarted", "RunResumed"):
            self._began_at = start
        if kind == "RunResumed" and start == 0:  # its first process: there was nothing before
            self._tail_from = end
            return
        if kind == "EpochDone" and self._tail and self._tail[-1]["type"] == "StepDone":
            took = record["seconds"] - self._tail[-1]["seconds"]
            self._judgings = [*self._judgings[1 - _JUDGINGS :], max(0.0, took)]
        self._seconds = record.get("seconds") or self._seconds
        self._kinds.setdefault(kind, _Kind(MOST.get(kind))).add(end, record)
        self._tail.append(record)
        self._tail_ends.append(end)
        if kind == "RunResumed":  # what was told before no longer holds
            self._cut_tail(0, end)
        elif len(self._tail) > 2 * TAIL:
            self._cut_tail(TAIL, self._tail_ends[-TAIL - 1])

    def _cut_tail(self, kept: int, begins: int) -> None:
        count = len(self._tail) - kept
        del self._tail[:count], self._tail_ends[:count]
        self._tail_from = begins

    def _whole(self) -> list[Record]:
        pairs = [pair for kind in self._kinds.values() for pair in kind.shown()]
        return [record for _, record in sorted(pairs, key=lambda pair: pair[0])]

    def _standing(self) -> Standing:
        step, epoch = self._last("StepDone"), self._last("EpochDone")
        started, ended = self._last("RunStarted"), self._last("RunEnded")
        resumed = self._last("RunResumed")
        at = max(record.get("step", 0) for record in (step, epoch, resumed, {}))
        paused = max(self._place("RunPaused"), self._began_at)
        settings = self._last("SettingsChanged")
        return Standing(
            began_at=self._began_at,
            ended_at=self._place("RunEnded"),
            reason=ended.get("reason", ""),
            message=ended.get("message", ""),
            paused=paused > max(self._place("RunContinued"), self._began_at),
            step=at,
            steps=started.get("steps", 0),
            epoch=max(step.get("epoch", 0), epoch.get("epoch", 0)),
            epochs_done=epoch.get("epoch", 0),
            seconds=self._earlier_seconds + self._seconds,
            step_seconds=self._step_seconds(),
            judging_seconds=min(self._judgings, default=0.0),  # a pause may lie within the others
            accuracy=epoch.get("val_accuracy", {}),
            settings={k: v for k, v in settings.items() if k not in ("type", "step")},
        )

    def _last(self, kind: str) -> Record:
        return self._kinds[kind].latest[1] if kind in self._kinds else {}

    def _place(self, kind: str) -> int:
        return self._kinds[kind].latest[0] if kind in self._kinds else -1

    def _step_seconds(self) -> float:
        """The median of what the latest steps took, so that a pause or an epoch's end is none."""
        steps = [r for r in self._tail[-2 * _RATE_STEPS :] if r["type"] == "StepDone"]
        took = sorted(
            (later["seconds"] - earlier["seconds"]) / max(1, later["step"] - earlier["step"])
            for earlier, later in itertools.pairwise(steps)
        )
        return took[len(took) // 2] if took else 0.0


class _Kind:
    """The events of one kind, all or evenly thinned."""

    def __init__(self, most: int | None) -> None:
        self.most = most
        self.kept: list[tuple[int, Record]] = []
        self.latest: tuple[int, Record] = (-1, {})
        self._stride = 1
        self._count = 0

    def add(self, place: int, record: Record) -> None:
        self.latest = (place, record)
        if self._count % self._stride == 0:
            self.kept.append(self.latest)
        self._count += 1
        if self.most and len(self.kept) > 2 * self.most:
            self.kept = self.kept[::2]
            self._stride *= 2

    def drop_behind(self, step: int) -> None:
        self.kept = [pair for pair in self.kept if pair[1]["step"] <= step]
        self._count = len(self.kept) * self._stride
        self.latest = self.kept[-1] if self.kept else (-1, {})

    def shown(self) -> list[tuple[int, Record]]:
        pairs = self.kept
        if self.latest[0] > (pairs[-1][0] if pairs else -1):
            pairs = [*pairs, self.latest]
        if not self.most or len(pairs) <= self.most:
            return pairs
        last = len(pairs) - 1
        return [pairs[round(i * last / (self.most - 1))] for i in range(self.most)]


def told(record: Record, path: Path) -> Record:
    """A record of the events in `path`, its message without where the server keeps its files."""
    if not record.get("message"):
        return record
    return record | {"message": without_paths(str(record["message"]), path.parent.parent)}


def _rounded(value: Any) -> Any:
    """The same with numbers of six digits: half the text, and more than a curve can show."""
    if isinstance(value, float):
        return float(f"{value:.{_DIGITS}g}") if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    return value


def whole_lines(path: Path) -> int:
    """Bytes of the lines that are finished."""
    try:
        with path.open("rb") as file:
            end = file.seek(0, os.SEEK_END)
            while end > 0:
                start = max(0, end - _CHUNK)
                file.seek(start)
                found = file.read(end - start).rfind(b"\n")
                if found >= 0:
                    return start + found + 1
                end = start
    except OSError:
        pass
    return 0
