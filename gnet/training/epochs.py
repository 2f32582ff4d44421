"""The end of an epoch: validation, the test for the best epoch, the pinned picture."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from gnet.data.batches import in_order
from gnet.data.datasets import Dataset, chosen
from gnet.evaluation.accuracy import evaluate
from gnet.explain.belief import belief
from gnet.explain.branches import mean_map, statistics
from gnet.explain.recording import record
from gnet.network.info import Preprocessing
from gnet.network.model import GoogLeNet
from gnet.runs.events import BranchesSeen, EpochDone, StepDone
from gnet.training.learner import Learner


def validate(
    learner: Learner,
    data: Dataset,
    size: int,
    steps: Sequence[StepDone],
    *,
    seconds: Callable[[], float],
    stop: Callable[[], bool],
) -> EpochDone:
    """The figures of the epoch of `steps`; the EMA, or else the network, on `data` at `size` px.

    Raises `accuracy.Stopped` once `stop` returns True.
    """
    model = learner.eval_model
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
        val_loss=learner.of_trained_heads(result.losses()),
        val_accuracy=learner.of_trained_heads(result.accuracy()),
        seconds=seconds(),
    )


def is_best(scores: Sequence[float], sizes: Sequence[int]) -> bool:
    """Whether the last of `scores` is higher than all earlier ones of the same input size.

    `sizes`: the input side (px) of each epoch.
    """
    size = sizes[len(scores) - 1]
    rivals = [score for score, other in zip(scores[:-1], sizes, strict=False) if other == size]
    return scores[-1] > max(rivals, default=-1.0)


def _means(rows: list[dict[str, float]]) -> dict[str, float]:
    # A head whose loss got a weight during the epoch has figures only from then on.
    each = {head: [row[head] for row in rows if head in row] for head in rows[-1]}
    return {head: sum(values) / len(values) for head, values in each.items()}


TOP = 3
"""Likeliest classes recorded for each head."""
LOOKS = 5
"""Recordings of the pinned picture in an epoch, the one at its end included."""


def steps_to_look_at(per_epoch: int) -> frozenset[int]:
    """The steps within an epoch after which the pinned picture is recorded; its end is not one.

    None in an epoch of few steps: there one recording would cost as much as the steps between.
    """
    if per_epoch < 2 * LOOKS:
        return frozenset()
    return frozenset(round(per_epoch * part / LOOKS) for part in range(1, LOOKS))


def pinned_picture(data: Dataset, index: int, preprocessing: Preprocessing) -> Tensor:
    """Picture `index` of `data` as the network sees it, (3, S, S) uint8."""
    pixels, _ = next(in_order(chosen(data, [index]), preprocessing, batch=1))
    return pixels[0]


def look(model: GoogLeNet, picture: Tensor, *, step: int, epoch: int) -> BranchesSeen:
    """The branches' maps and the heads' beliefs for `picture`, (3, S, S) uint8.

    An untrained head has no belief.
    """
    device = next(model.parameters()).device
    recording = record(model, picture[None].to(device, torch.float32) / 255)
    return BranchesSeen(
        step=step,
        epoch=epoch,
        shares={
            stage: {branch: n.share for branch, n in statistics(recording, stage).items()}
            for stage in recording.branches
        },
        maps={
            stage: {branch: _bytes(mean_map(recording, stage, branch)) for branch in branches}
            for stage, branches in recording.branches.items()
        },
        belief={
            head: [[label, believed.probabilities[label]] for label in believed.top]
            for head, believed in belief(recording, top=TOP).heads.items()
        },
    )


def _bytes(values: Tensor) -> dict[str, object]:
    """A map (h, w) as bytes: 0 is its least value or 0, whichever is lower; 255 its greatest."""
    low, high = min(0.0, float(values.min())), float(values.max())
    span = (high - low) or 1.0
    whole = ((values - low) * (255 / span)).round().to(torch.uint8)
    return {
        "size": list(values.shape),
        "low": low,
        "high": high,
        "data": base64.b64encode(whole.contiguous().numpy().tobytes()).decode(),
    }
