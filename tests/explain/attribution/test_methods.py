"""Each method equals captum called naively, or plain differences; each has its own options."""

import math
from dataclasses import fields, replace

import pytest
import torch
from captum.attr import (
    GuidedBackprop,
    GuidedGradCam,
    InputXGradient,
    LayerConductance,
    LayerFeatureAblation,
    LayerGradCam,
    Occlusion,
    Saliency,
)
from torch import Tensor, nn
from torch.nn import functional as F

from gnet.errors import FieldError, GnetError
from gnet.explain.attribution.all_branches import GradCams, grad_cams
from gnet.explain.attribution.attribute import attribute
from gnet.explain.attribution.checks import stages_before
from gnet.explain.attribution.methods import METHODS
from gnet.explain.attribution.options import RECORDS
from gnet.explain.attribution.question import baseline_of
from gnet.network.config import BRANCHES, HEADS, STAGES, TRAINED
from gnet.network.folding import fold
from gnet.network.info import ModelInfo, Preprocessing
from gnet.network.model import GoogLeNet
from gnet.network.receptive_field import receptive_fields, spread
from support.networks import network

INFO = ModelInfo(
    classes=tuple("abcde"),
    preprocessing=Preprocessing(size=64, mean=(0.4, 0.5, 0.6), std=(0.2, 0.25, 0.3)),
    heads=dict.fromkeys(HEADS, TRAINED),
)


class Whole(nn.Module):
    """Pixels to the main head's logits, written without the project's own parts."""

    def __init__(self, model: GoogLeNet) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> Tensor:
        mean, std = (torch.tensor(v).view(3, 1, 1) for v in ((0.4, 0.5, 0.6), (0.2, 0.25, 0.3)))
        return self.model((x - mean) / std).main


@pytest.fixture(scope="module")
def model() -> GoogLeNet:
    made = fold(network("batch-norm", width=0.125))
    made.info = INFO
    return made


@pytest.fixture(scope="module")
def pixels() -> Tensor:
    torch.manual_seed(5)
    return F.interpolate(torch.rand(1, 3, 8, 8), (64, 64), mode="bilinear")


@pytest.mark.parametrize("head", ["main", "aux1"])
def test_grad_cam_of_all_branches_in_one_pass_equals_a_call_for_each(model, pixels, head):
    every = grad_cams(model, pixels, target=2, head=head).maps
    assert len(every) == 4 * len(stages_before(head))

    def logits(x: Tensor) -> Tensor:
        return getattr(model(INFO.preprocessing.normalise(x)), head)

    for (stage, branch), values in every.items():
        layer = model.inceptions()[stage].branch_modules()[branch]
        expected = LayerGradCam(logits, layer).attribute(
            pixels.clone().requires_grad_(), target=2, relu_attributions=True
        )
        assert isinstance(expected, Tensor)
        torch.testing.assert_close(values, expected[0, 0].detach(), rtol=1e-4, atol=1e-7)
    assert not any(module._forward_hooks for module in model.modules())


def test_the_maps_of_all_branches_say_which_is_largest_and_how_many_are_silent():
    maps = {("3a", branch): torch.zeros(2, 2) for branch in BRANCHES}
    silent = GradCams(head="main", target=0, target_name="cup", maps=maps)
    assert silent.sentence == "All 4 maps are 0 everywhere: no branch speaks for “cup”."
    some = replace(silent, maps=maps | {("3b", "5x5"): torch.tensor([[0.25, 0.5]])})
    assert some.limits == {"3a": 0.0, "3b": 0.5} and some.limit == 0.5
    assert some.sentence.startswith("The largest value, 0.5, has the 5×5 branch of 3b; 4 of 5 maps")


def test_every_method_has_a_record_of_options_and_every_option_a_help():
    assert list(METHODS) == list(RECORDS)
    for record in RECORDS.values():
        assert all(f.metadata["help"] for f in fields(record))
        for f in fields(record):
            assert f.metadata["choices"] or f.metadata["min"] is not None or f.default == ""


