"""Each channel's mean over reference pictures: the milder thing to put in a branch's place.

A branch at zero is a state that the network met nowhere in training; its mean is one that it meets
all the time, without what the branch has to say of this picture.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from gnet.errors import GnetError
from gnet.explain.recording import split
from gnet.inference.forward import forward
from gnet.network.config import BRANCHES, STAGES
from gnet.network.model import GoogLeNet
from gnet.network.weights import BUNDLED
from gnet.system.tensor_file import Kind

KIND = Kind(
    name="means",
    called="a file of means",
    remedy="give one that `python -m gnet means` wrote",
)
SHIPPED = BUNDLED.with_name(f"{BUNDLED.stem}-means.safetensors")


@dataclass(frozen=True, kw_only=True, eq=False)
class Means:
    """The mean of every channel of one network."""

    digest: str
    """Of the weights; with any others the means say nothing."""
    values: dict[str, dict[str, Tensor]]
    """Stage → branch → (channels,) float32, over pictures and cells."""
    pictures: int
    reference: str
    """What they were taken over, as "600 pictures of tune"."""

    def of(self, stage: str, branch: str) -> Tensor:
        """The means (channels,) of one branch."""
        return self.values[stage][branch]

    def save(self, path: str | Path) -> Path:
        """Write the means as safetensors; raises `GnetError`."""
        header = {"digest": self.digest, "pictures": self.pictures, "reference": self.reference}
        tensors = {f"{s}/{b}": t for s, parts in self.values.items() for b, t in parts.items()}
        return KIND.write(path, header, tensors)


def measure_means(model: GoogLeNet, pictures: Iterable[Tensor], reference: str) -> Means:
    """The means over pictures (1, 3, H, W) in [0, 1]; raises `GnetError` for none.

    `reference` names them, as "pictures of tune".
    """
    sums: dict[str, Tensor] = {}
    count = 0
    for pixels in pictures:
        outputs = forward(model, pixels).outputs
        for stage, output in outputs.items():
            mean = output.double().mean((1, 2))
            sums[stage] = sums[stage] + mean if count else mean
        count += 1
    if not count:
        raise GnetError("There are no pictures to take means over; at least one is needed.")
    return Means(
        digest=model.info.digest,
        values={
            stage: split((sums[stage] / count).float(), module.widths.branches)
            for stage, module in model.inceptions().items()
        },
        pictures=count,
        reference=f"{count:,} {reference}",
    )


def find_means(digest: str, path: str | Path = SHIPPED) -> Means | None:
    """The means kept in `path` if they belong to the weights of that digest, else None."""
    if not Path(path).is_file():
        return None
    means = load_means(path)
    return means if means.digest == digest else None


def load_means(path: str | Path) -> Means:
    """The means that `Means.save` wrote; raises `GnetError` for any other file."""
    with KIND.reading(path) as (header, tensors):
        values = {
            stage: {branch: tensors[f"{stage}/{branch}"].float() for branch in BRANCHES}
            for stage in STAGES
        }
        if any(t.dim() != 1 for parts in values.values() for t in parts.values()):
            raise ValueError("tensors of other shapes")
        return Means(
            digest=str(header["digest"]),
            values=values,
            pictures=int(header["pictures"]),
            reference=str(header["reference"]),
        )
