"""Data sets held in memory: the built-in one, torchvision's by name, a folder, a zip.

Knows how pictures are laid out and labelled; `batches` samples them for training.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gnet.data import patterns
from gnet.data.catalogue import fetch
from gnet.data.decoding import decode_all, too_much, usable
from gnet.data.files.archives import LIMITS, Files, Limits, Unreadable
from gnet.data.files.layout import empty_class, families, has_split, layout, limited, share, titles
from gnet.data.files.names import Parts
from gnet.data.pictures import PictureError, open_picture
from gnet.data.source import BuiltIn, Known, Source, Stored, parse
from gnet.errors import GnetError
from gnet.system.progress import Progress

BUILT_IN = {"train": 400, "val": 50, "test": 50}
"""Splits of the built-in data set, and the pictures of each class unless `per_class` is smaller."""


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """Labelled pictures in memory."""

    classes: tuple[str, ...]
    """Names to show, one per label."""
    names: tuple[str, ...]
    """Folder names (or the source's own names), one per label."""
    pictures: list[torch.Tensor] = field(repr=False)
    """uint8 (3, h, w) each, channels-last in memory, of any size."""
    labels: torch.Tensor = field(repr=False)
    """(n,) int64."""
    sources: tuple[str, ...] = field(repr=False)
    """First three letters of each picture's file name: the group it is counted in."""
    families: tuple[str, ...] = ()
    """The family of each class; empty where they have none."""
    skipped: dict[str, int] = field(default_factory=dict)
    """Why pictures were left out, and how many."""

    def __len__(self) -> int:
        return len(self.pictures)

    @property
    def counts(self) -> tuple[int, ...]:
        """Pictures per label."""
        return tuple(torch.bincount(self.labels, minlength=len(self.classes)).tolist())


TUNE = "tune"
"""Name of the split on which things are chosen: a folder, or what `held_out` sets aside."""
TUNE_SHARE = 0.05


def held_out(dataset: Dataset) -> tuple[Dataset, Dataset]:
    """A training set without its `tune` part, and that part: 5 % of each class, always the same.

    Checkpoints, sizes, temperatures and thresholds are chosen on it, so that the validation set
    serves only for the figures that are reported. Classes of one picture keep it for training.
    """
    rest: list[int] = []
    tune: list[int] = []
    labels = dataset.labels.numpy()
    for label, name in enumerate(dataset.names):
        indices = np.flatnonzero(labels == label)
        order = np.random.default_rng([zlib.crc32(f"{TUNE}/{name}".encode())]).permutation(indices)
        count = min(max(1, round(TUNE_SHARE * len(order))), len(order) - 1)
        tune += sorted(order[:count].tolist())
        rest += sorted(order[count:].tolist())
    return chosen(dataset, rest), chosen(dataset, tune)


def train_and_tune(spec: str | Path | Source, **options: Any) -> tuple[Dataset, Dataset]:
    """The part of `train` to learn from, and `tune`; `options` as in `open_dataset`."""
    source = parse(spec)
    train = open_dataset(source, "train", **options)
    if not _has_tune(source, options.get("limits", LIMITS)):
        return held_out(train)
    return train, open_dataset(source, TUNE, **options)


def _has_tune(source: Source, limits: Limits) -> bool:
    """Whether the data set comes with a `tune` folder of its own."""
    if not isinstance(source, Stored) or not source.path.exists():
        return False
    files = source.open(limits)
    try:
        return has_split(files, TUNE)
    finally:
        files.close()


def chosen(dataset: Dataset, indices: list[int]) -> Dataset:
    """Only these pictures, in this order; the classes stay."""
    return replace(
        dataset,
        pictures=[dataset.pictures[at] for at in indices],
        labels=dataset.labels[torch.tensor(indices, dtype=torch.int64)],
        sources=tuple(dataset.sources[at] for at in indices),
    )


def open_dataset(
    spec: str | Path | Source,
    split: str,
    *,
    classes: tuple[str, ...] = (),
    per_class: int | None = None,
    size: int = 32,
    seed: int = 0,
    max_side: int | None = None,
    progress: Progress | None = None,
    limits: Limits = LIMITS,
) -> Dataset:
    """Read one split of a data set into memory.

    `spec`: "built-in", a name in TORCHVISION, a folder or a .zip, or such a source parsed.
    `split`: any top-level folder of the source, or `tune`, the folder of that name or else the part
    of `train` that `held_out` sets aside; a source of <class>/* alone is split 85 / 15 into train
    and val by `seed`.
    `classes` names the class folders to take, by default all (folders and zips only).
    `per_class` limits the pictures of each class (chosen by `seed`); `size` is the side (px) that
    training will use: the built-in pictures are made at it, others are shrunk to a short side of
    `max_side` px, by default 1.25 times `size` and at least 144. `progress(done, total)` counts
    pictures. Order is by class, then by name. Raises GnetError.
    """
    source = parse(spec)
    if split == TUNE and not _has_tune(source, limits):
        whole = open_dataset(
            source,
            "train",
            classes=classes,
            per_class=per_class,
            size=size,
            seed=seed,
            max_side=max_side,
            progress=progress,
            limits=limits,
        )
        return held_out(whole)[1]
    if per_class is not None and per_class < 1:
        raise GnetError(f"per_class is {per_class}; allowed are 1 and more.")
    short = max_side if max_side is not None else max(144, round(1.25 * size))
    if classes and not isinstance(source, Stored):
        raise GnetError(
            f"Classes cannot be chosen from {source.name}; they can from a folder or a zip."
        )
    match source:
        case BuiltIn():
            return _built_in(split, per_class, size, seed, progress, limits)
        case Known(name):
            return _torchvision(name, split, per_class, seed, short, progress, limits)
        case Stored():
            return _stored(source, split, classes, per_class, seed, short, progress, limits)


def _stored(
    source: Stored,
    split: str,
    classes: tuple[str, ...],
    per_class: int | None,
    seed: int,
    short: int,
    progress: Progress | None,
    limits: Limits,
) -> Dataset:
    files = source.open(limits)
    try:
        folders = layout(files, split, seed, classes)
        names = tuple(folders)
        kept = [limited(paths, per_class, seed, name) for name, paths in folders.items()]
        items = [(label, path) for label, paths in enumerate(kept) for path in paths]

        def decode(item: tuple[int, Parts]) -> torch.Tensor | str:
            return _decoded(files, item[1], short)

        found = _gathered(
            files.name,
            names,
            titles(files, source.path, names),
            [(label, parts[-1][:3]) for label, parts in items],
            decode_all(decode, items, progress, limits),
            required=split == "train",
        )
        return replace(found, families=families(files, source.path, names))
    finally:
        files.close()


def _decoded(files: Files, parts: Parts, short: int) -> torch.Tensor | str:
    """One picture, or the reason why it is skipped."""
    try:
        return usable(open_picture(files.read(parts), max_side=short))
    except (PictureError, Unreadable) as error:
        return error.reason


def _gathered(
    source: str,
    names: tuple[str, ...],
    shown: tuple[str, ...],
    items: Iterable[tuple[int, str]],
    decoded: Iterable[torch.Tensor | str],
    *,
    required: bool,
) -> Dataset:
    """A Dataset of what could be decoded; `items`: (label, group); `required`: in every class."""
    pictures, labels, groups = [], [], []
    skipped: Counter[str] = Counter()
    reasons: dict[int, str] = {}
    for (label, group), result in zip(items, decoded, strict=True):
        if isinstance(result, str):
            skipped[result] += 1
            reasons[label] = result
            continue
        pictures.append(result)
        labels.append(label)
        groups.append(group)
    empty = sorted(set(range(len(names))) - set(labels))
    for label in empty:
        if required or label in reasons or not pictures:
            raise empty_class(source, names[label], reasons.get(label))
    return Dataset(
        classes=shown,
        names=names,
        pictures=pictures,
        labels=torch.tensor(labels, dtype=torch.int64),
        sources=tuple(groups),
        skipped=dict(skipped),
    )


def _built_in(
    split: str,
    per_class: int | None,
    size: int,
    seed: int,
    progress: Progress | None,
    limits: Limits,
) -> Dataset:
    """Generated pictures, so `per_class` may also be more training pictures than usual."""
    if split not in BUILT_IN:
        raise GnetError(
            f"The built-in data set has no split {split!r}; it has {', '.join(BUILT_IN)}."
        )
    count = per_class or BUILT_IN[split]
    if split != "train":
        count = min(count, BUILT_IN[split])
    if 3 * size * size * count * len(patterns.CLASSES) > limits.held_bytes:
        raise too_much(limits)
    which = tuple(BUILT_IN).index(split)
    items = [(label, index) for label in range(len(patterns.CLASSES)) for index in range(count)]

    def draw(item: tuple[int, int]) -> torch.Tensor:
        return patterns.pattern(item[0], size, (abs(seed), which, item[1]))

    return _gathered(
        "The built-in data set",
        patterns.CLASSES,
        patterns.CLASSES,
        [(label, "pat") for label, _ in items],
        decode_all(draw, items, progress, limits),
        required=True,
    )


def _torchvision(
    name: str,
    split: str,
    per_class: int | None,
    seed: int,
    short: int,
    progress: Progress | None,
    limits: Limits,
) -> Dataset:
    found = fetch(name, split)
    by_class: list[list[int]] = [[] for _ in found.classes]
    for index, label in enumerate(found.labels):
        by_class[label].append(index)
    items: list[tuple[int, int]] = []
    for label, (title, indices) in enumerate(zip(found.classes, by_class, strict=True)):
        if not found.divided:
            indices = [indices[at] for at in share(len(indices), split, seed, title)]
        items += [(label, index) for index in limited(indices, per_class, seed, title)]

    def decode(item: tuple[int, int]) -> torch.Tensor | str:
        try:
            return usable(open_picture(found.picture(item[1]), max_side=short))
        except PictureError as error:
            return error.reason
        except (OSError, ValueError, SyntaxError):
            return "damaged or cut off"

    return _gathered(
        f"The data set {name}",
        found.classes,
        found.classes,
        [(label, name[:3]) for label, _ in items],
        decode_all(decode, items, progress, limits),
        required=split == "train",
    )