def test_input_x_gradient_equals_captums(model, pixels):
    expected = (
        InputXGradient(Whole(model)).attribute(pixels.clone().requires_grad_(), target=2)[0].sum(0)
    )
    got = attribute(model, pixels, method="input-x-gradient", target=2)
    torch.testing.assert_close(got.map, expected.detach(), rtol=1e-4, atol=1e-6)


@pytest.mark.filterwarnings("ignore:Setting")
def test_guided_backprop_equals_captums_and_keeps_the_strongest_colours_sign(model, pixels):
    expected = (
        GuidedBackprop(Whole(model))
        .attribute(pixels.clone().requires_grad_(), target=2)[0]
        .detach()
    )
    got = attribute(model, pixels, method="guided-backprop", target=2)
    torch.testing.assert_close(got.map.abs(), expected.abs().amax(0), rtol=1e-4, atol=1e-7)
    assert ((expected - got.map).abs().amin(0) < 1e-6).all()


@pytest.mark.filterwarnings("ignore:Setting")
def test_guided_grad_cam_of_a_module_equals_captums(model, pixels):
    expected = GuidedGradCam(Whole(model), model.inception4b).attribute(
        pixels.clone().requires_grad_(), target=1, interpolate_mode="bilinear"
    )[0]
    got = attribute(model, pixels, method="guided-grad-cam", target=1, stage="4b")
    torch.testing.assert_close(got.map.abs(), expected.detach().abs().amax(0), rtol=1e-4, atol=1e-9)


def test_guided_grad_cam_of_all_branches_of_a_linear_sum_covers_the_module(model, pixels):
    maps = [
        attribute(model, pixels, method="guided-grad-cam", target=1, stage="4b", branch=branch).map
        for branch in BRANCHES
    ]
    assert len({tuple(one.flatten()[:50].tolist()) for one in maps}) == 4


@pytest.mark.parametrize(("patch", "stride"), [(16, 8), (20, 11), (64, 64), (5, 3)])
@pytest.mark.parametrize("head", ["main", "aux1"])
def test_occlusion_equals_captums_wherever_its_squares_lie(model, pixels, patch, stride, head):
    def logits(x: Tensor) -> Tensor:
        return getattr(model(INFO.preprocessing.normalise(x)), head)

    with torch.no_grad():
        expected = Occlusion(logits).attribute(
            pixels,
            strides=(3, stride, stride),
            sliding_window_shapes=(3, patch, patch),
            target=3,
            baselines=torch.zeros_like(pixels),
            perturbations_per_eval=8,
        )[0, 0]
    got = attribute(
        model,
        pixels,
        method="occlusion",
        target=3,
        head=head,
        patch=patch,
        stride=stride,
        baseline="black",
    )
    torch.testing.assert_close(
        got.map, expected, rtol=1e-3, atol=1e-5 * float(expected.abs().max())
    )


@pytest.mark.parametrize("changes", [{"stem": "small"}, {"local_response_norm": True}])
def test_occlusion_equals_captums_behind_every_stem(pixels, changes):
    model = network("batch-norm", **changes)
    model.info = INFO
    size = 40 if changes.get("stem") else 64
    small = pixels[:, :, :size, :size]
    with torch.no_grad():
        expected = Occlusion(Whole(model)).attribute(
            small,
            strides=(3, 7, 7),
            sliding_window_shapes=(3, 9, 9),
            target=0,
            baselines=baseline_of(model, small, "mean"),
        )[0, 0]
    got = attribute(model, small, method="occlusion", target=0, patch=9, stride=7)
    torch.testing.assert_close(
        got.map, expected, rtol=1e-3, atol=1e-5 * float(expected.abs().max())
    )


def test_layer_conductance_of_the_branches_sums_to_the_modules(model, pixels):
    asked = {"method": "layer-conductance", "target": 2, "stage": "4a"}
    got = attribute(model, pixels, **asked, steps=400)
    assert got.baseline_score is not None and got.completeness_error is not None
    assert got.completeness_error < 0.1 * abs(got.score - got.baseline_score)
    whole = attribute(model, pixels, **asked, steps=50)
    parts = [attribute(model, pixels, **asked, branch=branch, steps=50) for branch in BRANCHES]
    summed = torch.stack([part.map for part in parts]).sum(0)
    torch.testing.assert_close(summed, whole.map, rtol=1e-3, atol=1e-5)
    assert all(part.completeness_error is None for part in parts)  # a branch carries only a part


