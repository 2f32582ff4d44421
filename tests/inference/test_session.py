"""ONNX Runtime's forward: torch's values in every map and head, else torch itself."""

import sys

import pytest
import torch
from torch import Tensor, nn

from gnet.errors import GnetError
from gnet.explain.recording import record
from gnet.inference.forward import Forward, forward
from gnet.inference.session import TOLERANCE, Session, difference
from gnet.network.config import HEADS, STAGES, TRAINED
from gnet.network.folding import fold
from gnet.network.info import ModelInfo
from gnet.network.model import GoogLeNet
from support.networks import network, side_for

INFO = ModelInfo(heads=dict.fromkeys(HEADS, TRAINED))


def pixels(side: int) -> Tensor:
    return torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(5))


def session(model: GoogLeNet, size: int) -> Session:
    """One that is known to run on ONNX Runtime."""
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    made = Session(model, size)
    assert made.runs_on == "ONNX Runtime"
    return made


def same(one: Forward, other: Forward) -> bool:
    """Whether one was computed as the other was: equal to the last bit."""
    return difference(one, other) == 0


@pytest.fixture(scope="module")
def model() -> GoogLeNet:
    return fold(network("batch-norm", width=0.25))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"aux": False},
        {"stem": "small"},
        {"transform_input": True},
        {"left_out": "5x5,pool"},
        {"norm": "none", "local_response_norm": True},
        {"rectified_outputs": True},
        {"pool4": 2, "kernel_5x5": 3},
    ],
    ids=str,
)
@pytest.mark.parametrize("folded", [True, False])
def test_every_map_and_head_is_torchs(changes, folded):
    made = network("batch-norm", **changes)
    made = fold(made) if folded else made
    seen, expected = session(made, 64)(pixels(64)), forward(made, pixels(64))
    assert list(seen.inputs) == list(seen.outputs) == list(STAGES)
    assert set(seen.logits) == (set(HEADS) if made.config.aux else {"main"})
    assert difference(seen, expected) < TOLERANCE
    for mine, theirs in zip(seen.outputs.values(), expected.outputs.values(), strict=True):
        assert mine.shape == theirs.shape and mine.dtype == torch.float32
    for a, b in (("3a", "3b"), ("4a", "4b"), ("4d", "4e"), ("5a", "5b")):
        assert seen.inputs[b] is seen.outputs[a]  # kept once


@pytest.mark.parametrize("preset", ["paper", "batch-norm", "pre-activation", "torchvision"])
def test_each_preset_at_its_width_is_torchs(preset):
    made = fold(network(preset, width=1.0))
    side = side_for(made.config)
    assert difference(session(made, side)(pixels(side)), forward(made, pixels(side))) < TOLERANCE


@pytest.mark.parametrize("side", [32, 33, 47, 71, 98, 145, 319, 320])
def test_every_size_is_torchs(model, side):
    assert difference(session(model, side)(pixels(side)), forward(model, pixels(side))) < TOLERANCE


@pytest.mark.parametrize("name", ["black", "white", "a point", "stripes", "red"])
def test_pictures_of_extremes_are_torchs(model, name):
    x = torch.zeros(1, 3, 64, 64)
    if name == "white":
        x += 1
    elif name == "a point":
        x[..., 31, 31] = 1
    elif name == "stripes":
        x[..., ::2] = 1
    elif name == "red":
        x[:, 0] = 1
    assert difference(session(model, 64)(x), forward(model, x)) < TOLERANCE


def test_maps_lie_in_memory_as_those_of_a_folded_network_do(model):
    seen, expected = session(model, 64)(pixels(64)), forward(model, pixels(64))
    for stage in STAGES:
        assert seen.outputs[stage].stride() == expected.outputs[stage].stride()
        assert seen.inputs[stage].stride() == expected.inputs[stage].stride()


@pytest.mark.parametrize("part", ["inputs", "outputs", "logits"])
def test_the_difference_notices_one_value_of_each_part(model, part):
    seen, other = forward(model, pixels(64)), forward(model, pixels(64))
    assert difference(seen, other) == 0
    name, values = list(getattr(other, part).items())[-1]
    changed = values.clone()
    changed[(0,) * changed.dim()] += changed.abs().max()
    getattr(other, part)[name] = changed
    assert difference(seen, other) > 0.4


