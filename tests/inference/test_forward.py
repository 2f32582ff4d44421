"""One forward: the same tensors as hooks by hand, in any precision and in inference mode."""

import pytest
import torch
from torch import Tensor

from gnet.explain.attribution.attribute import attribute
from gnet.explain.recording import record
from gnet.inference.forward import forward
from gnet.network.config import HEADS, STAGES, TRAINED
from gnet.network.info import ModelInfo
from gnet.network.model import GoogLeNet
from gnet.network.receptive_field import effective_fields
from gnet.network.weights import load, save
from support.networks import network

INFO = ModelInfo(heads=dict.fromkeys(HEADS, TRAINED))
METHODS = ("saliency", "integrated-gradients", "grad-cam")


def described() -> GoogLeNet:
    model = network("batch-norm", num_classes=7)
    model.info = INFO
    return model


@pytest.fixture(scope="module")
def pixels() -> Tensor:
    torch.manual_seed(5)
    return torch.rand(1, 3, 64, 64)


def test_a_forward_gives_inputs_outputs_and_logits_of_the_network(pixels):
    model = described()
    seen = forward(model, pixels)
    x = model.info.preprocessing.normalise(pixels)
    with torch.no_grad():
        logits = model.eval()(x)
    assert list(seen.outputs) == list(seen.inputs) == list(STAGES)
    for head in HEADS:
        assert torch.equal(seen.logits[head], getattr(logits, head)[0])
    for stage, module in model.inceptions().items():
        with torch.no_grad():
            assert torch.equal(module(seen.inputs[stage][None])[0], seen.outputs[stage])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_weights_of_another_precision_are_recorded_and_explained(dtype, pixels):
    whole, model = described(), described().to(dtype)
    seen = record(model, pixels)
    assert all(tensor.dtype == torch.float32 for tensor in seen.outputs.values())
    expected = record(whole, pixels).logits["main"]
    torch.testing.assert_close(seen.logits["main"], expected, atol=0.05, rtol=0.05)
    answer = attribute(model, pixels, method="grad-cam", target=0, stage="4a", head="aux1")
    assert answer.map.isfinite().all()
    assert answer.score == pytest.approx(seen.logits["aux1"][0].item(), rel=0.02, abs=0.02)
    assert {parameter.dtype for parameter in model.parameters()} == {dtype}


@pytest.mark.parametrize("method", METHODS)
def test_a_network_loaded_in_inference_mode_is_explained_as_any_other(method, pixels, tmp_path):
    path = save(described(), tmp_path / "model.safetensors")
    with torch.inference_mode():
        model = load(path)
    question = {"method": method, "target": 0, "stage": "3a", "head": "aux1", "steps": 2}
    expected = attribute(load(path), pixels, **question)
    assert torch.equal(attribute(model, pixels, **question).map, expected.map)
    with torch.inference_mode():
        assert torch.equal(attribute(model, pixels, **question).map, expected.map)


def test_effective_fields_are_measured_of_a_network_loaded_in_inference_mode(pixels, tmp_path):
    path = save(described(), tmp_path / "model.safetensors")
    with torch.inference_mode():
        model = load(path)
    assert effective_fields(model, pixels, ["3a"]) == effective_fields(load(path), pixels, ["3a"])
