"""What a training run says while it runs: frozen records, one JSON line each."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from gnet import strict_json
from gnet.system.paths import regular

TIMES = ("seconds", "pictures_per_second")
"""The fields that differ between two runs of the same seed."""


@dataclass(frozen=True, kw_only=True)
class RunStarted:
    """The run's frame: `steps` in all, and what was decided at the start."""

    step: int
    steps: int
    classes: tuple[str, ...]
    pictures: dict[str, int]
    """Pictures by split."""
    parameters: int
    precision: str
    threads: int
    processes: int


@dataclass(frozen=True, kw_only=True)
class RunResumed:
    """The run goes on behind `step`; earlier events past it no longer hold."""

    step: int


@dataclass(frozen=True, kw_only=True)
class StepDone:
    """One step of the optimiser; losses in nats, before it was taken."""

    step: int
    epoch: int
    size: int
    loss: float
    """main + the weighted auxiliary losses."""
    losses: dict[str, float]
    """Head → its own loss, unweighted."""
    accuracy: dict[str, float]
    """Head → fraction right in this batch."""
    learning_rate: float
    pictures_per_second: float
    seconds: float
    """Since the run, or its resumption, began."""


@dataclass(frozen=True, kw_only=True)
class EpochDone:
    """One pass: means over its steps, and the validation set under the weights to be kept."""

    step: int
    epoch: int
    train_loss: dict[str, float]
    """Of the loss that is minimised, label smoothing included."""
    train_accuracy: dict[str, float]
    val_loss: dict[str, float]
    """Plain cross-entropy whatever is minimised, so that runs compare."""
    val_accuracy: dict[str, float]
    seconds: float


@dataclass(frozen=True, kw_only=True)
class CheckpointSaved:
    step: int
    best: bool
    """Whether these weights are the best on the validation set so far."""


@dataclass(frozen=True, kw_only=True)
class RunPaused:
    """The run waits behind `step`, saved; single steps may follow before it goes on."""

    step: int


@dataclass(frozen=True, kw_only=True)
class RunContinued:
    """The run goes on after a pause."""

    step: int


@dataclass(frozen=True, kw_only=True)
class SettingsChanged:
    """Somebody set these while the run was under way; all three hold for the steps after `step`."""

    step: int
    learning_rate: float
    """The highest of the schedule."""
    aux1_weight: float
    aux2_weight: float


@dataclass(frozen=True, kw_only=True)
class RequestRefused:
    """Somebody wrote requests that the run cannot follow; the ones before stay in force."""

    step: int
    message: str
    """One sentence: what was requested, what is allowed."""


@dataclass(frozen=True, kw_only=True)
class GradientsMeasured:
    """Where each module's gradient comes from, on one probe batch that stays the same."""

    step: int
    epoch: int
    norms: dict[str, dict[str, float]]
    """`stem`, `3a` … `5b` → head → L2 norm of the gradient of that head's loss, weighted as in the
    sum that is minimised; modules that are not trained are left out."""
    cosines: dict[str, dict[str, float]]
    """Module → `main·aux1`, `main·aux2`, `aux1·aux2` → cosine of the angle between the two
    gradients; left out where one of them is 0."""


@dataclass(frozen=True, kw_only=True)
class BranchesSeen:
    """What the network makes of one pinned validation picture, at each epoch's end and within it.

    `epoch` is the one under way or just done, 0 before the first step.
    """

    step: int
    epoch: int
    shares: dict[str, dict[str, float]]
    """Stage → branch → share of the module's activation, Σ|a| / Σ|a|."""
    maps: dict[str, dict[str, dict[str, Any]]]
    """Stage → branch → mean map: `size` [h, w], `low` and `high` (the values of 0 and 255) and
    `data`, base64 of h·w bytes, row by row."""
    belief: dict[str, list[list[float]]]
    """Head → its three likeliest classes as [label, probability], the likeliest first."""


@dataclass(frozen=True, kw_only=True)
class RunEnded:
    """`reason` is "finished", "stopped", "diverged" (loss or weights are no longer finite) or,
    after an error, "failed"."""

    step: int
    reason: str
    seconds: float
    message: str = ""
    """One sentence where there is more to say: why the run failed, which limit stopped it."""


Event = (
    RunStarted
    | RunResumed
    | RunPaused
    | RunContinued
    | SettingsChanged
    | RequestRefused
    | StepDone
    | GradientsMeasured
    | BranchesSeen
    | EpochDone
    | CheckpointSaved
    | RunEnded
)
KINDS = {kind.__name__: kind for kind in Event.__args__}


def to_line(event: Event) -> str:
    """The event as one JSON line, its class name under `type`."""
    return strict_json.dumps({"type": type(event).__name__} | asdict(event)) + "\n"


def from_record(record: dict[str, Any]) -> Event:
    """The event a line's JSON record stands for."""
    kind = KINDS[record["type"]]
    known = {f.name for f in fields(kind)}
    values = {k: tuple(v) if isinstance(v, list) else v for k, v in record.items() if k in known}
    return kind(**values)


def read_events(path: Path) -> list[Event]:
    """The events of a run that still hold: those a resumption went behind are dropped.

    An unfinished last line, as a killed process leaves it, is ignored.
    """
    events: list[Event] = []
    for event in _lines(path):
        if isinstance(event, RunResumed):
            events = [e for e in events if e.step <= event.step and not isinstance(e, RunEnded)]
        events.append(event)
    return events


def read_changes(path: Path) -> list[SettingsChanged]:
    """The changes of settings in the order of their steps: those that a run resumed at an earlier
    step has yet to make again are among them, those that somebody overruled since are not."""
    changes: list[SettingsChanged] = []
    for event in _lines(path):
        if isinstance(event, SettingsChanged) and event not in changes:
            changes = [c for c in changes if c.step < event.step] + [event]
    return changes


def _lines(path: Path) -> Iterator[Event]:
    if not path.exists():
        return
    with regular(path).open(encoding="utf-8") as file:
        for line in file:
            if not line.endswith("\n"):
                return
            yield from_record(json.loads(line))


def seconds_spent(events: Iterable[Event]) -> float:
    """Time (s) a run has taken; each of its sessions counts from its own beginning."""
    total = latest = 0.0
    for event in events:
        if isinstance(event, RunResumed):
            total, latest = total + latest, 0.0
        latest = getattr(event, "seconds", latest)
    return total + latest


def comparable(event: Event) -> dict[str, Any]:
    """The event without times and throughput: equal for two runs of one seed."""
    return {k: v for k, v in asdict(event).items() if k not in TIMES}
