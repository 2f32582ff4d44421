"""How a run came out, in a few numbers and in words; made from its events.

Knows nothing of what the run was for.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from gnet.evaluation.review import Review
from gnet.network.config import HEADS
from gnet.runs.events import EpochDone, Event, RunEnded, RunStarted, StepDone, seconds_spent
from gnet.runs.folder import RunFolder
from gnet.system.stamps import Stamp, stamp_of
from gnet.words import listed, rounded_percent


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


def outcome_of(path: Path) -> Outcome | None:
    """The same of a file of events, which is read again only when it was written since."""
    stamp = stamp_of(path)
    return _read_outcome(path, stamp) if stamp else None  # it waits, or was deleted just now


@lru_cache(maxsize=256)
def _read_outcome(path: Path, _: Stamp) -> Outcome | None:
    return outcome(RunFolder(path.parent).events())


def sampling_error(first: Outcome, second: Outcome) -> float:
    """The standard error of the difference of two main heads' accuracies.

    Of the drawing of the validation pictures alone; another seed moves the figures, too. Counted
    with two more pictures right and two wrong (Agresti and Coull 1998): else eight right of eight
    would be certain.
    """
    counts = [run.pictures + 4 for run in (first, second)]
    shares = [(run.main * run.pictures + 2) / (run.pictures + 4) for run in (first, second)]
    return math.sqrt(sum(p * (1 - p) / n for p, n in zip(shares, counts, strict=True)))


NEAR_CHANCE = 0.05
"""A main head that is no more than this above chance has learned nothing."""
_MOSTLY = 0.5
"""An answer given to more than this share of the pictures is the only one to speak of."""
_OFTEN = 0.05
"""Mistakes in fewer than this share of the pictures are rare."""


def has_learned(run: Outcome) -> bool:
    """Whether the main head is above chance by more than its pictures do by chance."""
    error = math.sqrt(run.chance * (1 - run.chance) / max(1, run.pictures))
    return run.main - run.chance > max(NEAR_CHANCE, 2 * error)


def learned(run: Outcome, review: Review | None = None) -> str:
    """What happened in a run, in one sentence; with the `review` of its weights, its mistakes too.

    As "It learned: from 10 % to 34 %; it confuses grid with small dots."
    """
    if has_learned(run):
        what = f"from {rounded_percent(run.chance)} by guessing to {rounded_percent(run.main)}"
        return f"It learned: {what}{_confusion(review)}."
    rate = rounded_percent(run.main)
    guessed = f"It has not learned: {rate} right, and guessing gives {rounded_percent(run.chance)}"
    return f"{guessed}{_one_answer(review)}."


def _confusion(review: Review | None) -> str:
    if review is None or "main" not in review.heads:
        return ""
    truth, answer, share = review.most_frequent_mistake("main")
    if share >= _OFTEN:
        return f"; it confuses {review.classes[truth]} with {review.classes[answer]}"
    return "; it rarely makes a mistake" if review.accuracy("main") > 1 - _OFTEN else ""


def _one_answer(review: Review | None) -> str:
    if review is None or "main" not in review.heads:
        return ""
    shares = review.confusion("main").sum(0) / max(1, len(review))
    answer = int(shares.argmax())
    if shares[answer] <= _MOSTLY:
        return ""
    share = rounded_percent(float(shares[answer]))
    return f"; it answers {review.classes[answer]} for {share} of the pictures"


def standing(outcomes: Mapping[str, Outcome]) -> str:
    """A sentence to begin with where some runs are not finished, else nothing."""
    under_way = [
        f"{name} (epoch {run.epochs})" for name, run in outcomes.items() if not run.finished
    ]
    if not under_way:
        return ""
    return f"Not finished: {listed(under_way)}; so this is how it stands. "
