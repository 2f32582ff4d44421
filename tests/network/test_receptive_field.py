"""Receptive fields: against the published arithmetic, and proved on the pixels themselves."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from gnet.network.config import BRANCHES, STAGES, ModelConfig
from gnet.network.hooks import watching
from gnet.network.model import GoogLeNet
from gnet.network.receptive_field import (
    Field,
    box,
    effective_fields,
    middle_cell,
    receptive_fields,
    spread,
    square_holding,
    unit_fields,
)

# px of (1×1, 3×3, 5×5, pool), by hand from the layers of each network.
PAPER = {
    "3a": (27, 43, 59, 43),
    "3b": (59, 75, 91, 75),
    "4a": (107, 139, 171, 139),
    "4b": (171, 203, 235, 203),
    "4c": (235, 267, 299, 267),
    "4d": (299, 331, 363, 331),
    "4e": (363, 395, 427, 395),
    "5a": (459, 523, 587, 523),
    "5b": (587, 651, 715, 651),
}
TORCHVISION = {
    "3a": (27, 43, 43, 43),
    "3b": (43, 59, 59, 59),
    "4a": (75, 107, 107, 107),
    "4b": (107, 139, 139, 139),
    "4c": (139, 171, 171, 171),
    "4d": (171, 203, 203, 203),
    "4e": (203, 235, 235, 235),
    "5a": (251, 315, 315, 315),
    "5b": (315, 379, 379, 379),
}
SMALL = {"width": 0.0625, "num_classes": 4}


def sizes(model: GoogLeNet) -> dict[str, tuple[int, ...]]:
    fields = receptive_fields(model)
    return {stage: tuple(fields[stage][branch].size for branch in BRANCHES) for stage in STAGES}


def transparent(**changes: object) -> GoogLeNet:
    """A net in which every pixel inside a field counts: positive weights, no ReLU, mean pooling."""
    config = ModelConfig.preset("torchvision", norm="none", aux=False, **SMALL)
    model = GoogLeNet(ModelConfig(**{**config.to_json(), **changes}))
    for module in list(model.modules()):
        for name, child in module.named_children():
            if isinstance(child, nn.ReLU):
                setattr(module, name, nn.Identity())
            elif isinstance(child, nn.MaxPool2d):
                pool = nn.AvgPool2d(child.kernel_size, child.stride, child.padding, child.ceil_mode)
                setattr(module, name, pool)
            elif isinstance(child, nn.Conv2d):
                # Each layer averages what it sees, so that no influence falls out of float's reach.
                nn.init.constant_(child.weight, 1 / child.weight[0].numel())
    return model.eval()


@pytest.fixture
def plain_convolutions() -> Iterator[None]:
    """Algorithms that transform tiles round; without them what has no influence is exactly 0."""
    with torch.backends.mkldnn.flags(enabled=False):
        yield


plainly = pytest.mark.usefixtures("plain_convolutions")
quietly = pytest.mark.filterwarnings("ignore:TF32 acceleration")  # torch's, of setting any flag


def run_trunk(model: GoogLeNet, pixels: Tensor) -> dict[str, dict[str, Tensor]]:
    """The branches' outputs for a picture of any size, past the net's own check of the size."""
    with watching(model.inceptions()) as passed:
        x = pixels
        for child in model.children():
            x = child(x)
            if child is model.inception5b:
                break
    outputs = {
        stage: seen.output.split(model.inceptions()[stage].widths.branches, dim=1)
        for stage, seen in passed.items()
    }
    return {stage: dict(zip(BRANCHES, parts, strict=True)) for stage, parts in outputs.items()}


def test_fields_of_the_papers_net_are_the_papers():
    assert sizes(GoogLeNet(ModelConfig.preset("paper", **SMALL))) == PAPER


def test_fields_of_torchvisions_net_are_torchvisions():
    assert sizes(GoogLeNet(ModelConfig.preset("torchvision", **SMALL))) == TORCHVISION


def test_norm_and_order_do_not_change_a_field():
    paper = receptive_fields(GoogLeNet(ModelConfig.preset("paper", **SMALL)))
    for preset in ("batch-norm", "pre-activation"):
        assert receptive_fields(GoogLeNet(ModelConfig.preset(preset, **SMALL))) == paper


def test_stride_of_a_stage_doubles_with_each_pool():
    fields = receptive_fields(GoogLeNet(ModelConfig.preset("paper", **SMALL)))
    strides = [{field.stride for field in fields[stage].values()} for stage in STAGES]
    assert strides == [{8}] * 2 + [{16}] * 5 + [{32}] * 2
    small = receptive_fields(GoogLeNet(ModelConfig.preset("batch-norm", stem="small", **SMALL)))
    assert small["3a"]["1x1"] == Field(size=7, stride=2, start=0.0)


@plainly
@quietly
@pytest.mark.parametrize(
    "changes",
    [
        {"kernel_5x5": 5, "pool4": 3},
        {"kernel_5x5": 3, "pool4": 2},
        {"kernel_5x5": 5, "pool4": 2, "stem": "small"},
        {"kernel_5x5": 3, "pool4": 3, "order": "norm-relu-conv"},
    ],
)
def test_the_pixels_with_influence_are_the_box_of_all_36_branches(changes):
    model = transparent(**changes)
    fields = receptive_fields(model)
    for stage in STAGES:
        largest = fields[stage]["5x5"]
        side = largest.size + 2 * largest.stride + 5
        picture = torch.zeros(1, 3, side, side, requires_grad=True)
        outputs = run_trunk(model, picture)[stage]
        for branch in BRANCHES:
            output, field = outputs[branch], fields[stage][branch]
            row, col = output.shape[2] // 2, output.shape[3] // 2 - 1
            (gradient,) = torch.autograd.grad(
                output[0, :, row, col].sum(), picture, retain_graph=True
            )
            touched = gradient[0].sum(0) > 0
            top, left, bottom, right = box(field, row, col, (side, side))
            expected = torch.zeros(side, side, dtype=torch.bool)
            expected[top:bottom, left:right] = True
            assert bottom - top == right - left == field.size, (stage, branch)
            assert torch.equal(touched, expected), (stage, branch)


@plainly
@quietly
@pytest.mark.parametrize(
    ("stage", "branch"),
    [*(("3a", branch) for branch in BRANCHES), ("4b", "3x3"), ("4b", "5x5"), ("5b", "pool")],
)
def test_a_pixel_moves_a_cell_only_from_inside_its_box(stage, branch):
    model = transparent(kernel_5x5=5, pool4=3)
    field = receptive_fields(model)[stage][branch]
    side = field.size + 3 * field.stride
    row = col = round((side / 2 - field.start) / field.stride)
    top, left, bottom, right = box(field, row, col, (side, side))
    assert bottom - top == field.size and top > 0 and bottom < side
    middle = (top + bottom) // 2
    inside = [(top, left), (top, right - 1), (bottom - 1, left), (bottom - 1, right - 1)]
    outside = [(top - 1, middle), (bottom, middle), (middle, left - 1), (middle, right)]
    pictures = torch.zeros(9, 3, side, side)
    for picture, (y, x) in zip(pictures[1:], inside + outside, strict=True):
        picture[:, y, x] = 1.0
    with torch.no_grad():
        cell = run_trunk(model, pictures)[stage][branch][:, :, row, col].sum(1)
    assert (cell[1:] != cell[0]).tolist() == [True] * 4 + [False] * 4


def test_a_box_is_clipped_to_the_picture():
    field = Field(size=43, stride=8, start=6.0)
    assert box(field, 3, 3, (224, 224)) == (9, 9, 52, 52)
    assert box(field, 0, 0, (224, 224)) == (0, 0, 28, 28)
    assert box(field, 27, 0, (224, 100)) == (201, 0, 224, 28)
    assert box(Field(size=715, stride=32, start=30.0), 3, 3, (224, 224)) == (0, 0, 224, 224)


def test_a_window_of_even_side_keeps_whole_pixels():
    field = Field().through(2, stride=2)
    assert field == Field(size=2, stride=2, start=0.5)
    assert box(field, 1, 0, (8, 8)) == (2, 0, 4, 2)


def test_the_square_holding_a_share_is_the_smallest():
    weight = torch.zeros(9, 9)
    weight[4, 4] = 0.5
    weight[2, 4] = 0.45
    weight[0, 0] = 0.05
    assert square_holding(weight, (4.0, 4.0), 0.4) == 1
    assert square_holding(weight, (4.0, 4.0), 0.9) == 5
    assert square_holding(weight, (4.0, 4.0), 1.0) == 9
    assert square_holding(torch.zeros(9, 9), (4.0, 4.0), 0.9) == 0


def test_effective_fields_lie_within_theory_and_the_picture():
    torch.manual_seed(0)
    model = GoogLeNet(ModelConfig.preset("batch-norm", **SMALL)).train()
    pixels = torch.rand(1, 3, 96, 96)
    measured, theory = effective_fields(model, pixels), receptive_fields(model)
    for stage in STAGES:
        for branch in BRANCHES:
            assert 0 <= measured[stage][branch] <= min(96, theory[stage][branch].size)
    assert 1 < measured["3a"]["1x1"] < 27
    assert measured["3a"]["5x5"] > measured["3a"]["1x1"]
    assert effective_fields(model, pixels, ["4a"]) == {"4a": measured["4a"]}
    assert model.training and model.fc.training
    assert all(parameter.grad is None for parameter in model.parameters())


@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
@pytest.mark.parametrize("stage, cell", [("3a", (3, 7)), ("4a", (2, 4)), ("5b", (1, 3))])
def test_a_cell_is_spread_about_its_fields_centre(stage, cell, mode):
    with torch.device("meta"):
        field = receptive_fields(GoogLeNet(ModelConfig()))[stage]["3x3"]
    size = (128, 160)
    values = torch.zeros(size[0] // field.stride, size[1] // field.stride)
    values[cell] = 2.0
    large = spread(values, field, size, mode=mode)
    assert large.shape == size
    row, col = divmod(int(large.argmax()), size[1])
    assert (row, col) == tuple(field.start + place * field.stride for place in cell)
    assert large.max() == 2 and large.min() == 0


def test_a_map_spread_over_a_picture_is_linear_between_centres_and_even_outside():
    torch.manual_seed(0)
    field, values = Field(size=43, stride=8, start=6.0), torch.rand(4, 5)
    large = spread(values, field, (40, 44))
    rows = np.array([np.interp(range(40), 6 + 8 * np.arange(4), c) for c in values.T.numpy()]).T
    both = np.array([np.interp(range(44), 6 + 8 * np.arange(5), row) for row in rows])
    torch.testing.assert_close(large, torch.from_numpy(both).float(), rtol=1e-4, atol=1e-5)


def test_the_middle_cell_is_the_nearest_there_is():
    field = Field(size=43, stride=8, start=6.0)
    assert [middle_cell(field, cells, 64) for cells in (8, 3, 1)] == [3, 2, 0]
    assert middle_cell(Field(size=1, stride=32, start=60.0), 2, 64) == 0


@pytest.mark.parametrize("preset", ["paper", "torchvision"])
def test_the_field_of_each_unit_ends_in_that_of_its_branch(preset):
    with torch.device("meta"):
        model = GoogLeNet(ModelConfig.preset(preset))
    units, branches = unit_fields(model), receptive_fields(model)
    for stage in STAGES:
        name = f"inception{stage}"
        ends = ("branch1", "branch2.1", "branch3.1", "branch4.1")
        for end, branch in zip(ends, BRANCHES, strict=True):
            assert units[f"{name}.{end}"] == branches[stage][branch]
        assert units[f"{name}.branch2.0"] == units[f"{name}.branch1"], "a 1×1 widens nothing"
    assert [(units[n].size, units[n].stride) for n in ("conv1", "maxpool1", "conv3")] == [
        (7, 2),
        (11, 4),
        (19, 4),
    ]


def test_what_is_left_out_and_what_is_no_pool_has_no_field():
    with torch.device("meta"):
        config = ModelConfig.preset("batch-norm", stem="small", left_out="5x5")
        units = unit_fields(GoogLeNet(config))
    assert "maxpool1" not in units and "norm1" not in units
    assert not [name for name in units if "branch3" in name]
