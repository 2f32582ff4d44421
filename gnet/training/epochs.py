"""How good a network is after an epoch, and whether it is the best so far."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from gnet.data.datasets import Dataset
from gnet.evaluation.accuracy import evaluate
from gnet.runs.events import EpochDone, StepDone
from gnet.training.learner import Learner


def judge(
    learner: Learner,
    data: Dataset,
    size: int,
    steps: Sequence[StepDone],
    *,
    seconds: Callable[[], float],
    stop: Callable[[], bool],
) -> EpochDone:
    """What the epoch of `steps` led to: the network to be kept, on `data` at `size` px.

    Raises `evaluation.Stopped` once `stop` says True.
    """
    model = learner.shown
    result = evaluate(
        model,
        data,
        replace(model.info.preprocessing, size=size),
        bf16=learner.precision == "bf16",
        stop=stop,
    )
    return EpochDone(
        step=learner.step,
        epoch=steps[-1].epoch,
        train_loss=_means([s.losses for s in steps]),
        train_accuracy=_means([s.accuracy for s in steps]),
        val_loss=learner.told(result.losses()),
        val_accuracy=learner.told(result.accuracy()),
        seconds=seconds(),
    )


def is_best(scores: Sequence[float], sizes: Sequence[int]) -> bool:
    """Whether no epoch before the last of `scores` was as good.

    `sizes`: the input side (px) of each epoch; a larger input is a new contest, begun anew.
    """
    size = sizes[len(scores) - 1]
    rivals = [score for score, other in zip(scores[:-1], sizes, strict=False) if other == size]
    return scores[-1] > max(rivals, default=-1.0)


def _means(rows: list[dict[str, float]]) -> dict[str, float]:
    # A head whose loss was given a weight in the middle of the epoch has figures from then on.
    each = {head: [row[head] for row in rows if head in row] for head in rows[-1]}
    return {head: sum(values) / len(values) for head, values in each.items()}
