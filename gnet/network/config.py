"""What a GoogLeNet is made of, as plain data: Table 1, presets, preprocessing, provenance.

Knows nothing of tensors' values or of where weights come from.
"""

from __future__ import annotations

import math
import re
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, NamedTuple

import torch

from gnet.errors import GnetError

STAGES = ("3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b")
BRANCHES = ("1x1", "3x3", "5x5", "pool")
HEADS = ("aux1", "aux2", "main")
EXITS = {"aux1": "4a", "aux2": "4d", "main": "5b"}
"""The stage each head reads."""

TRAINED, PROBE, UNTRAINED = "trained with the net", "probe on frozen features", "untrained"

SIZES = (32, 320)
"""Smallest and largest input side in px."""


class Widths(NamedTuple):
    """Output channels of one inception module's six convolutions."""

    b1: int
    reduce3: int
    b3: int
    reduce5: int
    b5: int
    pool: int

    @property
    def branches(self) -> tuple[int, int, int, int]:
        """Channels of the four branches, in the order they are concatenated."""
        return self.b1, self.b3, self.b5, self.pool

    @property
    def total(self) -> int:
        return sum(self.branches)


STEM_WIDTHS = (64, 64, 192)
TABLE_1: dict[str, Widths] = {
    "3a": Widths(64, 96, 128, 16, 32, 32),
    "3b": Widths(128, 128, 192, 32, 96, 64),
    "4a": Widths(192, 96, 208, 16, 48, 64),
    "4b": Widths(160, 112, 224, 24, 64, 64),
    "4c": Widths(128, 128, 256, 24, 64, 64),
    "4d": Widths(112, 144, 288, 32, 64, 64),
    "4e": Widths(256, 160, 320, 32, 128, 128),
    "5a": Widths(256, 160, 320, 32, 128, 128),
    "5b": Widths(384, 192, 384, 48, 128, 128),
}
"""Channels per module, "Going deeper with convolutions" (arXiv 1409.4842), Table 1."""

AUX_CHANNELS, AUX_FEATURES, AUX_GRID = 128, 1024, 4
"""The auxiliary head of section 5: 128 filters, 1024 features, on a 4×4 grid."""


def scaled(channels: int, width: float) -> int:
    """`channels` times `width`, to a multiple of 4 and never below 4; exact at width 1."""
    return channels if width == 1.0 else max(4, 4 * round(channels * width / 4))


def option(
    default: Any,
    help: str,
    choices: tuple = (),
    low: float | None = None,
    high: float | None = None,
) -> Any:
    """A dataclass field whose metadata tells form and command line its help and its range."""
    return field(
        default=default, metadata={"help": help, "choices": choices, "min": low, "max": high}
    )


