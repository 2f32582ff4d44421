"""The branches' account of a logit: equal to captum's, and complete up to an error that is kept.

captum takes the gradient at the beginning of each step. The mean of its way to the picture and its
way back has the gradients of both ends.
"""

import pytest
import torch
from captum.attr import LayerConductance

from gnet.errors import GnetError
from gnet.explain.account import account
from gnet.network.config import BRANCHES, HEADS, STAGES, TRAINED
from gnet.network.info import ModelInfo, Preprocessing
from gnet.network.model import GoogLeNet
from support.networks import network


def small(preset: str = "batch-norm", **changes) -> GoogLeNet:
    model = network(preset, **changes)
    heads: dict[str, str] = dict.fromkeys(HEADS, TRAINED)
    model.info = ModelInfo(preprocessing=Preprocessing(size=64), heads=heads)
    return model.eval()


def picture() -> torch.Tensor:
    return torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize(
    ("preset", "head", "stage"),
    [
        ("batch-norm", "main", "3a"),
        ("batch-norm", "main", "5b"),
        ("batch-norm", "aux2", "4d"),
        ("pre-activation", "aux1", "4a"),
    ],
)
def test_branch_by_branch_it_equals_captums_layer_conductance_there_and_back(preset, head, stage):
    model, pixels, steps = small(preset), picture(), 11
    mine = account(model, pixels, target=3, head=head, steps=steps)
    normalise, network_ = model.info.preprocessing.normalise, model.until(head)
    mean = torch.tensor(model.info.preprocessing.mean).view(1, 3, 1, 1)
    mean = mean.expand_as(pixels)
    for branch, layer in model.inceptions()[stage].branch_modules().items():
        method = LayerConductance(lambda x: network_(normalise(x)), layer)
        options = {"target": 3, "n_steps": steps, "method": "riemann_trapezoid"}
        there = method.attribute(pixels, baselines=mean, **options)
        back = method.attribute(mean, baselines=pixels, **options)
        assert isinstance(there, torch.Tensor) and isinstance(back, torch.Tensor)
        expected = (there - back).detach()[0].sum(0) / 2
        scale = expected.abs().max().item()
        torch.testing.assert_close(mine.maps[stage][branch], expected, rtol=0, atol=1e-4 * scale)


def test_each_modules_branches_sum_to_the_difference_of_the_logits():
    model, pixels = small(), picture()
    fine = account(model, pixels, target=0, steps=400)
    coarse = account(model, pixels, target=0, steps=20)
    difference = fine.score - fine.baseline_score
    assert list(fine.errors) == list(STAGES)
    assert list(fine.values) == [(stage, branch) for stage in STAGES for branch in BRANCHES]
    assert max(map(abs, fine.errors.values())) < 0.02 * abs(difference)
    assert max(map(abs, fine.errors.values())) < max(map(abs, coarse.errors.values()))
    with torch.no_grad():
        logits = model.until("main")(model.info.preprocessing.normalise(pixels))
    assert fine.score == pytest.approx(logits[0, 0].item(), rel=1e-5)


def test_a_head_is_accounted_for_by_the_modules_before_it():
    told: list[float] = []
    found = account(small(), picture(), target=1, head="aux1", steps=10, heard=told.append)
    assert list(found.maps) == ["3a", "3b", "4a"]
    assert told == sorted(told) and told[-1] == 1.0


def test_the_network_is_left_as_it_was():
    model = small().train()
    with torch.inference_mode():
        account(model, picture(), target=1, steps=3)
    assert model.training
    assert all(parameter.grad is None for parameter in model.parameters())


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"target": 99}, "class is 99"), ({"head": "aux3"}, "no head"), ({"steps": 0}, "steps is 0")],
)
def test_what_cannot_be_accounted_for_is_refused(changes, words):
    with pytest.raises(GnetError, match=words):
        account(small(), picture(), **{"target": 0, **changes})
