"""Attributions equal captum called naively, plain autograd and hand-written computations."""

import json
from dataclasses import replace
from typing import Any

import pytest
import torch
from captum.attr import GuidedBackprop, IntegratedGradients, LayerGradCam
from torch import Tensor, nn
from torch.nn import functional as F

from gnet.explain.attribution.attribute import attribute
from gnet.explain.attribution.checks import stages_before
from gnet.explain.attribution.methods import METHODS, PICTURE
from gnet.explain.attribution.options import STEPS
from gnet.figures.colours import over_picture
from gnet.network.config import HEADS, PROBE, TRAINED, ModelConfig
from gnet.network.folding import fold
from gnet.network.hooks import watching
from gnet.network.info import ModelInfo, Preprocessing
from gnet.network.model import GoogLeNet
from gnet.network.receptive_field import receptive_fields, spread

CLASSES = 7
INFO = ModelInfo(
    classes=tuple("abcdefg"),
    preprocessing=Preprocessing(size=64, mean=(0.4, 0.5, 0.6), std=(0.2, 0.25, 0.3)),
    heads={"main": TRAINED, "aux1": TRAINED, "aux2": PROBE},
)


def network(preset: str = "batch-norm", info: ModelInfo = INFO, **changes) -> GoogLeNet:
    """A narrow network in eval mode whose batch statistics fit its weights."""
    torch.manual_seed(3)
    config = ModelConfig.preset(preset, num_classes=CLASSES, width=0.125, **changes)
    model = GoogLeNet(config, info)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None  # an average over what it is shown
    with torch.no_grad():
        model.train()(INFO.preprocessing.normalise(torch.rand(8, 3, 64, 64)))
    return model.eval()


@pytest.fixture(scope="module")
def model() -> GoogLeNet:
    return network()


@pytest.fixture(scope="module")
def pixels() -> Tensor:
    torch.manual_seed(5)
    return F.interpolate(torch.rand(1, 3, 8, 8), (64, 64), mode="bilinear")


def gradient(model: GoogLeNet, pixels: Tensor, head: str, target: int) -> Tensor:
    """∂ logit / ∂ pixels by plain autograd, (3, H, W)."""
    x = pixels.clone().requires_grad_()
    logits = getattr(model(model.info.preprocessing.normalise(x)), head)
    (result,) = torch.autograd.grad(logits[0, target], x)
    return result[0]


def hooks(model: nn.Module) -> int:
    return sum(
        len(m._forward_hooks) + len(m._forward_pre_hooks) + len(m._backward_hooks)
        for m in model.modules()
    )


def options(method: str) -> dict[str, Any]:
    """What `method` must be told beside the class."""
    return {"stage": "4a"} if METHODS[method].needs_stage else {}


@pytest.mark.parametrize(("head", "target"), [("main", 0), ("main", 6), ("aux1", 2), ("aux2", 5)])
def test_saliency_is_the_largest_absolute_gradient_over_the_colours(model, pixels, head, target):
    got = attribute(model, pixels, method="saliency", head=head, target=target)
    expected = gradient(model, pixels, head, target).abs().amax(0)
    torch.testing.assert_close(got.map, expected, rtol=1e-5, atol=1e-6)
    assert (got.low, got.high) == (got.map.min().item(), got.map.max().item())
    assert not got.signed
    assert got.score == pytest.approx(
        getattr(model(INFO.preprocessing.normalise(pixels)), head)[0, target].item(), rel=1e-5
    )


def test_the_gradient_is_with_respect_to_pixels(model, pixels):
    """Halving every deviation doubles what one unit of pixel value does to the input."""
    target = 1
    x = INFO.preprocessing.normalise(pixels).requires_grad_()
    (by_input,) = torch.autograd.grad(model.until("main")(x)[0, target], x)
    by_pixel = by_input[0] / torch.tensor(INFO.preprocessing.std).view(3, 1, 1)
    got = attribute(model, pixels, method="saliency", target=target)
    torch.testing.assert_close(got.map, by_pixel.abs().amax(0), rtol=1e-4, atol=1e-6)


