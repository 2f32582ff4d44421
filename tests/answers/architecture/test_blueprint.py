"""The drawing: every block of the live modules once, none over another, each with its heads."""

import itertools

import pytest
from torch import nn

from gnet.answers.architecture.blueprint import blueprint
from gnet.answers.architecture.plans import shape_of
from gnet.network.config import PRESETS, ModelConfig
from gnet.network.model import ConvBlock, GoogLeNet
from support.networks import without_memory


def models() -> list[GoogLeNet]:
    changed = {"stem": "small", "left_out": "5x5", "aux": False, "width": 0.25}
    return [*map(shape_of, PRESETS), without_memory("batch-norm", **changed)]


@pytest.mark.parametrize("model", models(), ids=[*PRESETS, "changed"])
def test_each_block_is_drawn_once_and_lies_over_no_other(model):
    drawing = blueprint(model, 224)
    names = [node["id"] for node in drawing["nodes"]]
    assert len(set(names)) == len(names)
    parts = model.named_modules()
    blocks = [name for name, part in parts if isinstance(part, ConvBlock | nn.Linear)]
    assert set(blocks) <= set(names)
    for one, other in itertools.combinations(drawing["nodes"], 2):
        (x, y, w, h), (left, top, wide, tall) = one["place"], other["place"]
        apart = x + w <= left or left + wide <= x or y + h <= top or top + tall <= y
        assert apart, (one["id"], other["id"])
    for node in drawing["nodes"]:
        x, y, w, h = node["place"]
        assert x >= 0 and y >= 0
        assert x + w <= drawing["width"] and y + h <= drawing["height"]


@pytest.mark.parametrize("head", ["aux1", "aux2", "main"])
def test_a_head_colours_just_the_blocks_that_it_needs(head):
    model = shape_of("pre-activation")
    needed = {id(p) for p in model.until(head).parameters()}
    for node in blueprint(model, 224)["nodes"]:
        own = {id(p) for p in model.get_submodule(node["id"]).parameters()}
        if own:
            assert (own <= needed) == (head in node["heads"]), node["id"]


def test_the_order_of_a_block_is_that_of_the_preset():
    steps = {}
    for preset in ("batch-norm", "pre-activation", "paper"):
        nodes = {node["id"]: node for node in blueprint(shape_of(preset), 224)["nodes"]}
        steps[preset] = nodes["inception4b.branch2.1"]["steps"]
    assert steps["batch-norm"] == ["convolution", "batch norm", "ReLU"]
    assert steps["pre-activation"] == ["batch norm", "ReLU", "convolution"]
    assert steps["paper"] == ["convolution", "ReLU"]


def test_a_5x5_branch_with_a_3x3_kernel_is_drawn_as_what_it_is():
    nodes = {node["id"]: node for node in blueprint(shape_of("torchvision"), 224)["nodes"]}
    assert nodes["inception3a.branch3.1"]["title"] == "3×3 (“5×5”)"
    assert nodes["inception3a.branch2.1"]["title"] == "3×3"
    assert ["A cell sees", "43 px, every 8 px"] in nodes["inception3a.branch3.1"]["facts"]
    assert ModelConfig.preset("torchvision").kernel_5x5 == 3