def captums_conductance(model: GoogLeNet, one: Tensor, other: Tensor, steps: int) -> Tensor:
    """captum's map of 4a for the way from one picture to the other, (h, w)."""
    method = LayerConductance(Whole(model), model.inceptions()["4a"])
    values = method.attribute(
        other, baselines=one, target=2, n_steps=steps, method="riemann_trapezoid"
    )
    assert isinstance(values, Tensor)
    return values[0].sum(0).detach()


def test_layer_conductance_is_the_mean_of_captums_for_the_way_there_and_back(model, pixels):
    plain = baseline_of(model, pixels, "mean")
    got = attribute(model, pixels, method="layer-conductance", target=2, stage="4a", steps=16)
    there = captums_conductance(model, plain, pixels, 16)
    back = -captums_conductance(model, pixels, plain, 16)
    large = spread((there + back) / 2, receptive_fields(model)["4a"]["1x1"], (64, 64))
    torch.testing.assert_close(got.map, large, rtol=0, atol=1e-4 * float(got.map.abs().max()))


def test_feature_ablation_equals_captums_with_a_branch_as_feature(model, pixels):
    got = attribute(model, pixels, method="feature-ablation", target=4)
    for row, stage in enumerate(STAGES):
        widths = torch.tensor(model.inceptions()[stage].widths.branches)
        mask = torch.arange(4).repeat_interleave(widths).view(1, -1, 1, 1)
        with torch.no_grad():
            expected = LayerFeatureAblation(Whole(model), model.inceptions()[stage]).attribute(
                pixels, target=4, layer_mask=mask
            )
        assert isinstance(expected, Tensor)
        first = torch.cat([torch.zeros(1), widths.cumsum(0)[:-1]]).long()
        torch.testing.assert_close(got.map[row], expected[0, first, 0, 0], rtol=1e-3, atol=1e-5)
    early = attribute(model, pixels, method="feature-ablation", target=4, head="aux2")
    assert early.map.shape == (STAGES.index("4d") + 1, 4)


def test_smooth_grad_is_the_mean_of_saliencies_of_noisy_copies(model, pixels):
    with torch.random.fork_rng():
        torch.manual_seed(3)
        noise = 0.05 * torch.randn(4, 3, 64, 64)
    copies = (pixels + noise).requires_grad_()
    expected = Saliency(Whole(model)).attribute(copies, target=1).mean(0).amax(0)
    before = torch.get_rng_state()
    got = attribute(model, pixels, method="smooth-grad", target=1, samples=4, noise=0.05, seed=3)
    torch.testing.assert_close(got.map, expected, rtol=1e-3, atol=1e-5)
    assert torch.equal(torch.get_rng_state(), before)


def test_saliency_equals_finite_differences():
    model = network("batch-norm").double()
    model.info = INFO
    torch.manual_seed(1)
    pixels = 0.2 + 0.6 * torch.rand(1, 3, 32, 32)
    got = attribute(model, pixels, method="saliency", target=0)
    whole, small = Whole(model), 1e-4
    for row, col in ((3, 5), (16, 16), (30, 9)):
        slopes = []
        for colour in range(3):
            ends = []
            for sign in (1, -1):
                moved = pixels.double()
                moved[0, colour, row, col] += sign * small
                with torch.no_grad():
                    ends.append(float(whole(moved)[0, 0]))
            slopes.append(abs(ends[0] - ends[1]) / (2 * small))
        assert float(got.map[row, col]) == pytest.approx(max(slopes), rel=0.02)


