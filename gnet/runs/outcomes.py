"""How a run came out, in a few numbers and in words; made from its events.

Knows nothing of what the run was for.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gnet.network.config import HEADS
from gnet.runs.events import EpochDone, Event, RunEnded, RunStarted, StepDone, seconds_spent
from gnet.words import listed


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A run after its last whole epoch."""

    finished: bool
    epochs: int
    classes: int
    pictures: int
    """In the validation set."""
    parameters: int
    accuracy: dict[str, float]
    """Head → fraction of the validation pictures it is right in."""
    train_loss: dict[str, float]
    """Head → the loss that was minimised, nats, mean over the last epoch."""
    seconds: float
    """Time in training up to there, over all sessions of the run."""
    pictures_per_second: float
    """Median over the steps."""

    @property
    def main(self) -> float:
        """The main head's accuracy."""
        return self.accuracy["main"]

    @property
    def chance(self) -> float:
        """What guessing among the classes gives."""
        return 1 / self.classes

    @property
    def uniform_loss(self) -> float:
        """ln(classes): the loss, in nats, where all classes count as equally likely."""
        return math.log(self.classes)


def outcome(events: Sequence[Event]) -> Outcome | None:
    """What a run's `events` come to so far, or None before its first whole epoch."""
    started = [e for e in events if isinstance(e, RunStarted)]
    epochs = [e for e in events if isinstance(e, EpochDone)]
    if not started or not epochs:
        return None
    last = epochs[-1]
    speeds = [e.pictures_per_second for e in events if isinstance(e, StepDone)]
    return Outcome(
        finished=any(isinstance(e, RunEnded) and e.reason == "finished" for e in events),
        epochs=last.epoch,
        classes=len(started[-1].classes),
        pictures=started[-1].pictures["val"],
        parameters=started[-1].parameters,
        accuracy={head: last.val_accuracy[head] for head in HEADS if head in last.val_accuracy},
        train_loss=last.train_loss,
        seconds=seconds_spent(events[: events.index(last) + 1]),
        pictures_per_second=statistics.median(speeds) if speeds else 0.0,
    )


def sampling_error(first: Outcome, second: Outcome) -> float:
    """The standard error of the difference of two main heads' accuracies.

    Of the drawing of the validation pictures alone; another seed moves the figures, too. Counted
    with two more pictures right and two wrong (Agresti and Coull 1998): else eight right of eight
    would be certain.
    """
    counts = [run.pictures + 4 for run in (first, second)]
    shares = [(run.main * run.pictures + 2) / (run.pictures + 4) for run in (first, second)]
    return math.sqrt(sum(p * (1 - p) / n for p, n in zip(shares, counts, strict=True)))


def standing(outcomes: Mapping[str, Outcome]) -> str:
    """A sentence to begin with where some runs are not finished, else nothing."""
    under_way = [
        f"{name} (epoch {run.epochs})" for name, run in outcomes.items() if not run.finished
    ]
    if not under_way:
        return ""
    return f"Not finished: {listed(under_way)}; so this is how it stands. "
