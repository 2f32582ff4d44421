"""Each channel's mean over reference pictures: the milder thing to put in a branch's place.

A branch at zero is a state that the network met nowhere in training; its mean is one that it meets
all the time, without what the branch has to say of this picture.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from torch import Tensor

from gnet.data import patterns
from gnet.data.pictures import as_seen, read_pixels
from gnet.errors import GnetError
from gnet.explain.recording import split
from gnet.inference.forward import forward
from gnet.network.model import GoogLeNet
from gnet.system.assets import ASSETS

PHOTOS = ASSETS / "examples"
EACH = 2
"""Pictures of each built-in pattern."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Means:
    """The mean of every channel of one network."""

    values: dict[str, dict[str, Tensor]]
    """Stage → branch → (channels,) float32, over pictures and cells."""
    reference: str
    """What they were taken over, as "20 built-in patterns"."""


def means_of(model: GoogLeNet) -> Means:
    """The means over pictures of the network's own kind that come with the project.

    A network that learned the built-in patterns gets those, any other the example pictures.
    """
    preprocessing = model.info.preprocessing
    if set(model.info.classes) & set(patterns.CLASSES):
        made = (
            patterns.pattern(index % len(patterns.CLASSES), preprocessing.size, (0, 5, index))
            for index in range(EACH * len(patterns.CLASSES))
        )
        squares = (as_seen(picture, preprocessing)[None] / 255 for picture in made)
        return measure_means(model, squares, "built-in patterns")
    photos = (read_pixels(path, preprocessing) for path in sorted(PHOTOS.glob("*.jpg")))
    return measure_means(model, photos, "example pictures")


def measure_means(model: GoogLeNet, pictures: Iterable[Tensor], reference: str) -> Means:
    """The means over pictures (1, 3, H, W) in [0, 1]; raises `GnetError` for none.

    `reference` names them, as "built-in patterns".
    """
    sums: dict[str, Tensor] = {}
    count = 0
    for pixels in pictures:
        for stage, output in forward(model, pixels).outputs.items():
            mean = output.double().mean((1, 2))
            sums[stage] = sums[stage] + mean if count else mean
        count += 1
    if not count:
        raise GnetError("There are no pictures to take means over; at least one is needed.")
    return Means(
        values={
            stage: split((sums[stage] / count).float(), module.widths.branches)
            for stage, module in model.inceptions().items()
        },
        reference=f"{count} {reference}",
    )
