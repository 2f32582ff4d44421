"""What is known of a network beside its shape: preprocessing, classes, status of its heads."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch

from gnet.errors import FieldError, GnetError
from gnet.network.config import HEADS, PROBE, SIZES, TRAINED, UNTRAINED
from gnet.settings import check_fields, option
from gnet.words import listed


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


@dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """How a picture becomes the network's input: one square, scaled, normalised."""

    size: int = option(224, "side of the input square in px", low=SIZES[0], high=SIZES[1])
    crop: float = 1.0
    """Share of the picture's short side that the centre square keeps."""
    thumbnail: int = option(
        0,
        "side in px of the JPEG that a larger square becomes first; 0: none",
        low=0,
        high=SIZES[1],
    )
    """For a network that has learned from such JPEGs."""
    quality: int = option(75, "quality of that JPEG", low=1, high=95)
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)

    def __post_init__(self) -> None:
        check_fields(self)
        if not (_is_number(self.crop) and 0 < self.crop <= 1):
            raise FieldError("crop", self.crop, "numbers above 0 and up to 1")
        if not (len(self.mean) == 3 and all(_is_number(value) for value in self.mean)):
            raise FieldError("mean", self.mean, "three finite numbers")
        if not (len(self.std) == 3 and all(_is_number(v) and v > 0 for v in self.std)):
            raise FieldError("std", self.std, "three finite numbers above 0")

    def normalise(self, pixels: torch.Tensor) -> torch.Tensor:
        """`pixels`: (N, 3, H, W) in [0, 1] → the same shape, mean 0 and deviation 1 per colour."""
        mean = pixels.new_tensor(self.mean).view(3, 1, 1)
        std = pixels.new_tensor(self.std).view(3, 1, 1)
        return (pixels - mean) / std

    def normalise_array(self, pixels: np.ndarray) -> np.ndarray:
        """The same of float32 by numpy, which leaves torch's threads at rest."""
        mean, std = (np.array(values, np.float32) for values in (self.mean, self.std))
        return (pixels - mean.reshape(3, 1, 1)) / std.reshape(3, 1, 1)

    def normalise_bytes(self, pixels: torch.Tensor) -> torch.Tensor:
        """`pixels`: (N, 3, H, W) uint8 → what `normalise` makes of them, in one new tensor."""
        x = pixels.to(torch.float32, copy=True)
        scale = x.new_tensor([1 / (255 * s) for s in self.std]).view(3, 1, 1)
        shift = x.new_tensor([m / s for m, s in zip(self.mean, self.std, strict=True)])
        return x.mul_(scale).sub_(shift.view(3, 1, 1))


FAMILIARITY = ("maximum probability", "maximum logit", "energy", "energy of all heads")
"""Scores that separate known classes from other pictures; `explain.familiarity` computes them."""


@dataclass(frozen=True, kw_only=True)
class Sureness:
    """The score below which a head says "not sure", and how often it did when it was measured."""

    score: str
    """One of `FAMILIARITY`."""
    threshold: float
    false_alarms: float
    """Fraction of validation pictures, all of known classes, with a score below the threshold."""
    detected: float
    """Fraction of out-of-distribution pictures with a score below the threshold."""
    certain: float = 0.0
    """Probability of the first class from which that class is given; below, its family. 0: always
    the class."""

    def __post_init__(self) -> None:
        shares = all(0 <= share <= 1 for share in (self.false_alarms, self.detected, self.certain))
        if self.score not in FAMILIARITY or not math.isfinite(self.threshold) or not shares:
            raise ValueError(f"sureness {self}")


def family_shares(families: Sequence[str], probabilities: Sequence[float]) -> dict[str, float]:
    """Family → the summed probability of its classes, the likeliest family first."""
    shares: dict[str, float] = {}
    for family, share in zip(families, probabilities, strict=False):
        shares[family] = shares.get(family, 0.0) + share
    return dict(sorted(shares.items(), key=lambda item: -item[1]))