def straight(model: GoogLeNet) -> GoogLeNet:
    """The same network made linear: no ReLU, average instead of maximum."""
    for module in list(model.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, nn.ReLU):
                setattr(module, name, nn.Identity())
            elif isinstance(child, nn.MaxPool2d):
                average = nn.AvgPool2d(
                    child.kernel_size, child.stride, child.padding, child.ceil_mode
                )
                setattr(module, name, average)
    return model


@pytest.mark.parametrize("head", HEADS)
def test_integrated_gradients_are_exact_on_a_linear_network(pixels, head):
    linear = straight(network())
    got = attribute(linear, pixels, method="integrated-gradients", head=head, target=4, steps=2)
    mean = torch.tensor(INFO.preprocessing.mean).view(3, 1, 1)
    expected = (gradient(linear, pixels, head, 4) * (pixels[0] - mean)).sum(0)
    torch.testing.assert_close(got.map, expected, rtol=1e-4, atol=1e-5 * got.high)
    assert got.relative_error is not None
    assert got.relative_error < 1e-4


def test_integrated_gradients_equal_captum_called_naively(model, pixels):
    """One call, all points at once, against ours in small batches."""

    def logits(x: Tensor) -> Tensor:
        return model(INFO.preprocessing.normalise(x)).main

    baseline = torch.tensor(INFO.preprocessing.mean).view(1, 3, 1, 1).expand_as(pixels)
    naive = IntegratedGradients(logits).attribute(
        pixels, baselines=baseline, target=2, n_steps=10, method="riemann_middle"
    )
    got = attribute(model, pixels, method="integrated-gradients", target=2, steps=10)
    expected = naive[0].sum(0)
    torch.testing.assert_close(got.map, expected, rtol=1e-3, atol=1e-4 * got.high)


@pytest.mark.parametrize("head", HEADS)
def test_integrated_gradients_are_complete_where_the_path_is_straight(pixels, head):
    """Without biases ReLU and max-pool scale with their input: along the path nothing switches."""
    homogeneous = network(norm="none")
    got = attribute(
        homogeneous, pixels, method="integrated-gradients", head=head, target=3, steps=2
    )
    assert got.baseline_score == 0
    assert got.relative_error is not None
    assert got.relative_error < 1e-4
    assert got.map.sum().item() == pytest.approx(got.score, rel=1e-4)


@pytest.mark.parametrize("head", HEADS)
def test_the_completeness_error_is_what_the_map_misses(model, pixels, head):
    got = attribute(model, pixels, method="integrated-gradients", head=head, target=3)
    mean = torch.tensor(INFO.preprocessing.mean).view(1, 3, 1, 1).expand_as(pixels)
    ends = torch.cat([pixels, mean])
    score, baseline = getattr(model(INFO.preprocessing.normalise(ends)), head)[:, 3].tolist()
    assert got.score == pytest.approx(score, abs=1e-5)
    assert got.baseline_score is not None
    assert got.baseline_score == pytest.approx(baseline, abs=1e-5)
    assert got.completeness_error is not None
    assert got.completeness_error == pytest.approx(
        abs(got.map.double().sum().item() - (score - baseline)), abs=1e-5
    )
    assert got.relative_error == got.completeness_error / abs(got.score - got.baseline_score)
    assert got.signed
    assert got.low < 0 < got.high
    assert got.steps == STEPS


def test_more_steps_bring_the_sum_closer(model, pixels):
    few, many = (
        attribute(model, pixels, method="integrated-gradients", target=3, steps=steps)
        for steps in (4, 256)
    )
    assert many.completeness_error is not None
    assert few.completeness_error is not None
    assert many.completeness_error < few.completeness_error / 4


def by_hand(
    model: GoogLeNet, pixels: Tensor, head: str, target: int, stage: str, branch: str | None
) -> Tensor:
    """Grad-CAM on its own grid without captum: mean gradient × response, summed, cut at 0."""
    module = model.inceptions()[stage]
    watched = module if branch is None else module.branch_modules()[branch]
    with watching({"it": watched}) as passed:
        logit = model.until(head)(INFO.preprocessing.normalise(pixels))[0, target]
    response = passed["it"].output
    (slope,) = torch.autograd.grad(logit, response)
    return (slope.mean((2, 3), keepdim=True) * response).sum(1)[0].relu().detach()


