"""A network's answers on every validation picture: right, wrong, and how surely.

Knows nothing of runs, pages and figures.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gnet.data.batches import in_order
from gnet.data.datasets import Dataset
from gnet.data.pictures import to_image
from gnet.errors import GnetError
from gnet.evaluation.accuracy import evaluate
from gnet.evaluation.calibration import Bin, calibration_error, reliability
from gnet.network.config import HEADS, UNTRAINED
from gnet.network.info import Preprocessing
from gnet.network.model import GoogLeNet
from gnet.system.progress import Progress
from gnet.system.tensor_file import Kind
from gnet.words import listed

KIND = Kind(
    name="review",
    called="a review",
    remedy="make one with `python -m gnet review`",
    unmarked="review",
)
MOST = 5000
"""Pictures a review holds at most; of larger sets every so many-th is taken."""
_KEPT = 5
"""Likeliest classes kept of each answer."""
_LOSSLESS_SIDE = 64


@dataclass(frozen=True, kw_only=True)
class Answers:
    """One head's answers on n pictures."""

    status: str
    """How the head was trained."""
    classes: Tensor
    """(n, k) int64: the likeliest classes, best first."""
    probabilities: Tensor
    """(n, k) float32: theirs."""
    truth: Tensor
    """(n,) float32: the probability it gave the right class."""

    @property
    def first(self) -> Tensor:
        """(n,) int64: the class it answered."""
        return self.classes[:, 0]

    @property
    def confidence(self) -> Tensor:
        """(n,) float32: the probability of its answer."""
        return self.probabilities[:, 0]


@dataclass(frozen=True, kw_only=True)
class Review:
    """What the trained heads answered on the pictures of one data set."""

    classes: tuple[str, ...]
    labels: Tensor
    """(n,) int64: the right classes."""
    total: int
    """Pictures of the whole set, of which n were looked at."""
    size: int
    """Side in px of what the network saw."""
    heads: dict[str, Answers]
    """Only trained heads: an untrained one answers nothing."""
    untrained: tuple[str, ...]
    pictures: tuple[bytes, ...] = field(repr=False)
    """What the network saw of each picture, as a WebP file."""
    weights: str = ""
    """sha256 of the weights' file; empty where they come from none."""

    def __len__(self) -> int:
        return len(self.labels)

    def right(self, head: str) -> Tensor:
        """(n,) bool: whether the head's answer is the picture's class."""
        return self._answers(head).first == self.labels

    def accuracy(self, head: str) -> float:
        """The fraction of pictures the head gets right."""
        return self.right(head).double().mean().item()

    def confusion(self, head: str) -> Tensor:
        """(classes, classes) int64: how many pictures of a row's class got a column's answer."""
        count = len(self.classes)
        cells = self.labels * count + self._answers(head).first
        return torch.bincount(cells, minlength=count * count).view(count, count)

    def most_frequent_mistake(self, head: str) -> tuple[int, int, float]:
        """The mistake made in most pictures: right class, answer, share of the class's pictures."""
        matrix = self.confusion(head)
        counts = matrix.sum(1)
        mistakes = matrix.fill_diagonal_(0)
        truth, answer = divmod(int(mistakes.argmax()), len(self.classes))
        return truth, answer, float(mistakes[truth, answer]) / max(1, int(counts[truth]))

    def class_accuracy(self, head: str) -> list[float | None]:
        """By class, the fraction of its pictures that is right; None for a class without any."""
        matrix = self.confusion(head)
        rows = zip(matrix.diagonal().tolist(), matrix.sum(1).tolist(), strict=True)
        return [right / count if count else None for right, count in rows]

    def confidence(self, head: str) -> float:
        """The mean probability of the head's answers."""
        return self._answers(head).confidence.double().mean().item()

    def bins(self, head: str) -> tuple[Bin, ...]:
        """How often the head is right where it is about so sure."""
        return reliability(*self._as_believed(head))

    def calibration_error(self, head: str) -> float:
        """How far the head's confidence is from how often it is right, see `calibration`."""
        return calibration_error(*self._as_believed(head))

    def _as_believed(self, head: str) -> tuple[Tensor, Tensor]:
        """The answers alone, as if they were the only class: label 0 where they are right."""
        return self._answers(head).confidence[:, None], (~self.right(head)).long()

    def chosen(
        self,
        head: str,
        *,
        right: bool | None = None,
        truth: int | None = None,
        answer: int | None = None,
    ) -> list[int]:
        """The pictures that are right or wrong, of one class, or got one answer; surest first."""
        answers = self._answers(head)
        keep = torch.ones(len(self), dtype=torch.bool)
        if right is not None:
            keep &= self.right(head) == right
        if truth is not None:
            keep &= self.labels == truth
        if answer is not None:
            keep &= answers.first == answer
        found = keep.nonzero()[:, 0]
        order = answers.confidence[found].argsort(descending=True, stable=True)
        return found[order].tolist()

    def only(self, pictures: Sequence[int]) -> Review:
        """The review of these pictures alone, by their numbers, in this order."""
        at = torch.tensor(pictures, dtype=torch.int64)
        heads = {
            head: replace(
                answers,
                classes=answers.classes[at],
                probabilities=answers.probabilities[at],
                truth=answers.truth[at],
            )
            for head, answers in self.heads.items()
        }
        kept = tuple(self.pictures[index] for index in pictures)
        return replace(self, labels=self.labels[at], heads=heads, pictures=kept)

    def summary(self) -> dict[str, Any]:
        """The whole review but the pictures, as plain values."""
        heads = {}
        for head in self.heads:
            mistakes = self.chosen(head, right=False)
            heads[head] = {
                "status": self.heads[head].status,
                "accuracy": self.accuracy(head),
                "class_accuracy": self.class_accuracy(head),
                "confusion": self.confusion(head).tolist(),
                "confidence": self.confidence(head),
                "calibration_error": self.calibration_error(head),
                "bins": [asdict(one) for one in self.bins(head)],
                "surest_mistakes": [self.answer(index) for index in mistakes[:20]],
            }
        return {
            "pictures": len(self),
            "of": self.total,
            "classes": list(self.classes),
            "heads": heads,
            "untrained": list(self.untrained),
        }

    def answer(self, index: int) -> dict[str, Any]:
        """Picture `index`: its class, and each head's likeliest classes with probabilities."""
        return {
            "picture": index,
            "truth": int(self.labels[index]),
            "heads": {
                head: {
                    "right": bool(a.first[index] == self.labels[index]),
                    "truth": float(a.truth[index]),
                    "top": [
                        [int(c), float(p)]
                        for c, p in zip(a.classes[index], a.probabilities[index], strict=True)
                    ],
                }
                for head, a in self.heads.items()
            },
        }

    def _answers(self, head: str) -> Answers:
        if head not in self.heads:
            there = listed(self.heads) or "no trained head"
            raise GnetError(f"There are no answers of {head!r}; there are those of {there}.")
        return self.heads[head]

    def save(self, path: str | Path) -> None:
        """Write the review, whole or not at all."""
        lengths = torch.tensor([len(content) for content in self.pictures], dtype=torch.int64)
        joined = bytearray(b"".join(self.pictures))
        tensors = {
            "labels": self.labels,
            "lengths": lengths,
            "pictures": torch.frombuffer(joined, dtype=torch.uint8) if joined else torch.empty(0),
        }
        for head, answers in self.heads.items():
            tensors[f"{head}.classes"] = answers.classes
            tensors[f"{head}.probabilities"] = answers.probabilities
            tensors[f"{head}.truth"] = answers.truth
        facts = {
            "classes": self.classes,
            "total": self.total,
            "size": self.size,
            "heads": {head: answers.status for head, answers in self.heads.items()},
            "untrained": self.untrained,
            "weights": self.weights,
        }
        KIND.write(path, facts, tensors)

    @classmethod
    def read(cls, path: str | Path) -> Review:
        """The review that `save` wrote; `GnetError` for anything else."""
        with KIND.reading(path) as (facts, tensors):
            joined = tensors["pictures"].numpy().tobytes()
            ends = tensors["lengths"].cumsum(0).tolist()
            return cls(
                classes=tuple(facts["classes"]),
                labels=tensors["labels"],
                total=facts["total"],
                size=facts["size"],
                heads={
                    head: Answers(
                        status=status,
                        classes=tensors[f"{head}.classes"],
                        probabilities=tensors[f"{head}.probabilities"],
                        truth=tensors[f"{head}.truth"],
                    )
                    for head, status in facts["heads"].items()
                },
                untrained=tuple(facts["untrained"]),
                pictures=tuple(joined[a:b] for a, b in zip([0, *ends[:-1]], ends, strict=True)),
                weights=facts["weights"],
            )


