"""A teacher's answers to fixed crops of pictures: kept in one file, found again by the picture.

The teacher is run once. Training then shows the crops it was shown and learns from its answers ("a
patient and consistent teacher", arXiv 2106.05237). Knows nothing of the teacher itself.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from gnet.data.augmentation import FixedCrops
from gnet.data.datasets import Dataset
from gnet.errors import GnetError
from gnet.system.paths import regular
from gnet.system.tensor_file import Kind

CERTAIN_FROM = 0.3
"""Where all classes that the teacher shares with us get less than this, its answer counts less: it
sees something that has no name here."""
KIND = Kind(
    name="answers",
    called="a teacher's answers",
    remedy="give a file that `python -m gnet teach` wrote",
    unmarked="gnet",
)


@dataclass(frozen=True, kw_only=True, eq=False)
class TeacherAnswers:
    """A teacher's answers to crops of pictures."""

    pictures: Tensor
    """(v,) int64: `fingerprint` of the picture each crop was taken from."""
    boxes: Tensor
    """(v, 4) int64: y, x, height and width of the crop in the picture's px."""
    logits: Tensor
    """(v, the teacher's classes) float16."""
    names: dict[str, tuple[int, ...]]
    """Our class, by its folder's name → the teacher's classes that mean it; some have none."""
    teacher: str = ""

    def save(self, path: str | Path) -> Path:
        """Write them to `path`, whole or not at all, and return the path."""
        header = {"teacher": self.teacher, "names": self.names}
        tensors = {"pictures": self.pictures, "boxes": self.boxes, "logits": self.logits}
        return KIND.write(path, header, tensors)

    @classmethod
    def load(cls, path: str | Path) -> TeacherAnswers:
        """Read what `save` wrote; `GnetError` for anything else."""
        with KIND.reading(path) as (header, tensors):
            return cls(
                pictures=tensors["pictures"],
                boxes=tensors["boxes"],
                logits=tensors["logits"],
                names={str(k): tuple(map(int, v)) for k, v in header["names"].items()},
                teacher=str(header["teacher"]),
            )


class SoftTargets(NamedTuple):
    """A teacher's answers to a batch, in our classes."""

    probabilities: Tensor
    """(n, classes) float32: they sum to 1 over `known` and are 0 elsewhere."""
    weights: Tensor
    """(n,) float32: how much each answer counts; 0 where there is none."""
    known: Tensor
    """(classes,) bool: the classes for which the teacher has a name."""
    temperature: float
    """Divisor of the logits behind `probabilities`, and of the student's beside them."""

    def of(self, rows: Tensor) -> SoftTargets:
        """Those of the pictures `rows` (n,)."""
        return self._replace(probabilities=self.probabilities[rows], weights=self.weights[rows])

    def to(self, device: torch.device) -> SoftTargets:
        """The same on `device`."""
        return self._replace(
            probabilities=self.probabilities.to(device),
            weights=self.weights.to(device),
            known=self.known.to(device),
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class MatchedAnswers:
    """A teacher's answers laid beside a data set: which crops of which picture it was shown."""

    answers: TeacherAnswers
    crops: FixedCrops
    """The crops, numbered as the rows of `answers`."""
    groups: Tensor = field(repr=False)
    """(the teacher's classes,) int64: our class each one means; the number of ours for none."""
    classes: int

    def targets(self, rows: Tensor, labels: Tensor, temperature: float) -> SoftTargets:
        """The answers `rows` (n,) int64, -1 for none, to pictures that show `labels` (n,).

        The teacher's probabilities are added up over the names that mean one class of ours, and
        scaled to sum to 1 over our classes. Where the teacher has no name for a picture's class,
        its answer does not count.
        """
        known = torch.zeros(self.classes + 1, dtype=torch.bool)
        known[self.groups] = True
        known = known[:-1]
        logits = self.answers.logits[rows.clamp_min(0)].float()
        shares = torch.zeros(len(rows), self.classes + 1)
        shares.index_add_(1, self.groups, (logits / temperature).softmax(1))
        shares = shares[:, :-1]
        mass = shares.sum(1)
        weights = (mass / CERTAIN_FROM).clamp_max(1) * (rows >= 0) * known[labels]
        return SoftTargets(shares / mass.clamp_min(1e-9)[:, None], weights, known, temperature)


def fingerprint(picture: Tensor) -> int:
    """A number by which a picture, uint8 (3, h, w), is found again wherever it lies."""
    rows = picture.permute(1, 2, 0).contiguous().numpy()
    return zlib.crc32(rows.tobytes(), zlib.crc32(str(tuple(picture.shape)).encode()))


def match(answers: TeacherAnswers, dataset: Dataset) -> MatchedAnswers:
    """Find the pictures of `dataset` that the teacher was shown; `GnetError` if it knows none."""
    count = len(dataset.classes)
    groups = torch.full((answers.logits.shape[1],), count)
    for label, folder in enumerate(dataset.names):
        for index in answers.names.get(folder, ()):
            groups[index] = label
    by_picture: dict[int, list[int]] = {}
    for row, key in enumerate(answers.pictures.tolist()):
        by_picture.setdefault(key, []).append(row)
    numbers = {}
    for index, picture in enumerate(dataset.pictures):
        found = by_picture.get(fingerprint(picture))
        if found:
            numbers[index] = np.array(found)
    if not numbers or bool((groups == count).all()):
        raise GnetError(
            f"The teacher has answered none of the data set's {len(dataset)} pictures of {count} "
            "classes; allowed are answers to the same pictures, read at the same size."
        )
    crops = FixedCrops(numbers=numbers, boxes=answers.boxes)
    return MatchedAnswers(answers=answers, crops=crops, groups=groups, classes=count)


def numbered(
    classes: Sequence[str], means: Mapping[str, Sequence[str]]
) -> dict[str, tuple[int, ...]]:
    """Our class → numbers of the teacher's `classes` that mean it; `GnetError` for other names."""
    at = {name: index for index, name in enumerate(classes)}
    unknown = sorted({name for given in means.values() for name in given} - set(at))
    if unknown:
        some = ", ".join(repr(name) for name in unknown[:3])
        raise GnetError(f"The teacher has no class {some}; allowed are its {len(at)} names.")
    given = [name for names in means.values() for name in names]
    twice = sorted({name for name in given if given.count(name) > 1})
    if twice:
        raise GnetError(
            f"The teacher's class {twice[0]!r} is given to several classes; allowed is one."
        )
    return {folder: tuple(at[name] for name in names) for folder, names in means.items()}


def names_from(
    path: str | Path | None, folders: Sequence[str], classes: Sequence[str]
) -> dict[str, list[str]]:
    """Our class, by folder → the teacher's names for it, as the JSON file `path` says.

    Without a file: the teacher's `classes` that are called as the folder is.
    """
    if path is None:
        plain = {re.sub(r"\W+", "_", name.casefold()): name for name in classes}
        return {folder: [plain[folder]] for folder in folders if folder in plain}
    try:
        record = json.loads(regular(path).read_text(encoding="utf-8"))
        return {str(folder): [str(name) for name in names] for folder, names in record.items()}
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise GnetError(
            f"{path} cannot be read ({error}); allowed is JSON that gives each class folder a list "
            "of the teacher's names."
        ) from error
