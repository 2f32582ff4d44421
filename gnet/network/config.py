"""What a GoogLeNet is made of, as plain data: Table 1, presets, preprocessing, provenance.

Knows nothing of tensors' values or of where weights come from.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import Any, NamedTuple

from gnet.errors import FieldError, GnetError
from gnet.settings import check_fields, option

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
    rectified_outputs: bool = option(False, "a ReLU on the logits (the experiment of the collapse)")

    def __post_init__(self) -> None:
        check_fields(self)
        self.branches_left_out()

    def branches_left_out(self) -> tuple[str, ...]:
        """The branches that are no part of the network, in their order; never all four."""
        names = [name.strip() for name in self.left_out.split(",")] if self.left_out else []
        if not set(names) < set(BRANCHES):
            raise FieldError(
                "left_out",
                self.left_out,
                f"up to three of {', '.join(BRANCHES)}, with commas between",
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
