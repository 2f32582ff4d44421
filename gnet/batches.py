"""Sampling and augmentation, a batch at a time, from pictures held in memory.

Every random number comes from (seed, epoch, step) of the whole batch, whichever process draws it:
a run resumed at a step, or spread over processes, sees exactly what an uninterrupted single
process would have seen.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterator
from typing import Any, NamedTuple, TypeVar

import numpy as np
import torch

from gnet.data import Dataset
from gnet.errors import GnetError
from gnet.pictures import resize, square

Batch = tuple[torch.Tensor, torch.Tensor]
Item = TypeVar("Item")

SCALE, RATIO = (0.35, 1.0), (3 / 4, 4 / 3)
"""Of a random crop: share of the picture's area, and width / height."""
SHARP_ABOVE, BLUR_TO = 96, 64
"""Pictures with a longer short side (px) are sharp; blurred ones are first reduced to this."""
_ORDER, _STEP = 0, 1  # keep the two streams of random numbers apart
_END = object()


class _Failure(NamedTuple):
    error: BaseException


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
    augment: bool = True,
    blur: float = 0.0,
    crop: float = 1.0,
    first_step: int = 0,
    rank: int = 0,
    world: int = 1,
) -> Iterator[Batch]:
    """An epoch of (pixels, labels): uint8 (n, 3, size, size) channels-last, and int64 (n,).

    `balance` 0 takes every picture once; above, a class is drawn with weight count^-balance per
    picture (1: all classes alike), in an epoch of the same length. `augment`: random resized crop
    and flip; without it the centre square, of which `crop` is the share of the short side.
    `blur`: probability that a sharp picture is first reduced to thumbnail size (augment only).
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
        if augment:
            random = np.random.default_rng([abs(seed), epoch, _STEP, step])
            crops = _draw(random, dataset, whole, blur)[rank::world]
            pixels = _augmented(dataset, mine, crops, size)
        else:
            pixels = _centred(dataset, mine, size, crop)
        yield pixels, dataset.labels[torch.from_numpy(mine)]


def in_order(dataset: Dataset, *, size: int, batch: int, crop: float = 1.0) -> Iterator[Batch]:
    """All pictures once, in the data set's order, centre squares, none dropped: for judging."""
    for start in range(0, len(dataset), batch):
        indices = np.arange(start, min(start + batch, len(dataset)))
        pixels = _centred(dataset, indices, size, crop)
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


def prefetch(iterator: Iterator[Item], depth: int = 2) -> Generator[Item, None, None]:
    """The same items, made up to `depth` ahead by one background thread.

    An exception of the iterator is raised here. Closing the generator (or leaving it to the
    garbage collector) ends the thread after the item it is making.
    """
    ready: queue.Queue[Any] = queue.Queue(depth)
    stop = threading.Event()

    def put(item: Any) -> None:
        while not stop.is_set():
            try:
                return ready.put(item, timeout=0.1)
            except queue.Full:
                continue

    def work() -> None:
        try:
            for item in iterator:
                put(item)
                if stop.is_set():
                    break
            put(_END)
        except BaseException as error:  # whatever it is, it belongs to the consumer
            put(_Failure(error))
        finally:
            if isinstance(iterator, Generator):
                iterator.close()

    thread = threading.Thread(target=work, name="prefetch", daemon=True)
    thread.start()
    try:
        while True:
            item = ready.get()
            if item is _END:
                return
            if isinstance(item, _Failure):
                raise item.error
            yield item
    finally:
        stop.set()
        thread.join()


def _draw(
    random: np.random.Generator, dataset: Dataset, indices: np.ndarray, blur: float
) -> np.ndarray:
    """(n, 6) int: reduced height and width, then y, x, height and width of the crop.

    A negative width stands for a flipped crop.
    """
    n, tries = len(indices), 10
    sizes = np.array([dataset.pictures[i].shape[1:] for i in indices], dtype=np.int64)
    short = sizes.min(axis=1)
    blurred = (random.random(n) < blur) & (short > SHARP_ABOVE)
    factor = np.where(blurred, BLUR_TO / short, 1.0)
    sizes = np.maximum(np.round(sizes * factor[:, None]).astype(np.int64), 1)
    height, width = sizes[:, 0], sizes[:, 1]

    share = random.uniform(*SCALE, (n, tries)) * (height * width)[:, None]
    ratio = np.exp(random.uniform(np.log(RATIO[0]), np.log(RATIO[1]), (n, tries)))
    across = np.round(np.sqrt(share * ratio)).astype(np.int64)
    down = np.round(np.sqrt(share / ratio)).astype(np.int64)
    fits = (across >= 1) & (across <= width[:, None]) & (down >= 1) & (down <= height[:, None])
    first, rows = fits.argmax(axis=1), np.arange(n)
    side = np.minimum(height, width)  # where none fits (very long pictures): a square
    across = np.where(fits.any(axis=1), across[rows, first], side)
    down = np.where(fits.any(axis=1), down[rows, first], side)
    x = (random.random(n) * (width - across + 1)).astype(np.int64)
    y = (random.random(n) * (height - down + 1)).astype(np.int64)
    flip = random.random(n) < 0.5
    return np.stack([height, width, y, x, down, np.where(flip, -across, across)], axis=1)


def _augmented(dataset: Dataset, indices: np.ndarray, crops: np.ndarray, size: int) -> torch.Tensor:
    pixels = _empty(len(indices), size)
    for row, (index, crop) in enumerate(zip(indices.tolist(), crops.tolist(), strict=True)):
        height, width, y, x, down, across = crop
        picture = dataset.pictures[index]
        if height != picture.shape[1]:
            picture = resize(picture, (height, width))
        part = resize(picture[:, y : y + down, x : x + abs(across)], size)
        pixels[row] = part.flip(2) if across < 0 else part
    return pixels


def _centred(dataset: Dataset, indices: np.ndarray, size: int, crop: float) -> torch.Tensor:
    pixels = _empty(len(indices), size)
    for row, index in enumerate(indices.tolist()):
        picture = dataset.pictures[index]
        x, y, side = square((picture.shape[2], picture.shape[1]), crop)
        pixels[row] = resize(picture[:, y : y + side, x : x + side], size)
    return pixels


def _empty(n: int, size: int) -> torch.Tensor:
    return torch.empty((n, 3, size, size), dtype=torch.uint8, memory_format=torch.channels_last)
