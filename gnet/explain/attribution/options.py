"""The options of each attribution method; form and command line are made from these records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import Field, dataclass, fields
from typing import Any

from gnet.settings import check_fields, like, option

BASELINES = {
    "mean": "the network's mean colour",
    "black": "black",
    "blurred": "the picture blurred",
}
"""What a part of the picture, or all of it, is replaced by: name → in words."""

STEPS = 64
"""Points on the path: the middle rule then leaves an error of about 1 % of the difference on a
trained network, less than captum's other rules."""


@dataclass(frozen=True, kw_only=True)
class Plain:
    """A method with nothing to choose."""

    def __post_init__(self) -> None:
        check_fields(self)


@dataclass(frozen=True, kw_only=True)
class Noise(Plain):
    """Noisy copies of the picture."""

    samples: int = option(16, "noisy copies of the picture", low=1, high=256)
    noise: float = option(
        0.1, "standard deviation of the noise, where white is 1", low=0.001, high=1.0
    )
    seed: int = option(0, "which noise is drawn", low=0, high=2**31 - 1)


@dataclass(frozen=True, kw_only=True)
class Reference(Plain):
    """A baseline that the picture is compared with."""

    baseline: str = option("mean", "what the picture is compared with", choices=tuple(BASELINES))


@dataclass(frozen=True, kw_only=True)
class Path(Reference):
    """A straight way from the baseline to the picture."""

    steps: int = option(STEPS, "points on the way from the baseline", low=2, high=1024)


@dataclass(frozen=True, kw_only=True)
class Place(Plain):
    """A module, or one branch of it; `attribute` checks them against network and head."""

    stage: str = option("", "module to look at, as 4d")
    branch: str = option("", "branch of the module: 1x1, 3x3, 5x5 or pool (empty: all four)")


@dataclass(frozen=True, kw_only=True)
class PlacedPath(Path):
    """A straight way, watched in a module or in one branch of it."""

    stage: str = like(Place, "stage")
    branch: str = like(Place, "branch")


@dataclass(frozen=True, kw_only=True)
class Patch(Reference):
    """A square that is moved over the picture and hides what lies under it."""

    patch: int = option(24, "side of the square, in px", low=1, high=320)
    stride: int = option(12, "how far the square moves each time, in px", low=1, high=320)


RECORDS: dict[str, type[Plain]] = {
    "grad-cam": Place,
    "saliency": Plain,
    "smooth-grad": Noise,
    "input-x-gradient": Plain,
    "integrated-gradients": Path,
    "guided-backprop": Plain,
    "deep-lift": Reference,
    "guided-grad-cam": Place,
    "occlusion": Patch,
    "layer-conductance": PlacedPath,
    "feature-ablation": Plain,
}
"""Name of each method → the record of its options."""
LENGTHS = ("patch", "stride")
"""The options that are lengths in the picture, so no longer than its side."""
PLACE = ("stage", "branch")
"""The options that say where a method looks; a page has its own list of modules for them."""


def every_option() -> dict[str, Field]:
    """Each option that some method has, by name; it means the same wherever it stands."""
    return {f.name: f for record in RECORDS.values() for f in fields(record)}


def read(record: type[Plain], given: Mapping[str, Any]) -> Any:
    """An options record of what was given; None and what the method does not have are passed over.

    Raises `FieldError` for a value out of its range.
    """
    names = [f.name for f in fields(record)]
    return record(**{name: given[name] for name in names if given.get(name) is not None})
