"""Out-of-distribution pictures, which show none of a network's classes: made here, or photos.

Everything but the photos is made here from a seed, so that a measurement can be repeated.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from torch import Tensor

from gnet.data import patterns
from gnet.data.datasets import Dataset
from gnet.data.files.archives import LIMITS, Limits, Unreadable, open_files
from gnet.data.pictures import PictureError, as_seen, as_tensor, open_picture, to_image
from gnet.errors import GnetError
from gnet.network.info import Preprocessing
from gnet.system.paths import expanded

Random = np.random.Generator
EACH = 100
"""Pictures of each kind that is made."""
PHOTOS = "photos"
"""The kind of photos that lie in no subfolder."""
_BLUR = 1 / 8
"""Deviation of the Gaussian as a share of the side: what is left has some four blotches a side."""


def out_of_distribution(
    known: Dataset,
    preprocessing: Preprocessing,
    *,
    each: int = EACH,
    seed: int = 0,
    photos: Dataset | None = None,
) -> Dataset:
    """Pictures that show none of the classes of `known`, one label per kind.

    Patterns (unless the network learned them), plain colours, noise, rendered text, and pictures
    of `known` blurred or with their phases scrambled: `each` of every kind, uint8 (3, S, S) with S
    the network's size; then `photos`, as read by `photos_in`. Another `seed` gives others.
    """
    size = preprocessing.size
    random = np.random.default_rng([seed, size])
    order = random.permutation(len(known))
    chosen = [known.pictures[at] for at in order[: 2 * each]]
    if len(chosen) < 2:
        raise GnetError(
            f"The data set has {len(known)} pictures to blur and to scramble; at least two are "
            "needed."
        )
    half = max(1, len(chosen) // 2)
    kinds: dict[str, list[Tensor]] = {}
    if not set(known.classes) & set(patterns.CLASSES):
        kinds["patterns"] = [
            patterns.pattern(index % len(patterns.CLASSES), size, (seed, 3, index))
            for index in range(each)
        ]
    kinds["plain colours"] = [plain(random, size) for _ in range(each)]
    kinds["noise"] = [noise(random, size, index) for index in range(each)]
    kinds["rendered text"] = [rendered_text(random, size) for _ in range(each)]
    kinds["blurred pictures"] = [blurred(_square(p, preprocessing)) for p in chosen[:half]]
    kinds["phase-scrambled pictures"] = [
        phase_scrambled(random, _square(p, preprocessing)) for p in chosen[half : 2 * half]
    ]
    made = labelled(kinds)
    return made if photos is None else _joined(made, photos)


def photos_in(
    folder: str | Path, preprocessing: Preprocessing, *, limits: Limits = LIMITS
) -> Dataset:
    """The pictures in a folder or zip as squares (3, S, S), one kind for each subfolder.

    Files that are no picture are skipped and counted. Raises `GnetError` where no picture is left.
    """
    files = open_files(expanded(folder), limits)
    kinds: dict[str, list[Tensor]] = {}
    skipped: Counter[str] = Counter()
    try:
        for parts in files.paths:
            try:
                image = open_picture(files.read(parts), max_side=2 * preprocessing.size)
            except (PictureError, Unreadable) as error:
                skipped[error.reason] += 1
            else:
                kind = parts[0] if len(parts) > 1 else PHOTOS
                kinds.setdefault(kind, []).append(_square(as_tensor(image), preprocessing))
    finally:
        files.close()
    if not kinds:
        raise GnetError(f"{files.name} holds no picture that can be read; at least one is needed.")
    return replace(labelled(kinds), skipped=dict(skipped))


def labelled(kinds: dict[str, list[Tensor]]) -> Dataset:
    """Pictures by kind as a data set whose classes and sources are the kinds."""
    names = tuple(kinds)
    return Dataset(
        classes=names,
        names=names,
        pictures=[picture for own in kinds.values() for picture in own],
        labels=torch.tensor([i for i, own in enumerate(kinds.values()) for _ in own]),
        sources=tuple(kind for kind, own in kinds.items() for _ in own),
    )


def halves(dataset: Dataset) -> tuple[Dataset, Dataset]:
    """Every second picture of each kind, and the others: one to choose by, one to report on."""
    first: dict[str, list[Tensor]] = {}
    second: dict[str, list[Tensor]] = {}
    for index, name in enumerate(dataset.classes):
        own = [dataset.pictures[at] for at in (dataset.labels == index).nonzero().flatten()]
        first[name], second[name] = own[::2], own[1::2]
    return labelled(first), labelled(second)


def plain(random: Random, size: int) -> Tensor:
    """One colour, or one that turns into another along a line, as from a covered lens or a wall."""
    ends = random.uniform(0, 255, (2, 3))
    if random.random() < 0.5:
        ends[1] = ends[0]
    axis = np.linspace(-0.5, 0.5, size)
    turn = random.uniform(0, 2 * np.pi)
    along = np.cos(turn) * axis[:, None] + np.sin(turn) * axis[None, :]
    share = (along - along.min()) / np.ptp(along)
    return _bytes(ends[0] + share[:, :, None] * (ends[1] - ends[0]))


def noise(random: Random, size: int, index: int) -> Tensor:
    """White, grey, pink, coarse or salt-and-pepper noise, in turn with `index`."""
    return _NOISES[index % len(_NOISES)](random, size)


def _white(random: Random, size: int) -> Tensor:
    return _bytes(random.uniform(0, 255, (size, size, 3)))


def _grey(random: Random, size: int) -> Tensor:
    values = random.normal(random.uniform(64, 192), random.uniform(16, 64), (size, size, 1))
    return _bytes(np.repeat(values, 3, axis=2))


def _pink(random: Random, size: int) -> Tensor:
    """As much power at every octave, as photos have (amplitude ∝ 1 / frequency)."""
    y, x = np.fft.fftfreq(size)[:, None], np.fft.fftfreq(size)[None, :]
    frequency = np.hypot(y, x)
    frequency[0, 0] = 1
    spectrum = np.fft.fft2(random.standard_normal((size, size, 3)), axes=(0, 1))
    values = np.fft.ifft2(spectrum / frequency[:, :, None], axes=(0, 1)).real
    values -= values.mean((0, 1))
    return _bytes(random.uniform(80, 176, 3) + 50 * values / values.std())


def _coarse(random: Random, size: int) -> Tensor:
    cells = int(random.integers(4, 33))
    colours = random.integers(0, 256, (cells, cells, 3), dtype=np.uint8)
    image = Image.fromarray(colours).resize((size, size), Image.Resampling.NEAREST)
    return as_tensor(image)


def _salt_and_pepper(random: Random, size: int) -> Tensor:
    values = np.broadcast_to(random.uniform(60, 196, 3), (size, size, 3)).copy()
    chance = random.uniform(0, 1, (size, size))
    share = random.uniform(0.05, 0.4)
    values[chance < share / 2] = 0
    values[chance > 1 - share / 2] = 255
    return _bytes(values)


_NOISES: tuple[Callable[[Random, int], Tensor], ...] = (
    _white,
    _grey,
    _pink,
    _coarse,
    _salt_and_pepper,
)


def rendered_text(random: Random, size: int) -> Tensor:
    """Lines of made-up words, in ink on paper of two colours, a little turned."""
    paper = tuple(int(v) for v in random.integers(170, 256, 3))
    ink = tuple(int(v) for v in random.integers(0, 90, 3))
    if random.random() < 0.3:
        paper, ink = ink, paper
    image = Image.new("RGB", (size, size), paper)
    draw = ImageDraw.Draw(image)
    height = float(random.uniform(size / 16, size / 5))
    font = ImageFont.load_default(height)
    left, top = random.uniform(-0.05, 0.15, 2) * size
    while top < size:
        words = " ".join(_word(random) for _ in range(12))
        draw.text((left, top), words, fill=ink, font=font)
        top += 1.4 * height
    turn = float(random.uniform(-8, 8))
    return as_tensor(image.rotate(turn, Image.Resampling.BILINEAR, fillcolor=paper))


def _word(random: Random) -> str:
    letters = random.choice(list("etaoinshrdlcumwfgypbvk"), int(random.integers(2, 9)))
    word = "".join(letters)
    return word.capitalize() if random.random() < 0.15 else word


def blurred(picture: Tensor) -> Tensor:
    """A square (3, S, S) uint8 blurred until only a few blotches of colour are left."""
    side = picture.shape[-1]
    return as_tensor(to_image(picture).filter(ImageFilter.GaussianBlur(_BLUR * side)))


def phase_scrambled(random: Random, picture: Tensor) -> Tensor:
    """A square (3, S, S) uint8 with its colours' amplitudes at each frequency, but random phases.

    The same phases are added to all three colours, so that their relation stays.
    """
    values = picture.permute(1, 2, 0).numpy().astype(np.float64)
    shift = np.angle(np.fft.fft2(random.standard_normal(values.shape[:2])))
    shift[0, 0] = 0  # the mean colour stays
    turned = np.fft.fft2(values, axes=(0, 1)) * np.exp(1j * shift)[:, :, None]
    return _bytes(np.fft.ifft2(turned, axes=(0, 1)).real)


def _bytes(values: np.ndarray) -> Tensor:
    """(H, W, 3) in 0 to 255, clipped and rounded → uint8 (3, H, W), channels-last in memory."""
    return torch.from_numpy(values.clip(0, 255).round().astype(np.uint8)).permute(2, 0, 1)


def _square(picture: Tensor, preprocessing: Preprocessing) -> Tensor:
    """The square of a picture (3, h, w) uint8, at the network's size but never a thumbnail."""
    return as_seen(picture, replace(preprocessing, thumbnail=0))


def _joined(one: Dataset, other: Dataset) -> Dataset:
    kinds: dict[str, list[Tensor]] = {}
    for part in (one, other):
        for picture, kind in zip(part.pictures, part.sources, strict=True):
            kinds.setdefault(kind, []).append(picture)
    return labelled(kinds)