@pytest.mark.parametrize("branch", [None, "1x1", "3x3", "5x5", "pool"])
@pytest.mark.parametrize(("head", "stage"), [("main", "4d"), ("aux1", "4a"), ("aux2", "3b")])
def test_grad_cam_equals_the_computation_by_hand(model, pixels, head, stage, branch):
    got = attribute(
        model, pixels, method="grad-cam", head=head, target=1, stage=stage, branch=branch
    )
    small = by_hand(model, pixels, head, 1, stage, branch)
    assert got.grid == tuple(small.shape)
    field = receptive_fields(model)[stage][branch or "1x1"]
    expected = spread(small, field, (64, 64))
    torch.testing.assert_close(got.map, expected, rtol=1e-4, atol=1e-7)
    assert got.low >= 0


def test_grad_cam_of_a_module_equals_captum(model, pixels):
    cam = LayerGradCam(model.until("main"), model.inception4b)
    naive = cam.attribute(INFO.preprocessing.normalise(pixels), target=2, relu_attributions=True)
    assert isinstance(naive, Tensor)
    field = receptive_fields(model)["4b"]["1x1"]
    expected = spread(naive[0, 0].detach(), field, (64, 64))
    got = attribute(model, pixels, method="grad-cam", target=2, stage="4b")
    torch.testing.assert_close(got.map, expected, rtol=1e-5, atol=1e-8)
    assert got.high > 0