def check_fields(record: Any) -> None:
    """Raise `GnetError` when a field lies outside the range its metadata states."""
    for f in fields(record):
        value, meta = getattr(record, f.name), f.metadata
        # By type too: 5.0 equals 5 and is no kernel size.
        if meta.get("choices") and (type(value), value) not in [
            (type(c), c) for c in meta["choices"]
        ]:
            allowed = ", ".join(str(c) for c in meta["choices"])
            raise GnetError(f"{f.name} is {value!r}; allowed are {allowed}.")
        if f.type in ("bool", bool) and not isinstance(value, bool):
            raise GnetError(f"{f.name} is {value!r}; allowed are true and false.")
        low, high = meta.get("min"), meta.get("max")
        if low is None or high is None:
            continue
        number = isinstance(value, int | float) and not isinstance(value, bool)
        whole = f.type not in ("int", int) or isinstance(value, int)
        if not (number and whole and low <= value <= high):
            kind = "whole numbers" if f.type in ("int", int) else "numbers"
            raise GnetError(f"{f.name} is {value!r}; allowed are {kind} from {low} to {high}.")


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """Everything that decides the shape of the network, and how it starts."""

    num_classes: int = option(1000, "number of classes", low=2, high=100_000)
    width: float = option(1.0, "factor on every channel count", low=0.0625, high=2.0)
    kernel_5x5: int = option(5, 'kernel of the "5×5" branch', choices=(5, 3))
    norm: str = option("batch", "normalisation", choices=("batch", "none"))
    norm_eps: float = option(1e-3, "epsilon of batch norm", low=1e-8, high=1.0)
    local_response_norm: bool = option(False, "local response norm in the stem, as in the paper")
    order: str = option(
        "conv-norm-relu",
        "order within a convolutional block",
        choices=("conv-norm-relu", "norm-relu-conv"),
    )
    left_out: str = option("", "branches left out of all modules, as 5x5 or 5x5,pool")
    aux: bool = option(True, "the two auxiliary heads at 4a and 4d")
    dropout: float = option(0.2, "dropout before the classifier", low=0.0, high=0.95)
    dropout_aux: float = option(0.7, "dropout in the auxiliary heads", low=0.0, high=0.95)
    aux_pool: str = option(
        "adaptive", "pooling of the auxiliary heads to 4×4", choices=("paper", "adaptive")
    )
    stem: str = option(
        "imagenet", "stride 8 before 3a, or stride 2 for small pictures", ("imagenet", "small")
    )
    pool4: int = option(3, "kernel of the max-pool before 5a", choices=(3, 2))
    transform_input: bool = option(False, "renormalise as torchvision's published weights expect")
    init: str = option("he", "how the weights start", choices=("he", "xavier", "normal-0.01"))
    rectified_outputs: bool = option(False, "a ReLU on the logits (the lesson of the collapse)")

    def __post_init__(self) -> None:
        check_fields(self)
        self.branches_left_out()

    def branches_left_out(self) -> tuple[str, ...]:
        """The branches that are no part of the network, in their order; never all four."""
        names = [name.strip() for name in self.left_out.split(",")] if self.left_out else []
        if not set(names) < set(BRANCHES):
            raise GnetError(
                f"left_out is {self.left_out!r}; allowed are up to three of "
                f"{', '.join(BRANCHES)}, with commas between."
            )
        return tuple(branch for branch in BRANCHES if branch in names)

    @classmethod
    def preset(cls, name: str, **changes: Any) -> ModelConfig:
        """`paper`, `batch-norm`, `pre-activation` or `torchvision`, with `changes` applied."""
        if name not in PRESETS:
            raise GnetError(f"There is no preset {name!r}; there are {', '.join(PRESETS)}.")
        return replace(PRESETS[name], **changes)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, record: Any) -> ModelConfig:
        """The config written by `to_json`; unknown or missing values raise `GnetError`."""
        known = {f.name for f in fields(cls)}
        if not isinstance(record, dict) or not set(record) <= known:
            extra = sorted(set(record) - known) if isinstance(record, dict) else [record]
            raise GnetError(f"The model's config holds {extra}; known are {sorted(known)}.")
        return cls(**record)

    def check_size(self, height: int, width: int) -> None:
        """Raise `GnetError` for an input size (px) the network cannot take."""
        low, high = SIZES
        if not (low <= height <= high and low <= width <= high):
            raise GnetError(f"The input is {height}×{width} px; allowed are {low} to {high} px.")
        if self.aux and self.aux_pool == "paper" and (height, width) != (224, 224):
            raise GnetError(
                f"The input is {height}×{width} px; the paper's auxiliary pooling (5×5, stride 3) "
                "needs 224×224 px."
            )


PRESETS = {
    "paper": ModelConfig(
        norm="none", local_response_norm=True, dropout=0.4, aux_pool="paper", init="xavier"
    ),
    "batch-norm": ModelConfig(),
    "pre-activation": ModelConfig(order="norm-relu-conv"),
    "torchvision": ModelConfig(kernel_5x5=3, pool4=2, init="normal-0.01"),
}


@dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """How a picture becomes the network's input: one square, scaled, normalised."""

    size: int = 224
    """Side of the input square in px."""
    crop: float = 1.0
    """Share of the picture's short side that the centre square keeps."""
    thumbnail: int = 0
    """Side in px of the JPEG that a larger square is made first, for a network that has learned
    from such; 0: none."""
    quality: int = 75
    """Of that JPEG, 1 to 95."""
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)

    def normalise(self, pixels: torch.Tensor) -> torch.Tensor:
        """`pixels`: (N, 3, H, W) in [0, 1] → the same shape, mean 0 and deviation 1 per colour."""
        mean = pixels.new_tensor(self.mean).view(3, 1, 1)
        std = pixels.new_tensor(self.std).view(3, 1, 1)
        return (pixels - mean) / std

    def normalise_bytes(self, pixels: torch.Tensor) -> torch.Tensor:
        """`pixels`: (N, 3, H, W) uint8 → what `normalise` makes of them, in one new tensor."""
        x = pixels.to(torch.float32, copy=True)
        scale = x.new_tensor([1 / (255 * s) for s in self.std]).view(3, 1, 1)
        shift = x.new_tensor([m / s for m, s in zip(self.mean, self.std, strict=True)])
        return x.mul_(scale).sub_(shift.view(3, 1, 1))


FAMILIARITY = ("maximum probability", "maximum logit", "energy", "energy of all heads")
"""Scores that tell known classes from pictures of something else; `unfamiliar` computes them."""


@dataclass(frozen=True, kw_only=True)
class Sureness:
    """Below which score a head says "not sure", and how often that was so where it was measured."""

    score: str
    """One of `FAMILIARITY`."""
    threshold: float
    false_alarms: float
    """Fraction of validation pictures, which show known classes, that stay below."""
    detected: float
    """Fraction of pictures of something else that stay below."""

    def __post_init__(self) -> None:
        shares = all(0 <= share <= 1 for share in (self.false_alarms, self.detected))
        if self.score not in FAMILIARITY or not math.isfinite(self.threshold) or not shares:
            raise ValueError(f"sureness {self}")


@dataclass(frozen=True, kw_only=True)
class ModelInfo:
    """Where a network comes from and what may be said of it; travels in the weights' header."""

    name: str = "untrained"
    classes: tuple[str, ...] = ()
    """Names to show, one per logit; empty when nobody named them."""
    preprocessing: Preprocessing = field(default_factory=Preprocessing)
    heads: dict[str, str] = field(default_factory=lambda: dict.fromkeys(HEADS, UNTRAINED))
    """Head → "trained with the net", "probe on frozen features" or "untrained"."""
    metrics: dict[str, Any] = field(default_factory=dict)
    temperatures: dict[str, float] = field(default_factory=dict)
    """Head → what its logits are divided by before they are shown as probabilities; 1 by default.

    Attribution and ablation work on the logits themselves."""
    sure: dict[str, Sureness] = field(default_factory=dict)
    """Head → when it is sure; empty as long as nobody has measured it."""
    digest: str = ""
    """sha256 of the weights; empty until they come from a file."""

    def class_name(self, index: int) -> str:
        """The name to show for logit `index`."""
        return self.classes[index] if index < len(self.classes) else f"class {index}"

    def class_index(self, given: str | int) -> int:
        """The class that a person or a page means, by number or by name.

        A number, also one written as text, is an index, so that names which are numbers cannot
        mislead; whether the network has as many classes is for its user to check. Anything else
        must be a name; `GnetError` if it is none.
        """
        if isinstance(given, int) and not isinstance(given, bool):
            return given
        if isinstance(given, str) and re.fullmatch("[0-9]{1,9}", given):
            return int(given)
        if given not in self.classes:
            some = f", as {', '.join(repr(c) for c in self.classes[:3])}," if self.classes else ""
            raise GnetError(
                f"The network knows no class {str(given)[:60]!r}; allowed are its "
                f"{len(self.classes)} class names{some} or their numbers."
            )
        return self.classes.index(str(given))

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
            return cls(
                name=str(record.get("name", "")),
                classes=tuple(str(c) for c in record.get("classes", ())),
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
