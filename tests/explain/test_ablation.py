"""Switched branches: equal to whole forwards with them replaced; what is wrong is refused."""

from contextlib import ExitStack
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from gnet.data.patterns import CLASSES
from gnet.errors import FieldError, GnetError
from gnet.explain.ablation import (
    MEAN,
    OFF,
    ablate,
    changes,
    check_switches,
    parse_branch,
    reached,
    sentence,
    switches_words,
)
from gnet.explain.belief import probabilities
from gnet.explain.means import EACH, Means, means_of, measure_means
from gnet.explain.recording import record
from gnet.explain.worth import branch_worth
from gnet.network.config import BRANCHES, EXITS, HEADS, STAGES, TRAINED
from gnet.network.folding import fold
from gnet.network.info import ModelInfo, Preprocessing, Sureness
from gnet.network.model import GoogLeNet
from support.networks import network


def small(preset: str = "batch-norm", **changes) -> GoogLeNet:
    model = network(preset, **changes)
    model.info = ModelInfo(preprocessing=Preprocessing(size=64), digest="these")
    return model


def pictures(count: int) -> list[Tensor]:
    random = torch.Generator().manual_seed(3)
    return [torch.rand(1, 3, 64, 64, generator=random) for _ in range(count)]


def naive(model: GoogLeNet, pixels: Tensor, switches: dict, means: Means | None = None):
    """A whole forward, with hooks that replace the branches' outputs."""
    with ExitStack() as hooks, torch.no_grad():
        for (stage, branch), setting in switches.items():

            def change(_module, _given, output, stage=stage, branch=branch, setting=setting):
                if setting == MEAN:
                    assert means is not None
                    return means.values[stage][branch][:, None, None].expand_as(output[0])[None]
                return output * setting

            module = model.inceptions()[stage].branch_modules()[branch]
            handle = module.register_forward_hook(change)
            hooks.callback(handle.remove)
        return model(model.info.preprocessing.normalise(pixels))


@pytest.mark.parametrize(
    "switches",
    [
        {("3a", "3x3"): 0.0},
        {("4b", "5x5"): 0.5, ("4b", "pool"): 2.0, ("5b", "1x1"): 0.0},
        {("4d", "1x1"): MEAN, ("3b", "pool"): MEAN, ("5a", "3x3"): 1.5},
    ],
    ids=["one", "several", "means"],
)
@pytest.mark.parametrize("preset", ["batch-norm", "pre-activation"])
def test_switching_equals_a_whole_forward_with_the_branches_replaced(preset, switches):
    model = small(preset)
    pixels = pictures(1)[0]
    means = measure_means(model, pictures(3), "pictures")
    ablation = ablate(model, pixels, switches, means=means)
    expected = naive(model, pixels, switches, means)
    for head in HEADS:
        torch.testing.assert_close(
            ablation.after.logits[head], getattr(expected, head)[0], rtol=1e-5, atol=1e-5
        )
    assert ablation.switches == switches
    before = ablation.before
    again = record(model, pixels)  # the recording before is left as it was
    assert all(torch.equal(before.outputs[stage], again.outputs[stage]) for stage in STAGES)


def test_the_recording_behind_a_switch_holds_what_the_network_then_computes():
    model = small()
    after = ablate(model, pictures(1)[0], {"4b/5x5": 0}).after
    assert float(after.branches["4b"]["5x5"].abs().max()) == 0
    behind = model.inceptions()["4c"]
    with torch.no_grad():
        torch.testing.assert_close(behind(after.inputs["4c"][None])[0], after.outputs["4c"])
    torch.testing.assert_close(torch.cat(list(after.branches["4c"].values())), after.outputs["4c"])


@pytest.mark.parametrize(
    ("switches", "words"),
    [
        ({}, "All branches are on."),
        ({"4b/5x5": 0}, "With the 5×5 branch of 4b off, main goes from"),
        (
            {"3a/1x1": 0, "5b/pool": MEAN, "4d/3x3": 0.5},
            "the 1×1 branch of 3a off, the 3×3 branch of 4d times 0.5 and the pool",
        ),
    ],
)
def test_the_switches_effect_is_a_sentence(switches, words):
    model = small()
    model.info = replace(model.info, heads={"main": TRAINED, "aux1": TRAINED})
    means = measure_means(model, pictures(2), "pictures")
    assert words in sentence(ablate(model, pictures(1)[0], switches, means=means))
    model.info = replace(model.info, heads={"aux1": TRAINED})
    late = ablate(model, pictures(1)[0], {"5a/3x3": 0})
    assert "no trained head changes" in sentence(late)


def test_a_head_that_the_switches_leave_unsure_is_not_said_to_answer():
    model = small()
    model.info = replace(model.info, heads={"main": TRAINED})
    done = ablate(model, pictures(1)[0], {"4b/5x5": 0})
    never = Sureness(score="maximum probability", threshold=2, false_alarms=0, detected=1)
    said = sentence(replace(done, after=replace(done.after, sure={"main": never})))
    assert "not sure" in said and "answers" not in said
    assert "not sure" not in sentence(done)


@pytest.mark.parametrize(
    ("switches", "words"),
    [
        ({(s, "1x1"): OFF for s in STAGES}, "the 1×1 branch off in all nine modules"),
        ({("4b", b): MEAN for b in BRANCHES}, "each branch of 4b at its mean"),
        (
            {(s, b): OFF for s in STAGES for b in BRANCHES} | {("5b", "pool"): 0.5},
            "the 1×1 branch off in all nine modules, the 3×3 branch off in all nine modules, the "
            "5×5 branch off in all nine modules and 9 more branches",
        ),
    ],
)
def test_branches_that_are_switched_alike_are_named_together(switches, words):
    assert switches_words(switches) == words