@dataclass(frozen=True, kw_only=True)
class ModelInfo:
    """A network's name, classes, heads and metrics, as the weights' header keeps them."""

    name: str = "untrained"
    classes: tuple[str, ...] = ()
    """Names to show, one per logit; empty when there are none."""
    families: tuple[str, ...] = ()
    """The family of each class, as "dog"; empty when there are none."""
    preprocessing: Preprocessing = field(default_factory=Preprocessing)
    heads: dict[str, str] = field(default_factory=lambda: dict.fromkeys(HEADS, UNTRAINED))
    """Head → "trained with the net", "probe on frozen features" or "untrained"."""
    metrics: dict[str, Any] = field(default_factory=dict)
    temperatures: dict[str, float] = field(default_factory=dict)
    """Head → what its logits are divided by before they are shown as probabilities; 1 by default.

    Attribution and ablation work on the logits themselves."""
    sure: dict[str, Sureness] = field(default_factory=dict)
    """Head → when it is sure; empty until it is measured."""
    digest: str = ""
    """sha256 of the weights; empty until they come from a file."""

    def class_name(self, index: int) -> str:
        """The name to show for logit `index`."""
        return self.classes[index] if index < len(self.classes) else f"class {index}"

    def family_shares(self, probabilities: Sequence[float]) -> dict[str, float]:
        """Family → the summed probability of its classes, the likeliest family first.

        `probabilities`: one per class, summing to 1; empty where the classes have no families.
        """
        return family_shares(self.families, probabilities)

    def class_index(self, given: str | int) -> int:
        """The class that a person or a page means, by number or by name.

        An int is an index, and so is a number written as text, unless a class has that name: a
        name comes first. Whether the network has as many classes is for its user to check.
        Anything else must be a name; `GnetError` if it is none.
        """
        if isinstance(given, int) and not isinstance(given, bool):
            return given
        if isinstance(given, str) and given in self.classes:
            return self.classes.index(given)
        if isinstance(given, str) and re.fullmatch("[0-9]{1,9}", given):
            return int(given)
        small = [name.lower() for name in self.classes]
        words = str(given).lower()
        if isinstance(given, str) and small.count(words) == 1:
            return small.index(words)
        near = difflib.get_close_matches(words[:60], small, n=3) or small[:3]
        names = listed([repr(self.classes[small.index(name)]) for name in near], "or")
        raise GnetError(
            f"The network knows no class {str(given)[:60]!r}; allowed are its "
            f"{len(self.classes)} class names{f', as {names},' if near else ''} or their numbers."
        )

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, record: Any) -> ModelInfo:
        """The record written by `to_json`."""
        try:
            picture = dict(record.get("preprocessing", {}))
            for key in ("mean", "std"):
                if key in picture:
                    r, g, b = (float(v) for v in picture[key])
                    picture[key] = (r, g, b)
            heads = dict(record.get("heads", {}))
            if not set(heads) <= set(HEADS) or not set(heads.values()) <= {
                TRAINED,
                PROBE,
                UNTRAINED,
            }:
                raise ValueError(f"head status {heads}")
            metrics = dict(record.get("metrics", {}))
            for head, tops in dict(metrics.get("heads", {})).items():
                if not all(isinstance(top, int | float) for top in tops.values()):
                    raise ValueError(f"metrics of {head}: {tops}")
            temperatures = {str(h): float(t) for h, t in record.get("temperatures", {}).items()}
            if not set(temperatures) <= set(HEADS) or not all(
                math.isfinite(t) and t > 0 for t in temperatures.values()
            ):
                raise ValueError(f"temperatures {temperatures}")
            sure = {str(h): Sureness(**given) for h, given in record.get("sure", {}).items()}
            if not set(sure) <= set(HEADS):
                raise ValueError(f"sure {list(sure)}")
            classes = tuple(str(c) for c in record.get("classes", ()))
            families = tuple(str(f) for f in record.get("families", ()))
            if families and len(families) != len(classes):
                raise ValueError(f"{len(families)} families for {len(classes)} classes")
            return cls(
                name=str(record.get("name", "")),
                classes=classes,
                families=families,
                preprocessing=Preprocessing(**picture),
                heads=dict.fromkeys(HEADS, UNTRAINED) | heads,
                metrics=metrics,
                temperatures=temperatures,
                sure=sure,
                digest=str(record.get("digest", "")),
            )
        except (TypeError, ValueError, AttributeError) as error:
            raise GnetError(
                f"The weights' info is malformed ({error}); allowed is what this program writes."
            ) from error
