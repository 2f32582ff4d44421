"""One forward pass, kept: the 36 branches, the nine modules' inputs and the three heads' logits.

A recording is plain data: CPU tensors without graph, module or handle, so it can be cached, saved
and read where no network is loaded.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from gnet.inference.forward import as_kept, forward
from gnet.inference.session import Session
from gnet.network.config import BRANCHES, HEADS, STAGES
from gnet.network.info import Sureness
from gnet.network.model import GoogLeNet
from gnet.network.receptive_field import Field, receptive_fields
from gnet.system.tensor_file import Kind

KIND = Kind(
    name="recording",
    called="a recording",
    remedy="give one that `python -m gnet explore` wrote",
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Recording:
    """What the network made of one picture. All tensors are float32 on the CPU.

    They are views of what the network computed (channels-last where the network is), so nothing was
    copied: 3b's input is 3a's output, and a branch is a slice of its module's output. Ask for
    `.contiguous()` where the order in memory matters.
    """

    pixels: Tensor
    """(1, 3, H, W) in [0, 1]."""
    outputs: dict[str, Tensor]
    """Stage → (C, h, w), the branches concatenated."""
    inputs: dict[str, Tensor]
    """Stage → (C, h, w)."""
    branches: dict[str, dict[str, Tensor]]
    """Stage → branch → (channels, h, w)."""
    logits: dict[str, Tensor]
    """Head → (classes,); only the heads the network has."""
    fields: dict[str, dict[str, Field]]
    """Stage → branch → receptive field."""
    signed: bool
    """True when responses may be negative: nothing cuts them at 0 (pre-activation order)."""
    rectified: bool
    """True when the network's logits pass a ReLU and are read as unnormalised probabilities."""
    kernel_5x5: int
    """Kernel of the branch called 5×5; 3 in torchvision's network."""
    heads: dict[str, str]
    """Head → how it was trained, as in `ModelInfo`."""
    classes: tuple[str, ...]
    """Names to show, one per logit; empty when there are none."""
    temperatures: dict[str, float] = field(default_factory=dict)
    """Head → temperature of its probabilities, as in `ModelInfo`."""
    sure: dict[str, Sureness] = field(default_factory=dict)
    """Head → when it is sure, as in `ModelInfo`."""
    families: tuple[str, ...] = ()
    """The family of each class, as in `ModelInfo`; empty when there are none."""

    def class_name(self, index: int) -> str:
        """The name to show for logit `index`."""
        return self.classes[index] if index < len(self.classes) else f"class {index}"

    @property
    def nbytes(self) -> int:
        """Bytes of memory the tensors hold, each counted once."""
        storages = {
            storage.data_ptr(): storage.nbytes()
            for tensor in (self.pixels, *self._tensors())
            for storage in [tensor.untyped_storage()]
        }
        return sum(storages.values())

    def _tensors(self) -> list[Tensor]:
        return [*self.outputs.values(), *self.inputs.values(), *self.logits.values()]

    def save(self, path: str | Path) -> None:
        """Write the recording as safetensors; raises `GnetError` when that is impossible."""
        tensors = {"pixels": self.pixels}
        tensors |= {f"logits/{head}": logits for head, logits in self.logits.items()}
        tensors |= {f"output/{stage}": output for stage, output in self.outputs.items()}
        tensors |= {
            f"input/{stage}": given
            for stage, given in self.inputs.items()
            if not _is_output_before(stage, given, self.outputs)
        }
        header = {
            "widths": {
                stage: [len(part) for part in parts.values()]
                for stage, parts in self.branches.items()
            },
            "fields": {
                stage: {branch: asdict(seen) for branch, seen in fields.items()}
                for stage, fields in self.fields.items()
            },
            "signed": self.signed,
            "rectified": self.rectified,
            "kernel_5x5": self.kernel_5x5,
            "heads": self.heads,
            "classes": self.classes,
            "temperatures": self.temperatures,
            "sure": {head: asdict(sureness) for head, sureness in self.sure.items()},
            "families": self.families,
        }
        KIND.write(path, header, tensors)

    @classmethod
    def load(cls, path: str | Path) -> "Recording":
        """The recording `save` wrote; raises `GnetError` for any other file."""
        with KIND.reading(path) as (header, tensors):
            return cls._from_file(header, tensors)

    @classmethod
    def _from_file(cls, header: dict, tensors: dict[str, Tensor]) -> "Recording":
        if any(t.dtype != torch.float32 for t in tensors.values()):
            raise ValueError("tensors of another precision")
        shapes = {"pixels": 4, "output": 3, "input": 3, "logits": 1}
        if any(t.dim() != shapes[name.partition("/")[0]] for name, t in tensors.items()):
            raise ValueError("tensors of another shape")
        outputs = {stage: tensors[f"output/{stage}"] for stage in STAGES}
        inputs = {
            stage: tensors[f"input/{stage}"] if f"input/{stage}" in tensors else outputs[before]
            for before, stage in zip(("", *STAGES), STAGES, strict=False)
        }
        return cls(
            pixels=tensors["pixels"],
            outputs=outputs,
            inputs=inputs,
            branches={
                stage: split(output, tuple(header["widths"][stage]))
                for stage, output in outputs.items()
            },
            logits={
                head: tensors[f"logits/{head}"] for head in HEADS if f"logits/{head}" in tensors
            },
            fields={
                stage: {branch: Field(**header["fields"][stage][branch]) for branch in BRANCHES}
                for stage in STAGES
            },
            signed=bool(header["signed"]),
            rectified=bool(header["rectified"]),
            kernel_5x5=int(header["kernel_5x5"]),
            heads=dict(header["heads"]),
            classes=tuple(header["classes"]),
            temperatures={h: float(t) for h, t in header.get("temperatures", {}).items()},
            sure={h: Sureness(**given) for h, given in header.get("sure", {}).items()},
            families=tuple(header.get("families", ())),
        )


def record(model: GoogLeNet, pixels: Tensor, session: Session | None = None) -> Recording:
    """Run the network once and keep everything the page shows of it.

    `pixels`: (1, 3, H, W) in [0, 1], normalised as `model.info.preprocessing` says. The model runs
    in eval mode and gets its mode back; its hooks are gone afterwards, also when the run fails.
    A model from `fold` gives the same to 1e-4, faster, and so does a `session` of the model.
    """
    seen = session(pixels) if session else forward(model, pixels)
    return Recording(
        pixels=as_kept(pixels),
        outputs=seen.outputs,
        inputs=seen.inputs,
        branches={
            stage: split(seen.outputs[stage], module.widths.branches)
            for stage, module in model.inceptions().items()
        },
        logits={head: seen.logits[head] for head in HEADS if head in seen.logits},
        fields=receptive_fields(model),
        signed=model.config.order == "norm-relu-conv",
        rectified=model.config.rectified_outputs,
        kernel_5x5=model.config.kernel_5x5,
        heads=dict(model.info.heads),
        classes=model.info.classes,
        temperatures=dict(model.info.temperatures),
        sure=dict(model.info.sure),
        families=model.info.families,
    )


def split(output: Tensor, widths: tuple[int, ...], axis: int = 0) -> dict[str, Tensor]:
    """A module's output as its four branches: views, cut along the channels' axis."""
    return dict(zip(BRANCHES, output.split(widths, axis), strict=True))


def _is_output_before(stage: str, given: Tensor, outputs: Mapping[str, Tensor]) -> bool:
    """Whether a module's input is the previous module's output itself, with no pool between."""
    before = STAGES[STAGES.index(stage) - 1] if stage != STAGES[0] else None
    return before is not None and given.data_ptr() == outputs[before].data_ptr()