def test_a_switch_leaves_the_heads_before_it_alone():
    model = small()
    ablation = ablate(model, pictures(1)[0], {"4b/5x5": 0.0, "5a/pool": 0.0})
    assert ablation.reached == ("aux2", "main")
    assert torch.equal(ablation.before.logits["aux1"], ablation.after.logits["aux1"])
    assert not torch.equal(ablation.before.logits["main"], ablation.after.logits["main"])
    assert reached({}) == ()


def test_branches_that_are_on_are_no_switches():
    assert check_switches({"4b/5x5": 1, ("3a", "pool"): 0.5}) == {("3a", "pool"): 0.5}


def test_the_map_equals_36_whole_forwards():
    model = small(num_classes=7)
    pixels = pictures(1)[0]
    means = measure_means(model, pictures(3), "pictures")
    recording = record(model, pixels)
    worth = branch_worth(model, recording, means)
    for setting in (0.0, MEAN):
        for stage in STAGES:
            for branch in BRANCHES:
                expected = naive(model, pixels, {(stage, branch): setting}, means)
                for head in HEADS:
                    value = worth.values(head, 2, setting)[stage, branch]
                    if STAGES.index(EXITS[head]) < STAGES.index(stage):
                        assert value is None
                        continue
                    fall = recording.logits[head][2] - getattr(expected, head)[0, 2]
                    assert value is not None
                    assert value.logit == pytest.approx(float(fall), abs=1e-5)


def test_the_map_of_a_folded_network_agrees_with_single_switches():
    model = fold(small())
    recording = record(model, pictures(1)[0])
    worth = branch_worth(model, recording).values("main", 1)
    single = ablate(model, recording.pixels, {"4c/3x3": 0.0})
    fall = single.before.logits["main"][1] - single.after.logits["main"][1]
    value = worth["4c", "3x3"]
    assert value is not None
    assert value.logit == pytest.approx(float(fall), abs=1e-5)


def test_a_probability_s_fall_uses_the_head_s_temperature():
    model = small()
    model.info = ModelInfo(preprocessing=Preprocessing(size=64), temperatures={"main": 2.0})
    ablation = ablate(model, pictures(1)[0], {"3b/1x1": 0.0})
    value = branch_worth(model, ablation.before).values("main", 0)["3b", "1x1"]
    before, after = (
        (r.logits["main"] / 2).softmax(0)[0] for r in (ablation.before, ablation.after)
    )
    assert value is not None
    assert value.probability == pytest.approx(float(before - after), abs=1e-5)


def test_means_are_those_of_all_pictures_and_cells():
    model = small()
    means = measure_means(model, pictures(3), "pictures of a test")
    outputs = [record(model, pixels).branches["4a"]["3x3"] for pixels in pictures(3)]
    torch.testing.assert_close(means.values["4a"]["3x3"], torch.stack(outputs).mean((0, 2, 3)))
    assert means.reference == "3 pictures of a test"


def test_a_network_s_means_are_over_pictures_of_its_own_kind():
    model = small(num_classes=len(CLASSES))
    assert means_of(model).reference.endswith("example pictures")
    model.info = replace(model.info, classes=CLASSES)
    means = means_of(model)
    assert means.reference == f"{EACH * len(CLASSES)} built-in patterns"
    assert all(
        values.shape == (width,)
        for stage, module in model.inceptions().items()
        for values, width in zip(means.values[stage].values(), module.widths.branches, strict=True)
    )


def test_the_largest_change_is_that_of_all_classes_of_each_head_that_is_reached():
    model = small()
    model.info = replace(model.info, heads=dict.fromkeys(HEADS, TRAINED))
    ablation = ablate(model, pictures(1)[0], {"4b/3x3": 0, "4b/1x1": 2})
    found = changes(ablation)
    assert {change.head for change in found} == {"aux2", "main"}
    assert found[0].size >= found[1].size
    for change in found:
        before = probabilities(ablation.before.logits[change.head])
        after = probabilities(ablation.after.logits[change.head])
        assert change.target == int((after - before).abs().argmax())
        assert change.after - change.before == pytest.approx(
            float((after - before)[change.target]), abs=1e-9
        )
    assert changes(ablate(model, pictures(1)[0], {})) == []


@pytest.mark.parametrize("name", ["4f/5x5", "4b/7x7", "4b", "", "4b/5x5/1x1", "../4b"])
def test_an_unknown_branch_is_refused(name):
    with pytest.raises(FieldError) as caught:
        parse_branch(name)
    assert caught.value.field == "branch"
    assert parse_branch("4b/5×5") == ("4b", "5x5")


@pytest.mark.parametrize(
    "factor", [-1, 2.01, 10**400, float("nan"), float("inf"), "half", None, [1]]
)
def test_a_factor_out_of_range_is_refused(factor):
    with pytest.raises(FieldError) as caught:
        check_switches({"4b/5x5": factor})
    assert caught.value.field == "4b/5x5"


def test_a_mean_without_means_and_a_head_that_is_not_there_are_refused():
    model = small(aux=False)
    with pytest.raises(GnetError, match="no means"):
        ablate(model, pictures(1)[0], {"4b/5x5": MEAN})
    with pytest.raises(GnetError, match="aux1"):
        branch_worth(model, record(model, pictures(1)[0])).values("aux1", 0)
    with pytest.raises(GnetError, match="no pictures"):
        measure_means(model, [], "pictures")