def test_a_recording_is_made_of_either(model):
    recording = record(model, pixels(64), session(model, 64))
    expected = record(model, pixels(64))
    assert recording.nbytes == expected.nbytes
    for stage, parts in expected.branches.items():
        for branch, values in parts.items():
            torch.testing.assert_close(
                recording.branches[stage][branch], values, rtol=1e-3, atol=1e-3
            )


def test_another_size_is_computed_by_torch(model):
    x = torch.rand(1, 3, 64, 80)
    assert same(session(model, 64)(x), forward(model, x))


def test_once_a_weight_was_changed_torch_computes(model):
    changed = fold(network("batch-norm"))
    made = session(changed, 64)
    for name in ("fc.bias", "inception4a.branch2.1.conv.weight"):
        changed.get_parameter(name).mul_(1.5)
        assert same(made(pixels(64)), forward(changed, pixels(64)))


def test_weights_of_another_precision_or_of_inference_mode_are_computed_by_torch():
    half = network("batch-norm").to(torch.bfloat16)
    with torch.inference_mode():
        inferred = network("batch-norm")
    for made in (half, inferred):
        made_session = Session(made, 64)
        assert made_session.runs_on == "torch"
        assert same(made_session(pixels(64)), forward(made, pixels(64)))


class Twice(nn.Module):
    """A layer that no network of this project has."""

    def forward(self, x: Tensor) -> Tensor:
        return 2 * x


def test_a_layer_without_a_translation_is_computed_by_torch():
    made = network("batch-norm")
    made.inception4c.branch2.insert(1, Twice())
    assert Session(made, 64).runs_on == "torch"
    assert same(Session(made, 64)(pixels(64)), forward(made, pixels(64)))


class Other(nn.ReLU):
    """It calls itself a ReLU and computes something else."""

    def forward(self, input: Tensor) -> Tensor:
        return input.abs()


def test_a_graph_that_disagrees_with_torch_is_not_used():
    made = network("batch-norm")
    made.inception5b.branch1.relu = Other()
    assert Session(made, 64).runs_on == "torch"


@pytest.mark.parametrize("absent", ["onnx", "onnxruntime"])
def test_without_the_packages_torch_computes(model, absent, monkeypatch):
    monkeypatch.setitem(sys.modules, absent, None)
    monkeypatch.delitem(sys.modules, "gnet.inference.graph", raising=False)
    made = Session(model, 64)
    assert made.runs_on == "torch"
    assert same(made(pixels(64)), forward(model, pixels(64)))


def test_what_onnx_runtime_raises_of_its_own_leaves_it_to_torch(model, monkeypatch, caplog):
    import onnxruntime

    def fails(*_, **__):
        raise RuntimeError("[ONNXRuntimeError] : 9 : NOT_IMPLEMENTED\nand more")

    monkeypatch.setattr(onnxruntime, "InferenceSession", fails)
    made = Session(model, 64)
    assert made.runs_on == "torch" and same(made(pixels(64)), forward(model, pixels(64)))
    (record,) = caplog.records
    assert "NOT_IMPLEMENTED" in record.message and "\n" not in record.message


def test_a_diverged_network_is_told_of_as_torch_tells_of_it(model):
    diverged = fold(network("batch-norm"))
    diverged.fc.weight.fill_(float("nan"))
    with pytest.raises(GnetError, match="diverged"):
        Session(diverged, 64)(pixels(64))


def test_a_picture_whose_logits_are_infinite_is_refused():
    made, black, noise = fold(network("batch-norm")), torch.zeros(1, 3, 64, 64), pixels(64)
    dark, grey = (forward(made, x).outputs["5b"].mean((1, 2)) for x in (black, noise))
    channel = int((dark - grey).argmax())
    made.fc.weight.zero_()
    made.fc.bias.fill_(3e38)  # of at most 3.4e38
    made.fc.weight[:, channel] = 0.6e38 / dark[channel]
    prepared = session(made, 64)
    assert prepared(noise).logits["main"].isfinite().all()
    with pytest.raises(GnetError, match="main are NaN or infinite"):
        prepared(black)


def test_what_forward_refuses_is_refused(model):
    with pytest.raises(GnetError, match="floats from 0 to 1"):
        session(model, 64)(2 * torch.ones(1, 3, 64, 64))