@pytest.mark.parametrize("stage", ["3a", "4a", "5b"])
def test_a_cell_of_grad_cam_lies_where_its_field_has_its_centre(stage, monkeypatch):
    """Both figures, the map over the picture and a branch's mean map, put a cell at one place."""
    model = network()
    pixels, field = torch.full((1, 3, 128, 128), 0.5), receptive_fields(model)[stage]["1x1"]
    bump = torch.zeros(128 // field.stride, 128 // field.stride)
    bump[2, 1] = 1.0
    method = replace(METHODS["grad-cam"], function=lambda question: bump)
    monkeypatch.setitem(METHODS, "grad-cam", method)
    got = attribute(model, pixels, method="grad-cam", target=0, stage=stage)
    place = divmod(int(got.map.argmax()), 128)
    assert place == (field.start + 2 * field.stride, field.start + field.stride)
    other = over_picture(pixels, bump, field, 1.0, signed=False).astype(float).sum(2)
    times = len(other) // 128
    row, col = divmod(int(other.argmax()), other.shape[1])
    assert abs(row / times - place[0]) <= 1 and abs(col / times - place[1]) <= 1


def test_grad_cam_of_a_branch_reads_no_other_branch(pixels):
    """With one branch's last layer at zero its map is empty, and the others' maps are not."""
    model = network()
    norm = model.get_submodule("inception5b.branch3.1.bn")
    assert isinstance(norm, nn.BatchNorm2d)
    nn.init.zeros_(norm.weight)
    nn.init.zeros_(norm.bias)
    maps = {
        branch: [
            attribute(model, pixels, method="grad-cam", target=t, stage="5b", branch=branch)
            for t in range(CLASSES)
        ]
        for branch in ("3x3", "5x5")
    }
    assert all(a.high == 0 and "nothing" in a.finding for a in maps["5x5"])
    assert any(a.high > 0 for a in maps["3x3"])


@pytest.mark.parametrize("method", METHODS)
def test_the_folded_network_gives_the_same_map(model, pixels, method):
    plain, folded = (
        attribute(m, pixels, method=method, target=2, **options(method))
        for m in (model, fold(model))
    )
    # Folding moves single ReLU and max-pool switches; the map as a whole stays.
    assert F.cosine_similarity(plain.map.flatten(), folded.map.flatten(), dim=0) > 0.999
    assert folded.score == pytest.approx(plain.score, abs=1e-4)


@pytest.mark.parametrize("method", METHODS)
def test_the_same_question_has_the_same_answer(model, pixels, method):
    first, second = (
        attribute(model, pixels, method=method, target=2, **options(method)) for _ in range(2)
    )
    assert torch.equal(first.map, second.map)
    assert first.to_json() == second.to_json()


@pytest.mark.parametrize("method", METHODS)
def test_nothing_is_left_behind(pixels, method):
    model = network()
    model.inception4a.train()
    model.conv2.requires_grad_(False)
    before = pixels.clone()
    state = {name: value.clone() for name, value in model.state_dict().items()}
    with torch.inference_mode():
        got = attribute(model, pixels, method=method, target=0, **options(method))
    assert got.map.shape == ((64, 64) if METHODS[method].about == PICTURE else (9, 4))
    assert got.map.dtype == torch.float32
    assert not got.map.requires_grad
    assert not got.map.is_inference()
    assert all(parameter.grad is None for parameter in model.parameters())
    assert not any(parameter.requires_grad for parameter in model.conv2.parameters())
    assert all(parameter.requires_grad for parameter in model.conv3.parameters())
    assert model.inception4a.training
    assert not model.training
    assert all(torch.equal(value, state[name]) for name, value in model.state_dict().items())
    assert torch.equal(pixels, before)
    assert not pixels.requires_grad
    assert hooks(model) == 0


@pytest.mark.parametrize("preset", ["batch-norm", "pre-activation"])
def test_pictures_need_not_be_square_and_every_order_of_norm_works(preset):
    model = network(preset)
    torch.manual_seed(9)
    pixels = torch.rand(1, 3, 48, 80)
    for method in METHODS:
        got = attribute(model, pixels, method=method, target=0, **options(method))
        assert got.map.shape == ((48, 80) if METHODS[method].about == PICTURE else (9, 4))


@pytest.mark.parametrize("method", METHODS)
def test_no_hook_survives_a_failing_forward(pixels, method):
    model = network()
    model.train()

    class Broken(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            raise RuntimeError("broken on purpose")

    model.add_module("inception5a", Broken())
    with pytest.raises(RuntimeError, match="on purpose"):
        attribute(model, pixels, method=method, target=0, **options(method))
    assert hooks(model) == 0
    assert model.training


def test_guided_backprop_differs_from_the_gradient(model, pixels):
    """It equals the gradient in silence where ReLUs are functions or in place; ours are modules."""
    x = INFO.preprocessing.normalise(pixels).requires_grad_()
    with pytest.warns(UserWarning, match="Setting backward hooks"):
        guided = GuidedBackprop(model.until("main")).attribute(x, target=1)
    (plain,) = torch.autograd.grad(model.until("main")(x)[0, 1], x)
    assert (guided - plain).abs().max() > 0.1 * plain.abs().max()
    assert hooks(model) == 0
    assert all(not m.inplace for m in model.modules() if isinstance(m, nn.ReLU))


def test_a_head_is_explained_by_the_stages_before_it():
    assert stages_before("aux1") == ("3a", "3b", "4a")
    assert stages_before("aux2")[-1] == "4d"
    assert stages_before("main")[-1] == "5b"


def test_saliency_of_an_early_head_ignores_what_lies_behind_it(pixels):
    model = network()
    before = attribute(model, pixels, method="saliency", head="aux1", target=0)
    nn.init.normal_(model.inception4b.branch1.conv.weight)
    after = attribute(model, pixels, method="saliency", head="aux1", target=0)
    assert torch.equal(before.map, after.map)


def test_the_record_carries_what_is_printed_beside_the_map(model, pixels):
    got = attribute(model, pixels, method="grad-cam", target=1, stage="4b", branch="5x5")
    assert got.label == "Grad-CAM of 4b · 5×5"
    assert got.target_name == "b"
    assert got.completeness_error is None
    assert got.relative_error is None
    assert got.baseline_score is None
    record = got.to_json()
    assert record["grid"] == [4, 4]
    assert record["size"] == [64, 64]
    assert "map" not in record


def test_methods_that_explain_the_whole_network_name_no_module(model, pixels):
    got = attribute(model, pixels, method="saliency", target=1, stage="4b", branch="5x5")
    assert got.stage is None
    assert got.branch is None
    assert got.label == "Saliency"


def test_a_picture_of_the_baseline_has_an_empty_map(model):
    mean = torch.tensor(INFO.preprocessing.mean).view(1, 3, 1, 1).expand(1, 3, 64, 64)
    got = attribute(model, mean, method="integrated-gradients", target=1)
    assert got.low == got.high == 0
    assert got.completeness_error == pytest.approx(0, abs=1e-5)
    json.dumps(got.to_json(), allow_nan=False)
