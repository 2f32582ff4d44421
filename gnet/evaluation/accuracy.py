"""How good a network is on a data set: every head's accuracy, by source and as calibrated belief.

Knows nothing of training.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from gnet.data.batches import in_order
from gnet.data.datasets import Dataset
from gnet.data.prefetch import prefetch
from gnet.errors import GnetError
from gnet.evaluation.calibration import calibration_error
from gnet.explain.belief import probabilities
from gnet.network.config import HEADS
from gnet.network.hooks import evaluating
from gnet.network.info import Preprocessing
from gnet.network.model import GoogLeNet
from gnet.system.progress import Progress


class Stopped(Exception):
    """An evaluation was stopped, as the caller requested."""


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """The heads' logits on a whole data set, and the right answers."""

    logits: dict[str, Tensor]
    """Head → (n, classes) float32; only the heads the network has."""
    labels: Tensor
    """(n,) int64."""
    sources: tuple[str, ...]
    """The group of each picture."""
    families: tuple[str, ...] = ()
    """The family of each class; empty when there are none."""

    def losses(self) -> dict[str, float]:
        """Head → mean cross-entropy in nats."""
        return {h: F.cross_entropy(z, self.labels).item() for h, z in self.logits.items()}

    def accuracy(self, keep: Tensor | None = None, *, k: int = 1) -> dict[str, float]:
        """Head → fraction of pictures whose class is among the `k` likeliest."""
        labels = self.labels if keep is None else self.labels[keep]
        result = {}
        for head, values in self.logits.items():
            chosen = values if keep is None else values[keep]
            best = chosen.topk(min(k, chosen.shape[1]), dim=1).indices
            result[head] = (best == labels[:, None]).any(dim=1).double().mean().item()
        return result

    def class_mean(self) -> dict[str, float]:
        """Head → accuracy averaged over the classes that have pictures, all weighted equally."""
        counts = torch.bincount(self.labels).double()
        result = {}
        for head, values in self.logits.items():
            right = (values.argmax(1) == self.labels).double()
            by_class = torch.bincount(self.labels, right) / counts
            result[head] = by_class[counts > 0].mean().item()
        return result

    def family_accuracy(self) -> dict[str, float]:
        """Head → fraction of pictures whose first class is of the right family.

        Empty where the classes have no families.
        """
        if not self.families:
            return {}
        names = sorted(set(self.families))
        family = torch.tensor([names.index(own) for own in self.families])
        right = family[self.labels]
        return {
            head: (family[values.argmax(1)] == right).double().mean().item()
            for head, values in self.logits.items()
        }

    def summary(self) -> dict[str, Any]:
        """Each head's accuracy over all pictures and by group, as plain values.

        Top-1 and top-5 everywhere; over all pictures the mean over classes, too, and how often the
        family was right, where classes have families.
        """
        groups = sorted(set(self.sources))
        keeps = {g: torch.tensor([s == g for s in self.sources]) for g in groups}
        by_group = {g: self._tops(keep) for g, keep in keeps.items()}
        means = {
            head: {
                key: sum(by_group[g][head][key] for g in groups) / len(groups)
                for key in ("top1", "top5")
            }
            for head in self.logits
        }
        more = {"class_mean": self.class_mean(), "family": self.family_accuracy()}
        heads = self._tops(None)
        for head, tops in heads.items():
            tops |= {key: values[head] for key, values in more.items() if head in values}
        return {
            "heads": heads,
            "sources_mean": means,
            "groups": by_group,
            "count": len(self.labels),
            "counts": {g: int(keep.sum()) for g, keep in keeps.items()},
        }

    def calibration(
        self, temperatures: Mapping[str, float], *, rectified: bool = False
    ) -> dict[str, dict[str, float]]:
        """Head → its temperature, and the expected calibration error without and with it."""
        result = {}
        for head in (h for h in HEADS[::-1] if h in self.logits):
            kept, errors = temperatures.get(head, 1.0), []
            for temperature in (1.0, kept):
                shown = probabilities(self.logits[head], rectified, temperature)
                errors.append(calibration_error(shown, self.labels))
            result[head] = {"temperature": kept, "ece_before": errors[0], "ece_after": errors[1]}
        return result

    def _tops(self, keep: Tensor | None) -> dict[str, dict[str, float]]:
        top1, top5 = self.accuracy(keep), self.accuracy(keep, k=5)
        return {h: {"top1": top1[h], "top5": top5[h]} for h in HEADS[::-1] if h in top1}


def evaluate(
    model: GoogLeNet,
    dataset: Dataset,
    preprocessing: Preprocessing,
    *,
    batch: int = 64,
    bf16: bool = False,
    progress: Progress | None = None,
    stop: Callable[[], bool] | None = None,
) -> Evaluation:
    """Run `model` over all of `dataset`, centre squares as `preprocessing` says.

    Raises `GnetError` for a size the network cannot take, an empty data set or other classes, and
    `Stopped` once `stop`, called before each batch, returns True.
    """
    model.config.check_size(preprocessing.size, preprocessing.size)
    if len(dataset) == 0:
        raise GnetError("The data set holds no picture to evaluate; at least one is needed.")
    check_classes(model, dataset)
    logits = answers(
        model, dataset, preprocessing, batch=batch, bf16=bf16, progress=progress, stop=stop
    )
    return Evaluation(
        logits=logits,
        labels=dataset.labels,
        sources=dataset.sources,
        families=model.info.families,
    )


def answers(
    model: GoogLeNet,
    dataset: Dataset,
    preprocessing: Preprocessing,
    *,
    batch: int = 64,
    bf16: bool = False,
    progress: Progress | None = None,
    stop: Callable[[], bool] | None = None,
) -> dict[str, Tensor]:
    """Head → its logits (n, classes) float32 for every picture, whatever the pictures show."""
    parts: dict[str, list[Tensor]] = {}
    shown = in_order(dataset, preprocessing, batch=batch)
    done = 0
    device = next(model.parameters()).device
    with torch.inference_mode(), evaluating(model), closing(prefetch(shown)) as ready:
        for pixels, labels in ready:
            if stop and stop():
                raise Stopped
            x = preprocessing.normalise_bytes(pixels.to(device))
            with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
                logits = model(x)
            for head, values in logits._asdict().items():
                if values is not None:
                    parts.setdefault(head, []).append(values.float().cpu())
            done += len(labels)
            if progress:
                progress(done, len(dataset))
    return {head: torch.cat(values) for head, values in parts.items()}


def check_classes(model: GoogLeNet, dataset: Dataset) -> None:
    """Raise `GnetError` unless labels of the data set and logits mean the same classes."""
    count = model.config.num_classes
    if len(dataset.classes) != count:
        raise GnetError(
            f"The data set has {len(dataset.classes)} classes; the network has {count}."
        )
    for known, shown, folder in zip(
        model.info.classes, dataset.classes, dataset.names, strict=False
    ):
        if _plain(known) not in (_plain(shown), _plain(folder)):
            raise GnetError(
                f"The data set has the class {shown!r} where the network knows {known!r}; allowed "
                "are the network's own classes, in its order."
            )


def _plain(name: str) -> str:
    """A class's name without what folder names cannot show: case, blanks, signs."""
    return re.sub(r"[\W_]+", "_", name.casefold())
