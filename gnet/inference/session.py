"""The same forward by ONNX Runtime, where that is installed: faster, without hooks or gradients.

torch is the reference, and answers wherever ONNX Runtime cannot.
"""

from __future__ import annotations

import logging
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from gnet.errors import GnetError
from gnet.inference.forward import Forward, check_logits, forward
from gnet.inference.pixels import as_array, check_pixels
from gnet.network.config import HEADS, STAGES
from gnet.network.export.onnx_runtime import onnx_runtime
from gnet.network.model import GoogLeNet

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

logger = logging.getLogger(__name__)
TOLERANCE = 1e-4
"""The largest difference from torch, relative to the largest value of the same map or head."""


class Session:
    """`forward` of one network, prepared once for square pictures of one size.

    Several threads may call it at once. It takes as many threads as torch has when it is made.
    """

    def __init__(self, model: GoogLeNet, size: int | None = None) -> None:
        """`size` in px; by default that of the network's preprocessing."""
        self.model = model
        self.size = size or model.info.preprocessing.size
        self._weights = [*model.parameters(), *model.buffers()]
        self._versions: list[tuple[int, int]] = []
        self._runtime: InferenceSession | None = None
        if all(map(_is_plain, self._weights)):
            self._versions = self._versions_now()
            try:
                runtime = _runtime(model, self.size)
                self._runtime = runtime if runtime and self._agrees(runtime) else None
            except Exception as error:  # its own kinds have no common one
                first = str(error).strip().partition("\n")[0]
                logger.warning("ONNX Runtime cannot run this network, so torch does: %s", first)

    @property
    def runs_on(self) -> str:
        """`ONNX Runtime` or `torch`."""
        return "ONNX Runtime" if self._runtime else "torch"

    def __call__(self, pixels: Tensor) -> Forward:
        """What `forward` gives for `pixels`, (1, 3, H, W) in [0, 1].

        torch computes it for another size, and once a weight was changed.
        """
        if self._runtime is None or self._versions != self._versions_now():
            return forward(self.model, pixels)
        check_pixels(self.model, pixels)
        if pixels.shape[2:] != (self.size, self.size):
            return forward(self.model, pixels)
        seen = self._run(self._runtime, pixels)
        check_logits(seen.logits)
        return seen

    def _run(self, runtime: InferenceSession, pixels: Tensor) -> Forward:
        from gnet.inference.graph import INPUTS
        from gnet.network.export.onnx_graph import INPUT

        # By numpy: torch's threads would spin for a while and keep their cores from the forward.
        x = self.model.info.preprocessing.normalise_array(as_array(pixels))
        names = [output.name for output in runtime.get_outputs()]
        found = {
            name: torch.from_numpy(np.asarray(values)[0])
            for name, values in zip(names, runtime.run(names, {INPUT: x}), strict=True)
        }
        logits = {head: found.pop(head) for head in HEADS if head in found}
        # (h, w, C) → (C, h, w), in memory as channels-last
        maps = {name: values.permute(2, 0, 1) for name, values in found.items()}
        return Forward(
            inputs={stage: maps[INPUTS[stage]] for stage in STAGES},
            outputs={stage: maps[stage] for stage in STAGES},
            logits=logits,
        )

    def _agrees(self, runtime: InferenceSession) -> bool:
        """Whether both give the same for a picture of noise; torch has to give something."""
        noise = torch.rand(1, 3, self.size, self.size, generator=torch.Generator().manual_seed(0))
        try:
            expected = forward(self.model, noise)
        except GnetError:
            return False
        return difference(self._run(runtime, noise), expected) <= TOLERANCE

    def _versions_now(self) -> list[tuple[int, int]]:
        """Where each weight is in memory, and how often it was changed there."""
        return [(weight.data_ptr(), weight._version) for weight in self._weights]


def difference(one: Forward, other: Forward) -> float:
    """The largest difference, relative to the largest value of the same map or head in `other`."""
    pairs = [
        (mine[name], theirs[name])
        for mine, theirs in zip(_parts(one), _parts(other), strict=True)
        for name in theirs
    ]
    errors = [(a - b).abs().max() / b.abs().max().clamp_min(1e-12) for a, b in pairs]
    return float(torch.stack(errors).max())


def _parts(seen: Forward) -> tuple[dict[str, Tensor], ...]:
    return seen.inputs, seen.outputs, seen.logits


def _is_plain(weight: Tensor) -> bool:
    """Whether ONNX Runtime can take it and a change of it would be noticed."""
    counted = weight.dtype == torch.int64  # a batch norm's number of batches, which nobody reads
    return (
        weight.device.type == "cpu"
        and (counted or weight.dtype == torch.float32)
        and not weight.is_inference()
    )


def _runtime(model: GoogLeNet, size: int) -> InferenceSession | None:
    """The session; None where a package, a layer's translation or space on the disk is missing."""
    try:
        import onnx

        from gnet.inference.graph import forward_graph
    except ImportError:
        return None
    onnxruntime = onnx_runtime()
    if onnxruntime is None:
        return None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.inter_op_num_threads = 1
    # A thread that has nothing to do would else keep its core from a training beside it.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.enable_cpu_mem_arena = False  # no slower, and nothing is held between two pictures
    try:
        with TemporaryDirectory(prefix="gnet-") as folder:
            path = f"{folder}/forward.onnx"  # given the bytes, it would keep them beside its own
            onnx.save(forward_graph(model, size), path)
            return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except (GnetError, OSError):
        return None
