"""Sampling and augmentation, a batch at a time, from pictures held in memory.

Every random number comes from (seed, epoch, step) of the whole batch, whichever process draws it:
a run resumed at a step, or spread over processes, sees exactly what an uninterrupted single
process would have seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch

from gnet.data.augmentation import (
    SHARP_ABOVE,
    Augmentation,
    FixedCrops,
    augmented,
    choose_views,
    empty,
)
from gnet.data.datasets import Dataset
from gnet.data.pictures import as_seen
from gnet.errors import GnetError
from gnet.network.info import Preprocessing


class Batch(NamedTuple):
    """One training batch."""

    pixels: torch.Tensor
    """uint8 (n, 3, size, size), channels-last."""
    labels: torch.Tensor
    """int64 (n,)."""
    sharp: torch.Tensor
    """bool (n,): the view shows detail that a thumbnail has not."""
    crops: torch.Tensor
    """int64 (n,): number of the fixed crop that each view is; -1: a random one."""


_PLAIN = Augmentation()
_ORDER, _STEP = 0, 1  # keep the two streams of random numbers apart


def steps_per_epoch(count: int, batch: int, world: int = 1) -> int:
    """Steps of an epoch over `count` pictures.

    A last batch with less than two pictures for each process is dropped: batch norm has nothing to
    measure where a map of one cell comes from one picture.
    """
    whole, rest = divmod(count, batch)
    return whole + (rest >= 2 * world)


def batches(
    dataset: Dataset,
    *,
    size: int,
    batch: int,
    seed: int,
    epoch: int,
    balance: float = 0.0,
    sharp_weight: float = 1.0,
    augmentation: Augmentation | None = _PLAIN,
    crops: FixedCrops | None = None,
    first_step: int = 0,
    rank: int = 0,
    world: int = 1,
) -> Iterator[Batch]:
    """The batches of one epoch.

    `balance` 0 takes every picture once. Above 0 a class is drawn with weight count^-balance per
    picture (1: all classes alike), in an epoch of the same length.
    `sharp_weight`: how many times as often a sharp picture is drawn as a small one of its class.
    `augmentation` None takes each picture's centre square; otherwise its crops and flips are
    random and it is varied further as the record says. `crops` replace the random ones.
    `batch` is the size over all processes; process `rank` of `world` gets its every world-th.
    """
    if not 0 <= rank < world or batch < 2 * world:
        raise GnetError(
            f"A batch of {batch} for process {rank} of {world} was asked for; allowed are batches "
            "of at least two pictures per process."
        )
    indices = epoch_order(
        dataset.labels,
        seed=seed,
        epoch=epoch,
        balance=balance,
        sharp=None if sharp_weight == 1 else sharp_pictures(dataset, np.arange(len(dataset))),
        sharp_weight=sharp_weight,
    )
    for step in range(first_step, steps_per_epoch(len(indices), batch, world)):
        whole = indices[step * batch : (step + 1) * batch]
        mine = whole[rank::world]
        if augmentation is not None:
            random = np.random.default_rng([abs(seed), epoch, _STEP, step])
            views = choose_views(random, dataset, whole, augmentation, crops)[rank::world]
            pixels = augmented(dataset, mine, views, size)
            shown = torch.tensor([view.fixed for view in views], dtype=torch.int64)
            sharp = torch.tensor([v.quality == 0 for v in views]) & sharp_pictures(dataset, mine)
        else:
            pixels = _centred(dataset, mine, Preprocessing(size=size))
            sharp = sharp_pictures(dataset, mine)
            shown = torch.full((len(mine),), -1)
        yield Batch(pixels, dataset.labels[torch.from_numpy(mine)], sharp, shown)


def sharp_pictures(dataset: Dataset, indices: np.ndarray) -> torch.Tensor:
    """Which pictures are larger than thumbnails: bool (n,)."""
    return torch.tensor([min(dataset.pictures[i].shape[1:]) > SHARP_ABOVE for i in indices])


def classes_with_sharp(dataset: Dataset) -> torch.Tensor:
    """Which classes have pictures that are larger than thumbnails: bool (classes,)."""
    sharp = sharp_pictures(dataset, np.arange(len(dataset)))
    counts = torch.bincount(dataset.labels[sharp], minlength=len(dataset.classes))
    return counts > 0


def in_order(
    dataset: Dataset, preprocessing: Preprocessing, *, batch: int
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """All pictures once, in the data set's order, as the network sees them: for validation.

    Each batch is pixels, (n, 3, S, S) uint8, and labels, (n,) int64.
    """
    for start in range(0, len(dataset), batch):
        indices = np.arange(start, min(start + batch, len(dataset)))
        pixels = _centred(dataset, indices, preprocessing)
        yield pixels, dataset.labels[start : start + batch]


def sampling_weights(
    labels: np.ndarray, balance: float, sharp: np.ndarray | None = None, sharp_weight: float = 1.0
) -> np.ndarray:
    """How often each picture is drawn in an epoch, float64 (n,), on average once.

    A class is drawn count^(1 - balance) times as often as a class of one picture; within it a
    `sharp` picture is drawn `sharp_weight` times as often as a small one.
    """
    counts = np.bincount(labels)
    weights = counts.astype(np.float64)[labels] ** -balance
    if sharp is not None:
        own = np.where(sharp, sharp_weight, 1.0)
        weights *= own * (counts / np.bincount(labels, own).clip(1e-12))[labels]
    return weights * (len(labels) / weights.sum())


def class_shares(
    dataset: Dataset, *, balance: float, sharp_weight: float, thumbnails: float
) -> torch.Tensor:
    """How small and sharp views are spread over the classes: (2, classes), small ones first.

    A network could guess a class by this much from how its pictures were made.
    """
    sharp = sharp_pictures(dataset, np.arange(len(dataset))).numpy()
    labels, classes = dataset.labels.numpy(), len(dataset.classes)
    weights = sampling_weights(labels, balance, sharp, sharp_weight)
    shown = weights * sharp * (1 - thumbnails)
    rows = [np.bincount(labels, each, minlength=classes) for each in (weights - shown, shown)]
    return torch.tensor(np.stack([row / max(row.sum(), 1e-12) for row in rows])).float()


def epoch_order(
    labels: torch.Tensor,
    *,
    seed: int,
    epoch: int,
    balance: float = 0.0,
    sharp: torch.Tensor | None = None,
    sharp_weight: float = 1.0,
) -> np.ndarray:
    """The pictures of an epoch, int64 (n,), drawn from (seed, epoch) alone.

    With weights other than 1 (see `sampling_weights`) each picture comes as often as its weight
    says, rounded up or down at random (systematic sampling), so that no class is over- or
    undersampled by chance.
    """
    if not 0 <= balance <= 1:
        raise GnetError(f"balance is {balance}; allowed are 0 to 1.")
    random = np.random.default_rng([abs(seed), epoch, _ORDER])
    order = random.permutation(len(labels))
    if (balance == 0 and sharp is None) or len(labels) == 0:
        return order
    order = order[np.argsort(labels.numpy()[order], kind="stable")]  # class by class
    kinds = None if sharp is None else sharp.numpy()[order]
    ends = np.cumsum(sampling_weights(labels.numpy()[order], balance, kinds, sharp_weight))
    ends[-1] = len(order)
    places = np.searchsorted(ends, np.arange(len(order)) + random.random(), side="right")
    return random.permutation(order[np.minimum(places, len(order) - 1)])


def _centred(dataset: Dataset, indices: np.ndarray, preprocessing: Preprocessing) -> torch.Tensor:
    pixels = empty(len(indices), preprocessing.size)
    for row, index in enumerate(indices.tolist()):
        pixels[row] = as_seen(dataset.pictures[index], preprocessing)
    return pixels
