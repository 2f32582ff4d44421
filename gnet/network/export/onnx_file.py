"""A network as an ONNX file, and that file run beside the network."""

import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from gnet.errors import GnetError
from gnet.network import weights
from gnet.network.costs import branch_units
from gnet.network.export.description import heads_of
from gnet.network.export.onnx_runtime import onnx_runtime
from gnet.network.hooks import evaluating
from gnet.network.model import GoogLeNet, deepest
from gnet.system.atomic import atomically


def to_onnx(
    model: GoogLeNet,
    path: str | Path,
    size: int | None = None,
    *,
    head: str | None = None,
    branches: bool = False,
) -> Path:
    """Write the network as one ONNX file, whole or not at all, and return the path.

    Input `pixels`: (N, 3, size, size) float32, normalised as the preprocessing says, N free;
    outputs `main`, `aux1`, `aux2`: logits (N, classes). With `head` only that one, and nothing
    that it does not need. With `branches` also what every branch on the way puts out,
    (N, channels, h, w), named by its last unit, as `inception_4b/3x3`. Weights are named as in the
    state dict. Config and info stand as JSON under `gnet` in the file's metadata. Raises
    `GnetError` where onnx is not installed.
    """
    if importlib.util.find_spec("onnx") is None:
        raise GnetError(
            "Export to ONNX needs onnx, not installed here; install with pip install onnx."
        )
    import onnx

    from gnet.network.export.onnx_graph import NetworkGraph

    size = size or model.info.preprocessing.size
    model.config.check_size(size, size)
    heads = heads_of(model, head)
    graph = NetworkGraph(model, size, heads)
    for name in heads:
        graph.put_out(graph.logits[name], name)
    for branch, unit in branch_units(deepest(heads)).items() if branches else ():
        graph.put_out(graph.branches[branch], unit)
    described = onnx.shape_inference.infer_shapes(graph.written(), strict_mode=True, data_prop=True)
    onnx.helper.set_model_props(described, {"gnet": weights.description(model)})
    onnx.checker.check_model(described)
    with atomically(path) as temporary:
        onnx.save(described, str(temporary))
    return Path(path)


@dataclass(frozen=True, kw_only=True)
class OnnxCheck:
    """An ONNX file run beside the network it was made from, on the same random pixels."""

    outputs: int
    error: float
    """The largest difference, relative to the largest value of that output."""


def check_onnx(
    model: GoogLeNet, path: str | Path, *, head: str | None = None, branches: bool = False
) -> OnnxCheck | None:
    """Compare a file that `to_onnx` wrote with torch; None where onnxruntime is not installed."""
    runtime = onnx_runtime()
    if runtime is None:
        return None
    options = runtime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    session = runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    size = session.get_inputs()[0].shape[-1]
    pixels = torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(0))
    theirs = session.run(None, {session.get_inputs()[0].name: pixels.numpy()})
    ours = _outputs(model, pixels.to(next(model.parameters()).device), head, branches)
    errors = [
        float((torch.from_numpy(other) - own.cpu()).abs().max() / own.abs().max().clamp_min(1e-12))
        for other, own in zip(theirs, ours, strict=True)
    ]
    return OnnxCheck(outputs=len(errors), error=max(errors))


def _outputs(
    model: GoogLeNet, pixels: Tensor, head: str | None, branches: bool
) -> Iterator[Tensor]:
    """What torch computes of the file's outputs, in their order."""
    heads = heads_of(model, head)
    parts: dict[tuple[str, str], Tensor] | None = {} if branches else None
    with evaluating(model), torch.no_grad():
        logits = model.run(pixels, heads, parts)
    yield from (logits[head] for head in heads)
    yield from (parts or {}).values()


def agreement(checked: OnnxCheck) -> str:
    """The check in a sentence."""
    return (
        f"ONNX Runtime and torch agree in {checked.outputs} output"
        f"{'s' * (checked.outputs != 1)}: the largest difference is {checked.error:.0e} of an "
        "output's largest value."
    )