def review(
    model: GoogLeNet,
    dataset: Dataset,
    preprocessing: Preprocessing,
    progress: Progress | None = None,
) -> Review:
    """The answers of `model` on `dataset`, centre squares as `preprocessing` says.

    Of more than `MOST` pictures every so many-th is taken, so that each class keeps its share.
    `progress(done, total)` counts pictures. Raises `GnetError` for an empty set, a size the network
    cannot take or other classes than its own.
    """
    looked_at = thinned(dataset)
    result = evaluate(model, looked_at, preprocessing, progress=progress)
    status = {head: model.info.heads.get(head, UNTRAINED) for head in result.logits}
    return Review(
        classes=dataset.classes,
        labels=result.labels,
        total=len(dataset),
        size=preprocessing.size,
        heads={
            head: _answers(
                result.logits[head] / model.info.temperatures.get(head, 1.0),
                result.labels,
                status[head],
            )
            for head in HEADS
            if head in status and status[head] != UNTRAINED
        },
        untrained=tuple(h for h in HEADS if status.get(h) == UNTRAINED),
        pictures=_squares(looked_at, preprocessing),
    )


def thinned(dataset: Dataset) -> Dataset:
    """The pictures that a review looks at: all, or of more than `MOST` every so many-th."""
    count = len(dataset)
    if count <= MOST:
        return dataset
    places = [at * count // MOST for at in range(MOST)]
    return replace(
        dataset,
        pictures=[dataset.pictures[at] for at in places],
        labels=dataset.labels[places],
        sources=tuple(dataset.sources[at] for at in places),
    )


def _answers(logits: Tensor, labels: Tensor, status: str) -> Answers:
    # A run that went astray has outputs that are no numbers: an answer without any confidence.
    probabilities = logits.softmax(1).nan_to_num(0.0)
    top = probabilities.topk(min(_KEPT, logits.shape[1]), dim=1)
    return Answers(
        status=status,
        classes=top.indices,
        probabilities=top.values,
        truth=probabilities.gather(1, labels[:, None])[:, 0],
    )


def _squares(dataset: Dataset, preprocessing: Preprocessing) -> tuple[bytes, ...]:
    """The square of each picture that the network saw: exact where small, else compressed."""
    options = {"lossless": True} if preprocessing.size <= _LOSSLESS_SIDE else {"quality": 90}
    files = []
    for pixels, _ in in_order(dataset, preprocessing, batch=64):
        for picture in pixels:
            file = io.BytesIO()
            to_image(picture).save(file, "WEBP", method=1, **options)
            files.append(file.getvalue())
    return tuple(files)
