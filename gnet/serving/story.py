"""The events of a run for those who watch it: events.jsonl, read once as it grows, and thinned.

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

MOST = {
    "StepDone": 1500,
    "GradientsMeasured": 300,
    "BranchesSeen": 60,
    "CheckpointSaved": 100,
    "RequestRefused": 20,
}
"""Events of each kind that a late viewer gets, spread evenly over the run; of other kinds all."""
TAIL = 700
"""Latest events kept for viewers who only need what is new."""
_CHUNK = 1 << 20
_DIGITS = 6
_RATE_STEPS, _VALIDATIONS = 50, 5


@dataclass(frozen=True, kw_only=True)
class RunProgress:
    """How far a run is, as its own events say."""

    began_at: int = -1
    """Byte in the file at which its latest process began to write; -1: none has yet."""
    ended_at: int = -1
    """Byte in the file at which its end is written; -1: it has not ended."""
    reason: str = ""
    """Why it ended, as in `RunEnded`."""
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
    """Recent time for one step."""
    validation_seconds: float = 0.0
    """Recent time for one validation; 0 before the first."""
    accuracy: dict[str, float] = field(default_factory=dict)
    """Head → accuracy on the validation set after the last epoch."""
    settings: dict[str, float] = field(default_factory=dict)
    """Learning rate and auxiliary weights that were set during the run."""


@dataclass(frozen=True, kw_only=True)
class Update:
    """The new events for one viewer."""

    records: list[Record]
    next: int
    """The `place` to ask from the next time."""
    reset: bool
    """Whether the records are the whole story and replace all earlier ones."""
    progress: RunProgress
    """How far the run is after the last of them."""


class Story:
    """The valid events of one run; safe to read from several threads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._reset()

    def since(self, place: int) -> Update:
        """The events after `place`, the `next` of an earlier update; 0 gets the whole story.

        The whole story comes again when `place` is too far back, lies before a resume, or was
        never given out.
        """
        with self._lock:
            self._read_new()
            at = bisect_right(self._tail_ends, place)
            known = place == (self._tail_ends[at - 1] if at else self._tail_from)
            records = self._tail[at:] if known else self._thinned()
            return Update(
                records=records,
                next=self._next,
                reset=place == 0 or not known,
                progress=self._progress(),
            )

    def progress(self) -> RunProgress:
        """How far the run is."""
        with self._lock:
            self._read_new()
            return self._progress()

    def size(self) -> int:
        """The file's size in bytes; 0 if there is none."""
        try:
            return self.path.stat().st_size
        except OSError:
            return 0

    def _reset(self) -> None:
        self._next = 0
        self._kinds: dict[str, _Kind] = {}
        self._tail: list[Record] = []
        self._tail_ends: list[int] = []
        self._tail_from = 0
        self._began_at = -1
        self._earlier_seconds = 0.0
        self._seconds = 0.0
        self._validations: list[float] = []

    def _read_new(self) -> None:
        size = self.size()
        if size < self._next:  # the file was replaced
            self._reset()
        if size == self._next:
            return
        with self.path.open("rb") as file:
            file.seek(self._next)
            rest = b""
            while chunk := file.read(_CHUNK):
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:  # `rest` is a line that is not finished yet
                    self._add_line(line, self._next + len(line) + 1)

    def _add_line(self, line: bytes, end: int) -> None:
        start, self._next = self._next, end
        try:
            # JSON has no NaN: a loss that is not a number becomes null.
            record = json.loads(line, parse_constant=lambda _: None)
            kind, step = record["type"], int(record["step"])
        except (ValueError, KeyError, TypeError):
            return  # a damaged line
        record = without_folders(_rounded(record), self.path)
        if kind == "RunResumed":
            self._earlier_seconds += self._seconds
            self._seconds = 0.0
            self._kinds.pop("RunEnded", None)
            for other in self._kinds.values():
                other.drop_behind(step)
        if kind in ("RunStarted", "RunResumed"):
            self._began_at = start
        if kind == "RunResumed" and start == 0:  # the first process: nothing came before
            self._tail_from = end
            return
        if kind == "EpochDone" and self._tail and self._tail[-1]["type"] == "StepDone":
            took = record["seconds"] - self._tail[-1]["seconds"]
            self._validations = [*self._validations[1 - _VALIDATIONS :], max(0.0, took)]
        self._seconds = record.get("seconds") or self._seconds
        self._kinds.setdefault(kind, _Kind(MOST.get(kind))).add(end, record)
        self._tail.append(record)
        self._tail_ends.append(end)
        if kind == "RunResumed":  # earlier events may not be valid any more
            self._cut_tail(0, end)
        elif len(self._tail) > 2 * TAIL:
            self._cut_tail(TAIL, self._tail_ends[-TAIL - 1])

    def _cut_tail(self, kept: int, begins: int) -> None:
        count = len(self._tail) - kept
        del self._tail[:count], self._tail_ends[:count]
        self._tail_from = begins

    def _thinned(self) -> list[Record]:
        pairs = [pair for kind in self._kinds.values() for pair in kind.thinned()]
        return [record for _, record in sorted(pairs, key=lambda pair: pair[0])]

    def _progress(self) -> RunProgress:
        step, epoch = self._last("StepDone"), self._last("EpochDone")
        started, ended = self._last("RunStarted"), self._last("RunEnded")
        resumed = self._last("RunResumed")
        at = max(record.get("step", 0) for record in (step, epoch, resumed, {}))
        paused = max(self._place("RunPaused"), self._began_at)
        settings = self._last("SettingsChanged")
        return RunProgress(
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
            validation_seconds=min(
                self._validations, default=0.0
            ),  # the others may contain a pause
            accuracy=epoch.get("val_accuracy", {}),
            settings={k: v for k, v in settings.items() if k not in ("type", "step")},
        )

    def _last(self, kind: str) -> Record:
        return self._kinds[kind].latest[1] if kind in self._kinds else {}

    def _place(self, kind: str) -> int:
        return self._kinds[kind].latest[0] if kind in self._kinds else -1

    def _step_seconds(self) -> float:
        """The median time of the latest steps, without pauses; 0 where it is not known.

        A median, so that an epoch's end does not count either.
        """
        kinds = ("StepDone", "RunPaused", "RunContinued")
        moves = [r for r in self._tail if r["type"] in kinds]
        took: list[float] = []
        paused = False
        for earlier, later in itertools.pairwise(moves):
            if earlier["type"] != "StepDone":
                paused = earlier["type"] == "RunPaused"
            elif later["type"] == "StepDone" and not paused:  # in a pause a press decides the time
                steps = max(1, later["step"] - earlier["step"])
                took.append((later["seconds"] - earlier["seconds"]) / steps)
        latest = sorted(took[-_RATE_STEPS:])
        return latest[len(latest) // 2] if latest else 0.0


class _Kind:
    """The events of one kind: all of them, or an even selection."""

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

    def thinned(self) -> list[tuple[int, Record]]:
        pairs = self.kept
        if self.latest[0] > (pairs[-1][0] if pairs else -1):
            pairs = [*pairs, self.latest]
        if not self.most or len(pairs) <= self.most:
            return pairs
        last = len(pairs) - 1
        return [pairs[round(i * last / (self.most - 1))] for i in range(self.most)]


def without_folders(record: Record, path: Path) -> Record:
    """A record of the events in `path`, its message without the folders of the server's files."""
    if not record.get("message"):
        return record
    return record | {"message": without_paths(str(record["message"]), path.parent.parent)}


def _rounded(value: Any) -> Any:
    """The same with numbers of six digits: half the text, still finer than a curve can show."""
    if isinstance(value, float):
        return float(f"{value:.{_DIGITS}g}") if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    return value


def whole_lines(path: Path) -> int:
    """Bytes of the complete lines."""
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
