"""The forward that a page shows as an ONNX graph: modules' inputs and outputs, heads' logits.

It is for one picture of one size. Needs the package onnx.
"""

from __future__ import annotations

from itertools import pairwise

import onnx

from gnet.network.config import HEADS, STAGES
from gnet.network.export.onnx_graph import NetworkGraph
from gnet.network.model import GoogLeNet

INPUTS = {"3a": "into 3a"} | {stage: before for before, stage in pairwise(STAGES)}
INPUTS |= {"4a": "into 4a", "5a": "into 5a"}
"""Stage → the output that is its input; without a pooling between, that of the stage before."""


def forward_graph(model: GoogLeNet, size: int) -> onnx.ModelProto:
    """The forward of `model` for one picture of `size` px, with the weights it has now.

    The outputs are named as stages, heads and values of `INPUTS`. Maps are (1, h, w, C), the order
    that channels-last has in memory; logits are (1, classes). Raises `GnetError` for a layer that
    is not written as ONNX.
    """
    graph = NetworkGraph(model, size, HEADS if model.config.aux else ("main",))
    maps = {INPUTS[stage]: value for stage, value in graph.inputs.items()} | graph.outputs
    for name, value in maps.items():
        graph.put_out(value, name, "Transpose", perm=[0, 2, 3, 1])
    for head, value in graph.logits.items():
        graph.put_out(value, head)
    return graph.written(rows=1)