@pytest.mark.parametrize("method", ["integrated-gradients", "layer-conductance"])
@pytest.mark.parametrize("baseline", ["mean", "black", "blurred"])
def test_a_map_sums_to_the_difference_from_each_baseline(model, pixels, method, baseline):
    got = attribute(
        model, pixels, method=method, target=2, baseline=baseline, steps=256, stage="4a"
    )
    assert got.baseline_score is not None and got.completeness_error is not None
    assert got.completeness_error < 0.05 * max(0.5, abs(got.score - got.baseline_score))
    plain = baseline_of(model, pixels, baseline)
    with torch.no_grad():
        assert got.baseline_score == pytest.approx(float(Whole(model)(plain)[0, 2]), rel=1e-3)
    assert {"mean": "mean colour", "black": "black", "blurred": "blurred"}[baseline] in got.finding


def test_each_baseline_is_a_picture_of_its_kind(model, pixels):
    black, mean, blurred = (baseline_of(model, pixels, n) for n in ("black", "mean", "blurred"))
    assert not black.any()
    assert torch.equal(mean[0, :, 7, 9], torch.tensor((0.4, 0.5, 0.6)))
    assert float(blurred.std()) < 0.8 * float(pixels.std())
    assert float(blurred.mean()) == pytest.approx(float(pixels.mean()), abs=0.02)


def straightened(model: GoogLeNet) -> GoogLeNet:
    """The same network with averages in place of its max-pools."""
    for module in list(model.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, nn.MaxPool2d):
                kernel, stride, padding = child.kernel_size, child.stride, child.padding
                setattr(module, name, nn.AvgPool2d(kernel, stride, padding, child.ceil_mode))
    return model


def test_deep_lift_is_valid_only_where_its_sums_hold(model, pixels):
    reason = METHODS["deep-lift"].reason(model, "main")
    assert reason and "those of 13 max-pools on the way to main do" in reason
    early = METHODS["deep-lift"].reason(model, "aux1")
    assert early and "those of 6 max-pools on the way to aux1 do" in early
    without = straightened(network("batch-norm", width=0.125))
    without.info = INFO
    assert METHODS["deep-lift"].reason(without, "main") is None
    held = attribute(without, pixels, method="deep-lift", target=1)
    assert held.relative_error is not None and held.relative_error < 0.02


def test_guided_backprop_needs_relu_modules(model):
    assert METHODS["guided-backprop"].reason(model, "main") is None
    bare = network("batch-norm")
    bare.info = INFO
    for module in list(bare.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, nn.ReLU):
                setattr(module, name, nn.Identity())
    reason = METHODS["guided-backprop"].reason(bare, "main")
    assert reason and "ReLU" in reason


@pytest.mark.parametrize(
    ("method", "options", "field"),
    [
        ("integrated-gradients", {"steps": 0}, "steps"),
        ("integrated-gradients", {"baseline": "green"}, "baseline"),
        ("smooth-grad", {"samples": 0}, "samples"),
        ("smooth-grad", {"noise": math.nan}, "noise"),
        ("occlusion", {"patch": 65}, "patch"),
        ("occlusion", {"stride": 0}, "stride"),
        ("occlusion", {"patch": 8, "stride": 9}, "stride"),
        ("occlusion", {"patch": "large"}, "patch"),
    ],
)
def test_an_option_out_of_range_names_its_field(model, pixels, method, options, field):
    with pytest.raises(FieldError) as caught:
        attribute(model, pixels, method=method, target=0, **options)
    assert caught.value.field == field


@pytest.mark.parametrize("method", METHODS)
def test_work_that_is_cancelled_ends_and_leaves_no_hook(model, pixels, method):
    def heard(done: float) -> None:
        raise GnetError("enough")

    with pytest.raises(GnetError, match="enough"):
        attribute(model, pixels, method=method, target=0, stage="4a", heard=heard)
    left = [
        module
        for module in model.modules()
        if module._forward_hooks or module._forward_pre_hooks or module._backward_hooks
    ]
    assert left == []


@pytest.mark.parametrize("method", METHODS)
def test_progress_never_falls_and_stays_within_the_whole(model, pixels, method):
    told: list[float] = []
    attribute(
        model, pixels, method=method, target=0, stage="4a", steps=8, samples=3, heard=told.append
    )
    assert told == sorted(told) and told[0] == 0 and told[-1] <= 1
