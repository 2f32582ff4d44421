"""Linear probes on frozen features: what each module's output already says of the class.

A probe is one linear layer on a module's output, averaged over the cells; it was fitted when the
network was finished, and never changed it. All nine are of one kind, so that they compare depths
and not readers: a head trained with the net may read more than the probe at the same depth.
Knows nothing of how probes are fitted.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gnet.errors import GnetError
from gnet.explain.belief import belief, probabilities
from gnet.explain.recording import Recording
from gnet.network.config import PROBE, STAGES
from gnet.network.weights import BUNDLED
from gnet.system.tensor_file import Kind

KIND = Kind(
    name="probes",
    called="a file of probes",
    remedy="give one that `python -m gnet probe` wrote",
)
SHIPPED = BUNDLED.with_name(f"{BUNDLED.stem}-probes.safetensors")


@dataclass(frozen=True, kw_only=True, eq=False)
class Probe:
    """One linear layer from a module's averaged output to calibrated logits."""

    weight: Tensor
    """(classes, channels) float32."""
    bias: Tensor
    """(classes,) float32."""

    def __call__(self, features: Tensor) -> Tensor:
        """`features`: (N, channels), as from `features` → logits (N, classes)."""
        return torch.nn.functional.linear(features.float(), self.weight, self.bias)


@dataclass(frozen=True, kw_only=True, eq=False)
class Probes:
    """The probes of one network."""

    digest: str
    """Of the weights they read; with any others they mean nothing."""
    probes: dict[str, Probe]
    """Stage → probe, from the shallowest to the deepest."""
    metrics: dict[str, Any] = field(default_factory=dict)
    """What was measured when they were fitted: `stages` → stage → top1, top5, …; data and size."""
    status: str = PROBE
    """Their figures, shown wherever the probes are."""

    def save(self, path: str | Path) -> Path:
        """Write the probes as safetensors, weights as float16; raises `GnetError`."""
        tensors: dict[str, Tensor] = {}
        for stage, probe in self.probes.items():
            tensors[f"{stage}.weight"] = probe.weight.half()
            tensors[f"{stage}.bias"] = probe.bias.float()
        header = {"digest": self.digest, "status": self.status, "metrics": self.metrics}
        return KIND.write(path, header, tensors)


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What one probe believes of one picture."""

    probabilities: tuple[float, ...]
    """One fraction per class."""
    entropy: float
    """In nats: 0 for certainty, ln(classes) for no idea."""
    top: tuple[int, ...]
    """The most probable classes, first the most probable."""


@dataclass(frozen=True, kw_only=True)
class Course:
    """One picture's belief from module to module, and where the network's answer comes up."""

    readings: dict[str, Reading]
    """Stage → what its probe believes."""
    answer: int
    """The class that the deepest trained head answers; that of the last probe if none is."""
    first: str | None
    """The first stage whose probe puts the answer first; None if no probe does."""
    settled: str | None
    """The stage from which on every probe puts the answer first; None if the last one does not."""


def features(output: Tensor) -> Tensor:
    """What a probe reads of a module's output: (…, C, h, w) → (…, C), the mean over its cells."""
    return output.mean((-2, -1))


def course(probes: Probes, recording: Recording, *, top: int = 5) -> Course:
    """Read a recording with the probes; the network is not run.

    Raises `GnetError` for a recording of a network with other channels.
    """
    readings: dict[str, Reading] = {}
    for stage, probe in probes.probes.items():
        seen = features(recording.outputs[stage])
        if seen.shape[0] != probe.weight.shape[1]:
            raise GnetError(
                f"The recording has {seen.shape[0]} channels in {stage}; allowed are the "
                f"{probe.weight.shape[1]} of the network that the probes were fitted to."
            )
        readings[stage] = _reading(probe(seen[None])[0], top)
    heads = list(belief(recording, top=1).heads.values())
    answer = heads[-1].top[0] if heads else list(readings.values())[-1].top[0]
    agree = [stage for stage, reading in readings.items() if reading.top[0] == answer]
    return Course(
        readings=readings,
        answer=answer,
        first=agree[0] if agree else None,
        settled=settled_from(list(readings), agree),
    )


def find_probes(digest: str, path: str | Path = SHIPPED) -> Probes | None:
    """The probes kept in `path` if they belong to the weights of that digest, else None."""
    if not Path(path).is_file():
        return None
    probes = load_probes(path)
    return probes if probes.digest == digest else None


def load_probes(path: str | Path) -> Probes:
    """The probes that `Probes.save` wrote; raises `GnetError` for any other file."""
    with KIND.reading(path) as (header, halved):
        tensors = {name: tensor.float() for name, tensor in halved.items()}
        if header["status"] != PROBE:
            raise ValueError("probes of another kind")
        found = {
            stage: Probe(weight=tensors[f"{stage}.weight"], bias=tensors[f"{stage}.bias"])
            for stage in STAGES
            if f"{stage}.weight" in tensors
        }
        shapes = {(p.weight.dim(), p.bias.shape == p.weight.shape[:1]) for p in found.values()}
        if shapes != {(2, True)} or len({len(p.bias) for p in found.values()}) != 1:
            raise ValueError("tensors of other shapes")
        return Probes(digest=str(header["digest"]), probes=found, metrics=dict(header["metrics"]))


def _reading(logits: Tensor, top: int) -> Reading:
    fractions = probabilities(logits)
    order = fractions.argsort(descending=True, stable=True)[:top]
    return Reading(
        probabilities=tuple(fractions.tolist()),
        entropy=float(-torch.xlogy(fractions, fractions).sum()),
        top=tuple(order.tolist()),
    )


def settled_from(stages: list[str], agree: list[str]) -> str | None:
    """The first of the unbroken run of agreeing stages that reaches the last one."""
    settled = None
    for stage in reversed(stages):
        if stage not in agree:
            break
        settled = stage
    return settled
