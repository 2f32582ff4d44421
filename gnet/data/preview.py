"""A look at a data set before a run: counts, split, what is skipped, pictures as a run sees them.

Opens no more pictures than a page can wait for; totals come from file names alone.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from PIL import Image

from gnet.data.augmentation import Augmentation
from gnet.data.batches import batches
from gnet.data.catalogue import fetch
from gnet.data.datasets import BUILT_IN, Dataset, chosen, open_dataset
from gnet.data.files.archives import LIMITS, Limits
from gnet.data.files.arrangement import Classes, arrange
from gnet.data.files.layout import layout, share
from gnet.data.patterns import CLASSES
from gnet.data.pictures import resize, to_image
from gnet.data.source import BuiltIn, Known, Source, Stored, parse
from gnet.system.atomic import atomically
from gnet.system.progress import Progress
from gnet.words import some

MOST_ROWS, PER_ROW, MOST_SIDE = 12, 4, 96
"""Of the contact sheet: classes, pictures of each, and the side (px) they are shown at at most."""
OPENED, OPENED_KNOWN = 2000, 240
"""Training pictures that are opened: of a folder or zip; of a set in which none is broken."""
FEW, FEW_FOR_VALIDATION, UNEVEN = 20, 5, 3
"""Few training pictures of a class, few validation pictures; largest / smallest class."""
_BYTES = 600_000_000  # of pictures held at a time


@dataclass(frozen=True, kw_only=True)
class ClassCount:
    """The pictures of one class that a run would take.

    Unopened files count, too, though some may turn out not to be pictures.
    """

    name: str
    train: int
    val: int


@dataclass(frozen=True)
class Counts:
    """What the names of a source's files tell."""

    classes: list[ClassCount]
    made_split: bool = False
    """Whether train and val were divided here, by the seed."""
    notes: tuple[str, ...] = ()
    """What was left out or guessed, a sentence each."""


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What a run would find in a data set."""

    name: str
    """What to call the data set; never where it lies."""
    classes: tuple[ClassCount, ...]
    made_split: bool
    """Whether train and val were divided here, by the seed, as the source has no split."""
    opened: int
    """Pictures that were opened, of both splits."""
    skipped: dict[str, int]
    """Why pictures of those were left out, and how many."""
    warnings: tuple[str, ...]
    """One sentence each."""
    rows: tuple[str, ...]
    """Classes on the contact sheet, from its top."""
    columns: int
    """Pictures of each class on the sheet; beside them the same ones augmented."""
    side: int
    """px of a picture on the sheet."""
    sheet: bytes
    """A WebP file: `columns` pictures as validated, then `columns` as a run trains on them."""

    @property
    def train(self) -> int:
        """Training pictures in all."""
        return sum(count.train for count in self.classes)

    @property
    def val(self) -> int:
        """Validation pictures in all."""
        return sum(count.val for count in self.classes)


def preview(
    spec: str | Path | Source,
    *,
    size: int = 64,
    seed: int = 0,
    per_class: int = 0,
    classes: Sequence[str] = (),
    opened: int = OPENED,
    progress: Progress | None = None,
    limits: Limits = LIMITS,
) -> Preview:
    """Look at a data set as a run with these settings would; raises GnetError as that would.

    `per_class` 0 takes all pictures. At most `opened` training pictures are opened, as many of
    each class, and `progress(done, total)` counts them.
    """
    source, most = parse(spec), per_class or None
    names = count_classes(source, seed, tuple(classes), limits)
    found = names.classes
    short = max(144, round(1.25 * size))
    room = min(
        opened if isinstance(source, Stored) else OPENED_KNOWN, _BYTES // (4 * short * short)
    )
    look = max(PER_ROW, room // max(1, len(found)))

    def open_split(split: str, a_class: int, counter: Progress | None) -> Dataset:
        return open_dataset(
            source,
            split,
            classes=tuple(classes),
            per_class=min(a_class, most) if most else a_class,
            size=size,
            seed=seed,
            progress=counter,
            limits=limits,
        )

    train = open_split("train", look, progress)
    val = open_split("val", max(PER_ROW, look // 4), None)
    counts = [[min(n, most) if most else n for n in (c.train, c.val)] for c in found]
    skipped = dict(sorted((Counter(train.skipped) + Counter(val.skipped)).items()))
    total = len(train) + len(val) + sum(skipped.values())
    if total == sum(map(sum, counts)):  # all were opened, so that the usable ones are known
        counts = [list(pair) for pair in zip(train.counts, val.counts, strict=True)]
    counted = [
        ClassCount(name=title, train=training, val=validation)
        for title, (training, validation) in zip(train.classes, counts, strict=True)
    ]
    rows, side, sheet = contact_sheet(train, size=size, seed=seed)
    return Preview(
        name=source.name,
        classes=tuple(counted),
        made_split=names.made_split,
        opened=total,
        skipped=skipped,
        warnings=(
            *names.notes,
            *_warnings(counted, train, val, skipped, total, size),
        ),
        rows=rows,
        columns=PER_ROW,
        side=side,
        sheet=sheet,
    )


def contact_sheet(data: Dataset, *, size: int, seed: int) -> tuple[tuple[str, ...], int, bytes]:
    """A few pictures of each class beside the same ones augmented: its classes, side, WebP file."""
    side = min(size, MOST_SIDE)
    has = sorted(set(data.labels.tolist()))
    labels = [has[at * len(has) // MOST_ROWS] for at in range(MOST_ROWS)]
    labels = has if len(has) <= MOST_ROWS else labels
    sheet = torch.full((3, side * len(labels), side * 2 * PER_ROW), 255, dtype=torch.uint8)
    for row, label in enumerate(labels):
        first = torch.nonzero(data.labels == label).flatten()[:PER_ROW].tolist()
        # A batch has at least two pictures; one alone is drawn twice and shown once.
        few = chosen(data, first if len(first) > 1 else first * 2)
        few = replace(few, labels=torch.arange(len(few.pictures)))  # to find each again
        for half, how in enumerate((None, Augmentation())):
            once = batches(few, size=size, batch=len(few), seed=seed, epoch=0, augmentation=how)
            (batch,) = once
            for pixels, at in zip(batch.pixels, batch.labels.tolist(), strict=True):
                if at < len(first):
                    top, left = row * side, (half * PER_ROW + at) * side
                    sheet[:, top : top + side, left : left + side] = resize(pixels, side)
    return tuple(data.classes[label] for label in labels), side, _webp(to_image(sheet))


def _webp(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "WEBP", quality=82, method=2)
    return file.getvalue()


def count_classes(source: Source, seed: int, classes: tuple[str, ...], limits: Limits) -> Counts:
    """The pictures of each class before any is opened."""
    if isinstance(source, BuiltIn):
        return Counts(
            [ClassCount(name=c, train=BUILT_IN["train"], val=BUILT_IN["val"]) for c in CLASSES]
        )
    if isinstance(source, Known):
        return _count_known(source.name, seed)
    files = source.open(limits)
    try:
        train, val = (layout(files, split, seed, classes) for split in ("train", "val"))
        arranged, made = arrange(files), _one_folder(train, val)
    finally:
        files.close()
    notes = arranged.notes
    if made and arranged.splits:
        notes += ("There is no folder val, so the seed chooses its pictures from train.",)
    return Counts(
        [ClassCount(name=c, train=len(train[c]), val=len(val.get(c, ()))) for c in train],
        made_split=made,
        notes=notes,
    )


def _one_folder(train: Classes, val: Classes) -> bool:
    """Whether pictures of both splits lie in the same folders: then the split was made here."""
    folders = {parts[:-1] for paths in train.values() for parts in paths}
    return any(parts[:-1] in folders for paths in val.values() for parts in paths)


def _count_known(name: str, seed: int) -> Counts:
    train = fetch(name, "train")
    counts = Counter(train.labels)
    if train.divided:
        validation = Counter(fetch(name, "val").labels)
        return Counts(
            [
                ClassCount(name=title, train=counts[label], val=validation[label])
                for label, title in enumerate(train.classes)
            ]
        )
    made = []
    for label, title in enumerate(train.classes):
        training, validating = (
            len(share(counts[label], part, seed, title)) for part in ("train", "val")
        )
        made.append(ClassCount(name=title, train=training, val=validating))
    return Counts(made, made_split=True)


def _warnings(
    counts: list[ClassCount],
    train: Dataset,
    val: Dataset,
    skipped: dict[str, int],
    opened: int,
    size: int,
) -> list[str]:
    sentences = []
    few = [f"{c.name} has {c.train}" for c in counts if c.train < FEW]
    if few:
        sentences.append(
            f"Few training pictures: {some(few, what='classes')}; aim for at least {FEW} per class."
        )
    high, low = max(counts, key=lambda c: c.train), min(counts, key=lambda c: c.train)
    if high.train > UNEVEN * low.train:
        sentences.append(
            f"Uneven classes: {high.name} has {high.train} pictures and {low.name} {low.train}; a "
            "network favours the larger class; a limit on pictures per class makes them even."
        )
    hard = [f"{c.name} has {c.val}" for c in counts if c.val < FEW_FOR_VALIDATION]
    if hard:
        sentences.append(
            f"Few validation pictures: {some(hard, what='classes')}; accuracy will jump about."
        )
    if 10 * sum(skipped.values()) > opened:
        sentences.append(
            f"{sum(skipped.values())} of {opened} pictures that were opened cannot be used."
        )
    known = {hash(picture.numpy().tobytes()) for picture in train.pictures}
    twice = sum(hash(picture.numpy().tobytes()) in known for picture in val.pictures)
    if twice:
        sentences.append(
            f"{twice} of {len(val)} validation pictures opened are in the training set, too, "
            "so the accuracy comes out too high."
        )
    small = sum(min(picture.shape[1:]) < size for picture in train.pictures)
    if 2 * small > len(train):
        sentences.append(
            f"Most pictures are smaller than the input of {size} px and are enlarged; a smaller "
            "input trains faster."
        )
    return sentences


def check_layout(path: Path, limits: Limits = LIMITS) -> None:
    """Raise GnetError where a folder or zip cannot be a data set, from file names alone."""
    count_classes(Stored(path), 0, (), limits)


def write_sheet(found: Preview, folder: str | Path) -> Path:
    """Write the contact sheet into a folder, which is made if it is missing."""
    path = Path(folder) / "sheet.webp"
    with atomically(path) as temporary:
        temporary.write_bytes(found.sheet)
    return path
