"""Writes a network as an ONNX graph, layer by layer, in a fraction of a second.

The caller says what the graph puts out. Weights are named as in the state dict, and nodes by the
module they stand for. Needs the package onnx.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import onnx
import torch
from onnx import helper, numpy_helper
from torch import Tensor, nn

from gnet.errors import GnetError
from gnet.network.config import EXITS
from gnet.network.costs import output_shapes
from gnet.network.model import AuxiliaryHead, ConvBlock, GoogLeNet, Inception, LeftOut, deepest

INPUT = "pixels"
"""The graph's input: (N, 3, size, size) float32, normalised as the preprocessing says."""
OPSET, FORMAT = 18, 8
"""Versions of ONNX's operators and of its files; old ones, so that many runtimes take them."""
_ROWS = "batch"
"""The number of pictures, where it is free."""


class NetworkGraph:
    """The nodes and weights of a network up to the last of `heads`.

    A value is known by its name. Those that a caller may put out are in `inputs`, `outputs`,
    `branches` and `logits`. Raises `GnetError` for a layer that is not written here.
    """

    def __init__(self, model: GoogLeNet, size: int, heads: tuple[str, ...]) -> None:
        """`size`: side of the pictures, in px."""
        self.inputs: dict[str, str] = {}
        """Stage → (N, C, h, w)."""
        self.outputs: dict[str, str] = {}
        """Stage → (N, C, h, w), the branches concatenated."""
        self.branches: dict[tuple[str, str], str] = {}
        """(stage, branch) → (N, its channels, h, w)."""
        self.logits: dict[str, str] = {}
        """Head → (N, classes)."""
        self._size = size
        self._sides = _sides(model, size, heads)
        """Head → side of the maps that it reads."""
        self._side = 0
        """The same of the head that is being written."""
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[str, onnx.TensorProto] = {}
        self._put_out: list[str] = []
        self._network(model, heads)

    def put_out(self, value: str, name: str, kind: str = "Identity", **settings: Any) -> None:
        """Make `value` an output of this name, changed as the operator `kind` says."""
        self._nodes.append(helper.make_node(kind, [value], [name], name, **settings))
        self._put_out.append(name)

    def written(self, rows: int | None = None) -> onnx.ModelProto:
        """The graph with what was put out, for `rows` pictures at once; None leaves N free."""
        kind, size = onnx.TensorProto.FLOAT, self._size
        graph = helper.make_graph(
            self._nodes,
            "GoogLeNet",
            [helper.make_tensor_value_info(INPUT, kind, [rows or _ROWS, 3, size, size])],
            [helper.make_tensor_value_info(name, kind, None) for name in self._put_out],
            list(self._constants.values()),
        )
        opsets = [helper.make_opsetid("", OPSET)]
        return helper.make_model(
            graph, producer_name="gnet", opset_imports=opsets, ir_version=FORMAT
        )

    def _network(self, model: GoogLeNet, heads: tuple[str, ...]) -> None:
        x = INPUT
        if model.config.transform_input:
            x = self._renormalised(model, x)
        for name, stage, layer in model.trunk(deepest(heads)):
            if isinstance(layer, Inception):
                assert stage is not None
                self.inputs[stage] = x
                x = self._inception(layer, x, name, stage)
                self.outputs[stage] = x
            else:
                x = self._layer(layer, x, name)
            for head in (head for head in heads if EXITS[head] == stage):
                self.logits[head] = self._head(model, head, x)

    def _renormalised(self, model: GoogLeNet, x: str) -> str:
        """A scale and a shift, read from what the network makes of 0 and of 1."""
        with torch.no_grad():
            shift, both = model.renormalised(torch.tensor([0.0, 1.0]).view(2, 1, 1, 1))
        scale = self._constant("renormalised.scale", both - shift)
        scaled = self._node("Mul", "renormalised/Mul", x, scale)
        return self._node(
            "Add", "renormalised/Add", scaled, self._constant("renormalised.shift", shift)
        )

    def _inception(self, module: Inception, x: str, name: str, stage: str) -> str:
        own = [child for child, _ in module.named_children()]
        parts = {
            branch: self._layer(layer, x, f"{name}.{child}")
            for (branch, layer), child in zip(module.branch_modules().items(), own, strict=True)
        }
        self.branches |= {(stage, branch): part for branch, part in parts.items()}
        return self._node("Concat", name, *parts.values(), axis=1)

    def _head(self, model: GoogLeNet, head: str, x: str) -> str:
        self._side = self._sides[head]
        for name, layer in model.head_modules(head).items():
            x = self._layer(layer, x, f"{head}.outputs" if name == "outputs" else name)
        return x

    def _in_turn(self, layers: Iterable[tuple[str, nn.Module]], x: str, name: str) -> str:
        for own, layer in layers:
            x = self._layer(layer, x, f"{name}.{own}")
        return x

    def _layer(self, layer: nn.Module, x: str, name: str) -> str:
        """What the layer of this name makes of `x`."""
        match layer:
            case nn.Identity() | nn.Dropout():
                return x
            case nn.Sequential() | AuxiliaryHead():
                return self._in_turn(layer.named_children(), x, name)
            case ConvBlock():
                order = ("bn", "relu", "conv") if layer.pre_activation else ("conv", "bn", "relu")
                steps = [(own, layer.get_submodule(own)) for own in order]
                return self._in_turn(steps, x, name)
            case nn.ReLU():
                return self._node("Relu", name, x)
            case nn.MaxPool2d():
                ceil = int(layer.ceil_mode)
                return self._node("MaxPool", name, x, ceil_mode=ceil, **_window(layer))
            case nn.AvgPool2d():
                return self._node("AveragePool", name, x, **_window(layer))
            case nn.AdaptiveAvgPool2d():
                return self._adaptive(layer, x, name)
            case nn.LocalResponseNorm(size=size, alpha=alpha, beta=beta, k=k):
                return self._node("LRN", name, x, size=size, alpha=alpha, beta=beta, bias=k)
            case LeftOut():
                return self._zeros(layer.channels, x, name)
        return self._weighted(layer, x, name)

    def _weighted(self, layer: nn.Module, x: str, name: str) -> str:
        match layer:
            case nn.Conv2d():
                values = self._weights(layer, name, "weight", "bias")
                return self._node("Conv", name, x, *values, **_window(layer))
            case nn.Linear():
                flat = self._node("Flatten", f"{name}/Flatten", x)  # (N, features)
                values = self._weights(layer, name, "weight", "bias")
                return self._node("Gemm", name, flat, *values, transB=1)
            case nn.BatchNorm2d():
                own = ("weight", "bias", "running_mean", "running_var")
                values = self._weights(layer, name, *own)
                return self._node("BatchNormalization", name, x, *values, epsilon=layer.eps)
        raise GnetError(f"{name} is a {type(layer).__name__}, which is not written as ONNX.")

    def _adaptive(self, layer: nn.AdaptiveAvgPool2d, x: str, name: str) -> str:
        """An average is linear: its matrix is what the layer makes of each cell alone."""
        side = self._side
        averages = layer(torch.eye(side**2).view(-1, 1, side, side))  # (side², 1, its h, its w)
        matrix = self._constant(f"{name}.averages", averages.flatten(1))
        # 0 keeps N and the channels
        flat = self._reshaped(x, [0, 0, -1], f"{name}/cells")
        means = self._node("MatMul", f"{name}/means", flat, matrix)
        return self._reshaped(means, [0, 0, *averages.shape[2:]], name)

    def _zeros(self, channels: int, x: str, name: str) -> str:
        """(N, channels, h, w), with N, h and w those of `x`."""
        rows = self._node("Shape", f"{name}/rows", x, start=0, end=1)
        sides = self._node("Shape", f"{name}/sides", x, start=2)
        width = self._constant(f"{name}.channels", torch.tensor([channels]))
        shape = self._node("Concat", f"{name}/shape", rows, width, sides, axis=0)
        return self._node("ConstantOfShape", name, shape)

    def _reshaped(self, x: str, shape: list[int], name: str) -> str:
        return self._node("Reshape", name, x, self._constant(f"{name}.shape", torch.tensor(shape)))

    def _node(self, kind: str, name: str, *given: str, **settings: Any) -> str:
        self._nodes.append(helper.make_node(kind, given, [name], name, **settings))
        return name

    def _weights(self, layer: nn.Module, name: str, *own: str) -> list[str]:
        """Those of the layer's weights that it has."""
        values = {key: getattr(layer, key) for key in own}
        return [
            self._constant(f"{name}.{key}", value)
            for key, value in values.items()
            if value is not None
        ]

    def _constant(self, name: str, value: Tensor) -> str:
        array = value.detach().cpu().contiguous().numpy()
        self._constants[name] = numpy_helper.from_array(array, name)
        return name


def _sides(model: GoogLeNet, size: int, heads: tuple[str, ...]) -> dict[str, int]:
    names = {stage: name for name, stage, layer in model.trunk() if isinstance(layer, Inception)}
    read = {head: names[EXITS[head]] for head in heads}
    shapes = output_shapes(model.config, size, list(read.values()))
    return {head: shapes[name][-1] for head, name in read.items()}


def _window(layer: nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d) -> dict[str, Any]:
    """Kernel, stride and padding of both sides, as ONNX names them."""
    kernel, stride, padding = (
        [value] * 2 if isinstance(value, int) else list(value)
        for value in (layer.kernel_size, layer.stride, layer.padding)
    )
    return {"kernel_shape": kernel, "strides": stride, "pads": padding * 2}
