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
from torch.nn import functional as F

from gnet.data.datasets import Dataset
from gnet.data.pictures import as_seen, compressed, resize
from gnet.errors import GnetError
from gnet.network.config import Preprocessing

Batch = tuple[torch.Tensor, torch.Tensor]
Item = TypeVar("Item")


class Drawn(NamedTuple):
    """One training batch."""

    pixels: torch.Tensor
    """uint8 (n, 3, size, size), channels-last."""
    labels: torch.Tensor
    """int64 (n,)."""
    sharp: torch.Tensor
    """bool (n,): the view shows detail that a thumbnail has not."""


SCALE, RATIO = (0.35, 1.0), (3 / 4, 4 / 3)
"""Of a random crop: share of the picture's area, and width / height."""
SHARP_ABOVE, THUMBNAIL = 96, 64
"""Pictures with a longer short side (px) are sharp; thumbnails of them have this short side."""
QUALITY = (50, 95)
"""JPEG quality of thumbnails."""
SOFTEST, SHARPEST = 0.45, 2.5
"""Varied detail: a crop is shrunk to at least this share and back, or its edges are added again
up to this many times."""
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
    thumbnails: float = 0.0,
    aliased: float = 0.0,
    vary_detail: float = 0.0,
    first_step: int = 0,
    rank: int = 0,
    world: int = 1,
) -> Iterator[Drawn]:
    """An epoch of batches.

    `balance` 0 takes every picture once; above, a class is drawn with weight count^-balance per
    picture (1: all classes alike), in an epoch of the same length. `augment`: random resized crop
    and flip; without it the centre square.
    `thumbnails`: probability that a sharp picture is first made a thumbnail, small and compressed
    as JPEG; `aliased`: probability that a sharp picture is shrunk without smoothing, which leaves
    false detail, as in Tiny-ImageNet; `vary_detail`: probability that a crop is made softer or
    crisper (augment only). Where some classes have only small pictures, all three keep a network
    from telling classes by how pictures were made.
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
            views = _draw(random, dataset, whole, thumbnails, aliased, vary_detail)[rank::world]
            pixels = _augmented(dataset, mine, views, size)
            sharp = torch.tensor([v.quality == 0 for v in views]) & sharp_pictures(dataset, mine)
        else:
            pixels = _centred(dataset, mine, Preprocessing(size=size))
            sharp = sharp_pictures(dataset, mine)
        yield Drawn(pixels, dataset.labels[torch.from_numpy(mine)], sharp)


def sharp_pictures(dataset: Dataset, indices: np.ndarray) -> torch.Tensor:
    """Which pictures are larger than thumbnails: bool (n,)."""
    return torch.tensor([min(dataset.pictures[i].shape[1:]) > SHARP_ABOVE for i in indices])


def classes_with_sharp(dataset: Dataset) -> torch.Tensor:
    """Which classes have pictures that are larger than thumbnails: bool (classes,)."""
    sharp = sharp_pictures(dataset, np.arange(len(dataset)))
    counts = torch.bincount(dataset.labels[sharp], minlength=len(dataset.classes))
    return counts > 0


def in_order(dataset: Dataset, preprocessing: Preprocessing, *, batch: int) -> Iterator[Batch]:
    """All pictures once, in the data set's order, as the network sees them: for judging."""
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


class _View(NamedTuple):
    """How one picture is looked at in one step; sizes and places in px."""

    height: int
    width: int
    """Of the picture, shrunk if it is to be a thumbnail."""
    quality: int
    """JPEG quality of a thumbnail; 0: not compressed."""
    y: int
    x: int
    down: int
    across: int
    """The crop."""
    flip: bool
    detail: float
    """Below 0: softer, shrunk to this share and back; above: crisper; 0: as it is."""
    antialias: bool
    """Whether the picture is smoothed where it is shrunk."""


def _draw(
    random: np.random.Generator,
    dataset: Dataset,
    indices: np.ndarray,
    thumbnails: float,
    aliased: float,
    vary_detail: float,
) -> list[_View]:
    n, tries = len(indices), 10
    sizes = np.array([dataset.pictures[i].shape[1:] for i in indices], dtype=np.int64)
    short = sizes.min(axis=1)
    reduced = (random.random(n) < thumbnails) & (short > SHARP_ABOVE)
    factor = np.where(reduced, THUMBNAIL / short, 1.0)
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
    quality = np.where(reduced, random.integers(QUALITY[0], QUALITY[1] + 1, n), 0)
    softer = random.random(n) < 0.5
    detail = np.where(softer, -random.uniform(SOFTEST, 1, n), random.uniform(0, SHARPEST, n))
    detail = np.where(random.random(n) < vary_detail, detail, 0.0)
    smooth = (random.random(n) >= aliased) | (short <= SHARP_ABOVE)
    columns = (height, width, quality, y, x, down, across, flip, detail, smooth)
    return [_View(*row) for row in zip(*(c.tolist() for c in columns), strict=True)]


def _augmented(
    dataset: Dataset, indices: np.ndarray, views: list[_View], size: int
) -> torch.Tensor:
    pixels = _empty(len(indices), size)
    for row, (index, view) in enumerate(zip(indices.tolist(), views, strict=True)):
        picture = dataset.pictures[index]
        if view.quality:
            small = resize(picture, (view.height, view.width), antialias=view.antialias)
            picture = compressed(small, view.quality)
        y, x = view.y, view.x
        part = picture[:, y : y + view.down, x : x + view.across]
        part = resize(part, size, antialias=view.antialias)
        part = _with_detail(part, view.detail)
        pixels[row] = part.flip(2) if view.flip else part
    return pixels


def _with_detail(part: torch.Tensor, detail: float) -> torch.Tensor:
    if detail == 0:
        return part
    if detail < 0:
        size = part.shape[-1]
        return resize(resize(part, max(1, round(-detail * size))), size)
    values = part[None].float()
    smooth = F.avg_pool2d(values, 3, 1, 1, count_include_pad=False)
    return (values + detail * (values - smooth)).round_().clamp_(0, 255).byte()[0]


def _centred(dataset: Dataset, indices: np.ndarray, preprocessing: Preprocessing) -> torch.Tensor:
    pixels = _empty(len(indices), preprocessing.size)
    for row, index in enumerate(indices.tolist()):
        pixels[row] = as_seen(dataset.pictures[index], preprocessing)
    return pixels


def _empty(n: int, size: int) -> torch.Tensor:
    return torch.empty((n, 3, size, size), dtype=torch.uint8, memory_format=torch.channels_last)
