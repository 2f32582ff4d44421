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

from gnet.data.augmentation import SHARP_ABOVE, Augmentation, augmented, choose_views, empty
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
    augmentation: Augmentation | None = _PLAIN,
    first_step: int = 0,
    rank: int = 0,
    world: int = 1,
) -> Iterator[Batch]:
    """The batches of one epoch.

    `balance` 0 takes every picture once. Above 0 a class is drawn with weight count^-balance per
    picture (1: all classes alike), in an epoch of the same length.
    `augmentation` None takes each picture's centre square; otherwise its crops and flips are
    random and it is varied further as the record says.
    `batch` is the size over all processes; process `rank` of `world` gets its every world-th.
    """
    if not 0 <= rank < world or batch < 2 * world:
        raise GnetError(
            f"A batch of {batch} for process {rank} of {world} was asked for; allowed are batches "
            "of at least two pictures per process."
        )
    indices = epoch_order(dataset.labels, seed=seed, epoch=epoch, balance=balance)
    for step in range(first_step, steps_per_epoch(len(indices), batch, world)):
        whole = indices[step * batch : (step + 1) * batch]
        mine = whole[rank::world]
        if augmentation is not None:
            random = np.random.default_rng([abs(seed), epoch, _STEP, step])
            views = choose_views(random, dataset, whole, augmentation)[rank::world]
            pixels = augmented(dataset, mine, views, size)
            sharp = torch.tensor([v.quality == 0 for v in views]) & sharp_pictures(dataset, mine)
        else:
            pixels = _centred(dataset, mine, Preprocessing(size=size))
            sharp = sharp_pictures(dataset, mine)
        yield Batch(pixels, dataset.labels[torch.from_numpy(mine)], sharp)


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


def epoch_order(labels: torch.Tensor, *, seed: int, epoch: int, balance: float = 0.0) -> np.ndarray:
    """The pictures of an epoch, int64 (n,), drawn from (seed, epoch) alone.

    With balance, each picture comes as often as its weight says, rounded up or down at random
    (systematic sampling), so that no class is over- or under-drawn by chance.
    """
    if not 0 <= balance <= 1:
        raise GnetError(f"balance is {balance}; allowed are 0 to 1.")
    random = np.random.default_rng([abs(seed), epoch, _ORDER])
    order = random.permutation(len(labels))
    if balance == 0 or len(labels) == 0:
        return order
    order = order[np.argsort(labels.numpy()[order], kind="stable")]  # class by class
    classes = labels.numpy()[order]
    weights = np.bincount(classes).astype(np.float64)[classes] ** -balance
    ends = np.cumsum(weights) * (len(order) / weights.sum())
    ends[-1] = len(order)
    drawn = np.searchsorted(ends, np.arange(len(order)) + random.random(), side="right")
    return random.permutation(order[np.minimum(drawn, len(order) - 1)])


def _centred(dataset: Dataset, indices: np.ndarray, preprocessing: Preprocessing) -> torch.Tensor:
    pixels = empty(len(indices), preprocessing.size)
    for row, index in enumerate(indices.tolist()):
        pixels[row] = as_seen(dataset.pictures[index], preprocessing)
    return pixels
