"""Branches left out: zeros in their place, nothing to learn, and nobody says more of them."""

import copy

import pytest
import torch

from gnet.errors import GnetError
from gnet.explain.attribution.attribute import attribute
from gnet.explain.branches import statistics
from gnet.explain.recording import Recording, record
from gnet.network.config import BRANCHES, HEADS, STAGES, TRAINED, ModelConfig
from gnet.network.costs import layer_costs
from gnet.network.export.description import to_json
from gnet.network.folding import fold
from gnet.network.info import ModelInfo
from gnet.network.model import GoogLeNet
from gnet.network.receptive_field import box, effective_fields, receptive_fields
from gnet.network.weights import load, save, to_torchvision
from gnet.runs.events import StepDone
from support.networks import network, unsettle, without_memory
from support.training_runs import run, tiny

PIXELS = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def left():
    return network("batch-norm", left_out="5x5,pool")


@pytest.mark.parametrize(
    "text, branches",
    [("", ()), ("5x5", ("5x5",)), ("pool, 1x1", ("1x1", "pool")), ("3x3,3x3", ("3x3",))],
)
def test_branches_are_named_with_commas_between(text, branches):
    assert ModelConfig(left_out=text).branches_left_out() == branches


@pytest.mark.parametrize("text", ["7x7", "5x5,", "1x1,3x3,5x5,pool", ","])
def test_what_is_no_branch_or_leaves_none_is_refused(text):
    with pytest.raises(GnetError, match=r"left_out is .*; allowed are up to three of 1x1, 3x3"):
        ModelConfig(left_out=text)


@pytest.mark.parametrize("branch", BRANCHES)
def test_a_branch_that_is_left_out_gives_zeros_and_the_others_what_they_gave(branch):
    whole, without = network("batch-norm"), network("batch-norm", left_out=branch)
    state = whole.state_dict()
    assert set(without.state_dict()) < set(state)
    without.load_state_dict(state, strict=False)
    x = torch.rand(2, whole.inception4a.in_channels, 5, 5)
    theirs, mine = whole.inception4a.branches(x), without.inception4a.branches(x)
    assert list(mine) == list(BRANCHES)
    for name in BRANCHES:
        expected = torch.zeros_like(theirs[name]) if name == branch else theirs[name]
        assert torch.equal(mine[name], expected)
    assert without.inception4a(x).shape == whole.inception4a(x).shape


@pytest.mark.parametrize("order", ["conv-norm-relu", "norm-relu-conv"])
def test_what_is_left_out_has_no_parameters(order):
    whole = without_memory("batch-norm", order=order)
    without = without_memory("batch-norm", order=order, left_out="5x5")
    gone = sum(
        p.numel() for module in whole.inceptions().values() for p in module.branch3.parameters()
    )
    count = [sum(p.numel() for p in model.parameters()) for model in (whole, without)]
    assert count[0] - count[1] == gone > 0
    units = {cost.unit for cost in layer_costs(without, 64)}
    assert not [unit for unit in units if "/5x5" in unit] and "inception_3a/3x3" in units


def test_a_recording_has_offsets_as_before_and_no_share_for_what_is_left_out(left, tmp_path):
    recording = record(left, PIXELS)
    whole = record(network("batch-norm"), PIXELS)
    for stage in STAGES:
        mine, theirs = statistics(recording, stage), statistics(whole, stage)
        for branch in BRANCHES:
            same = (mine[branch].offset, mine[branch].channels)
            assert same == (theirs[branch].offset, theirs[branch].channels)
            if branch in ("5x5", "pool"):
                assert (mine[branch].share, mine[branch].sparsity) == (0.0, 1.0)
        assert sum(n.share for n in mine.values()) == pytest.approx(1)
    recording.save(tmp_path / "r")
    again = Recording.load(tmp_path / "r")
    assert again.fields == recording.fields
    assert torch.equal(again.branches["4a"]["5x5"], recording.branches["4a"]["5x5"])


def test_folding_changes_nothing(left):
    folded = record(fold(left), PIXELS)
    for head, logits in record(left, PIXELS).logits.items():
        torch.testing.assert_close(folded.logits[head], logits, rtol=1e-4, atol=1e-4)


def test_a_branch_that_is_left_out_sees_nothing_and_hides_nothing():
    """Without its 3×3 and 5×5 branches a module sees what its pool sees: 2 cells more."""
    plain = receptive_fields(without_memory("batch-norm"))
    fields = receptive_fields(without_memory("batch-norm", left_out="3x3,5x5"))
    before = fields["3a"]["1x1"].size
    assert before == plain["3a"]["1x1"].size
    for number, stage in enumerate(("3a", "3b")):
        sizes = {branch: field.size for branch, field in fields[stage].items()}
        reach = before + 2 * 8 * number
        assert sizes == {"1x1": reach, "3x3": 0, "5x5": 0, "pool": reach + 2 * 8}
    field = fields["4a"]["5x5"]
    assert (field.stride, field.start) == (fields["4a"]["1x1"].stride, fields["4a"]["1x1"].start)
    top, left, bottom, right = box(field, 1, 1, (224, 224))
    assert (bottom - top, right - left) == (0, 0)


def test_nothing_of_the_picture_counts_for_what_is_left_out(left):
    sides = effective_fields(left, PIXELS, ["4a"])["4a"]
    assert sides["5x5"] == sides["pool"] == 0 < sides["3x3"]


def test_an_attribution_to_a_branch_that_is_left_out_is_zero(left):
    model = copy.deepcopy(left)
    model.info = ModelInfo(heads=dict.fromkeys(HEADS, TRAINED))
    asked = {"method": "grad-cam", "target": 1, "stage": "4a"}
    assert not attribute(model, PIXELS, **asked, branch="5x5").map.any()


def test_weights_come_back_from_their_file(left, tmp_path):
    again = load(save(left, tmp_path / "w.safetensors"))
    assert again.config == left.config
    x = torch.rand(2, 3, 64, 64)
    assert torch.equal(again(x).main, left.eval()(x).main)


def test_the_architecture_says_what_is_left_out(left):
    described = to_json(left, 64)["modules"]["3b"]["branches"]
    assert [layer["kind"] for layer in described["5x5"]] == ["left out, zeros in its place"]
    assert described["5x5"][0]["channels"] == left.inception3b.widths.b5
    assert all(layer.get("kind") != "left out, zeros in its place" for layer in described["3x3"])
    whole = to_json(network("batch-norm", left_out="1x1"), 64)["modules"]["3b"]
    assert whole["input_channels"] == left.inception3b.in_channels


def test_torchvision_has_no_such_network(tmp_path):
    with pytest.raises(GnetError, match=r"left_out '5x5'; torchvision's .* only .*left_out ''"):
        to_torchvision(network("torchvision", left_out="5x5"))


def test_a_network_without_a_branch_learns(left):
    events = run(tiny(epochs=1, network={"left_out": "3x3,5x5"}, gradients_every=3))
    assert len([event for event in events if isinstance(event, StepDone)]) == 3


def test_channels_last_stays_channels_last():
    model = GoogLeNet(ModelConfig(width=0.0625, num_classes=3, left_out="1x1")).eval()
    unsettle(model)
    x = torch.rand(2, model.inception3a.in_channels, 6, 6).to(memory_format=torch.channels_last)
    assert model.inception3a(x).is_contiguous(memory_format=torch.channels_last)
