"""A network's forward as an ONNX graph: the nine modules' inputs and outputs, the heads' logits.

It is written layer by layer in a fraction of a second, where torch's exporter takes many, and is
for one picture of one size. Needs the package onnx.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import onnx
import torch
from onnx import helper, numpy_helper
from torch import Tensor, nn

from gnet.network.config import EXITS, HEADS, STAGES
from gnet.network.hooks import evaluating, watching
from gnet.network.model import AuxiliaryHead, ConvBlock, GoogLeNet, Inception, LeftOut

GIVEN = "pixels"
"""The graph's input: (1, 3, size, size) float32, as `GoogLeNet.renormalised` gives it."""
OPSET, FORMAT = 18, 8
"""Versions of ONNX's operators and of its files; old ones, so that many runtimes take them."""
INPUTS = {"3a": "into 3a"} | {stage: before for before, stage in pairwise(STAGES)}
INPUTS |= {"4a": "into 4a", "5a": "into 5a"}
"""Stage → the output that is its input; without a pooling between, that of the stage before."""


class UnknownLayer(Exception):
    """The network holds a layer that is not written here."""


def forward_graph(model: GoogLeNet, size: int) -> onnx.ModelProto:
    """The forward of `model` for one picture of `size` px, with the weights it has now.

    The outputs are named as stages, heads and values of `INPUTS`. Maps are (1, h, w, C), the order
    that channels-last has in memory; logits are (1, classes). Raises `UnknownLayer`.
    """
    graph = _Graph(_seen(model, size))
    heads = HEADS if model.config.aux else ("main",)
    x = GIVEN
    for _, stage, layer in model.trunk():
        if stage in STAGES and INPUTS[stage] not in graph.outputs:
            graph.put_out("Transpose", x, INPUTS[stage], perm=[0, 2, 3, 1])
        x = graph.layer(layer, x)
        if stage in STAGES:
            graph.put_out("Transpose", x, stage, perm=[0, 2, 3, 1])
        for head in (head for head in heads if EXITS[head] == stage):
            logits = graph.in_turn(model.head_modules(head).values(), x)
            graph.put_out("Identity", logits, head)
    return graph.whole([1, 3, size, size])


def _seen(model: GoogLeNet, size: int) -> dict[nn.Module, torch.Size]:
    """What the layers are given whose graph depends on it: layer → (1, C, h, w)."""
    # One forward takes half of the time of a copy on torch's meta device, and imports nothing.
    kinds = (nn.AdaptiveAvgPool2d, LeftOut)
    layers = {layer: layer for layer in model.modules() if isinstance(layer, kinds)}
    with evaluating(model), torch.no_grad(), watching(layers) as passed:
        model(torch.zeros(1, 3, size, size))
    return {layer: values.input.shape for layer, values in passed.items()}


class _Graph:
    """The nodes and constants so far; a value is known by its name."""

    def __init__(self, seen: dict[nn.Module, torch.Size]) -> None:
        self.seen = seen
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self.outputs: list[str] = []

    def whole(self, shape: list[int]) -> onnx.ModelProto:
        """The model of this graph, for an input of `shape`."""
        kind = onnx.TensorProto.FLOAT
        graph = helper.make_graph(
            self.nodes,
            "forward",
            [helper.make_tensor_value_info(GIVEN, kind, shape)],
            [helper.make_tensor_value_info(name, kind, None) for name in self.outputs],
            self.constants,
        )
        opsets = [helper.make_opsetid("", OPSET)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=FORMAT)

    def put_out(self, kind: str, x: str, name: str, **settings: Any) -> None:
        self.nodes.append(helper.make_node(kind, [x], [name], **settings))
        self.outputs.append(name)

    def in_turn(self, layers: Iterable[nn.Module], x: str) -> str:
        for layer in layers:
            x = self.layer(layer, x)
        return x

    def layer(self, layer: nn.Module, x: str) -> str:
        """What the layer makes of `x`."""
        match layer:
            case nn.Identity() | nn.Dropout():
                return x
            case nn.Sequential() | AuxiliaryHead():
                return self.in_turn(layer.children(), x)
            case ConvBlock(conv=conv, bn=norm, relu=relu):
                order = (norm, relu, conv) if layer.pre_activation else (conv, norm, relu)
                return self.in_turn(order, x)
            case Inception():
                parts = [self.layer(branch, x) for branch in layer.branch_modules().values()]
                return self._node("Concat", *parts, axis=1)
            case nn.ReLU():
                return self._node("Relu", x)
            case nn.MaxPool2d():
                return self._node("MaxPool", x, ceil_mode=int(layer.ceil_mode), **_window(layer))
            case nn.AvgPool2d():
                return self._node("AveragePool", x, **_window(layer))
            case nn.AdaptiveAvgPool2d():
                return self._adaptive(layer, x)
            case nn.LocalResponseNorm(size=size, alpha=alpha, beta=beta, k=k):
                return self._node("LRN", x, size=size, alpha=alpha, beta=beta, bias=k)
            case LeftOut(channels=channels):
                _, _, height, width = self.seen[layer]
                return self._constant(torch.zeros(1, channels, height, width))
        return self._weighted(layer, x)

    def _weighted(self, layer: nn.Module, x: str) -> str:
        match layer:
            case nn.Conv2d(weight=weight, bias=bias):
                return self._node("Conv", x, *self._constants(weight, bias), **_window(layer))
            case nn.Linear(weight=weight, bias=bias):
                flat = self._node("Flatten", x)  # (1, features)
                return self._node("Gemm", flat, *self._constants(weight, bias), transB=1)
            case nn.BatchNorm2d(weight=weight, bias=bias, running_mean=mean, running_var=var):
                values = self._constants(weight, bias, mean, var)
                return self._node("BatchNormalization", x, *values, epsilon=layer.eps)
        raise UnknownLayer(type(layer).__name__)

    def _adaptive(self, layer: nn.AdaptiveAvgPool2d, x: str) -> str:
        """An average is linear: its matrix is what the layer makes of each cell alone."""
        _, channels, height, width = self.seen[layer]
        cells = torch.eye(height * width).view(-1, 1, height, width)
        averages = layer(cells)  # (h · w, 1, its height, its width)
        matrix = self._constant(averages.flatten(1))
        flat = self._node("Reshape", x, self._constant(torch.tensor([1, channels, -1])))
        shape = self._constant(torch.tensor([1, channels, *averages.shape[2:]]))
        return self._node("Reshape", self._node("MatMul", flat, matrix), shape)

    def _node(self, kind: str, *given: str, **settings: Any) -> str:
        name = f"{kind} {len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, given, [name], **settings))
        return name

    def _constants(self, *values: Tensor | None) -> list[str]:
        return [self._constant(value) for value in values if value is not None]

    def _constant(self, value: Tensor) -> str:
        name = f"constant {len(self.constants)}"
        array = value.detach().contiguous().numpy()
        self.constants.append(numpy_helper.from_array(array, name))
        return name


def _window(layer: nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d) -> dict[str, Any]:
    """Kernel, stride and padding of both sides, as ONNX names them."""
    kernel, stride, padding = (
        [value] * 2 if isinstance(value, int) else list(value)
        for value in (layer.kernel_size, layer.stride, layer.padding)
    )
    return {"kernel_shape": kernel, "strides": stride, "pads": padding * 2}
