"""Looking into a network during a forward: what is seen, and that nothing is left behind."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import nn

from gnet.network.hooks import evaluating, watching


def layers() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))


def hooks(model: nn.Module) -> int:
    return sum(len(module._forward_hooks) for module in model.modules())


def test_what_passed_is_handed_over_with_its_graph_and_uncopied():
    model, x = layers(), torch.randn(1, 3)
    with watching({"first": model[0], "relu": model[1]}) as passed:
        answer = model(x)
    assert passed["first"].input is x
    assert passed["relu"].input is passed["first"].output
    (slope,) = torch.autograd.grad(answer.sum(), passed["relu"].output)
    torch.testing.assert_close(slope, model.get_parameter("2.weight").sum(0, keepdim=True))


def test_a_module_that_runs_twice_shows_its_last_run():
    model = layers()
    with watching({0: model[0]}) as passed:
        model(torch.zeros(1, 3))
        model(torch.ones(1, 3))
    assert torch.equal(passed[0].input, torch.ones(1, 3))


def test_no_hook_survives_the_context_whether_it_failed_or_not():
    model = layers()
    with watching(dict(enumerate(model))):
        assert hooks(model) == 3
    assert hooks(model) == 0
    with pytest.raises(RuntimeError), watching(dict(enumerate(model))):
        model(torch.zeros(1, 5))
    assert hooks(model) == 0


def test_every_module_gets_back_the_mode_it_had():
    model = layers().train()
    model[1].eval()
    before = [module.training for module in model.modules()]
    with evaluating(model):
        assert not any(module.training for module in model.modules())
    assert [module.training for module in model.modules()] == before
    with pytest.raises(RuntimeError), evaluating(model):
        model(torch.zeros(1, 5))
    assert [module.training for module in model.modules()] == before


def test_what_another_thread_runs_meanwhile_is_not_seen():
    model, x = layers(), torch.randn(1, 3)
    with watching({"first": model[0]}) as passed, ThreadPoolExecutor(1) as other:
        other.submit(model, torch.zeros(1, 3)).result()
        assert passed == {}
        model(x)
        other.submit(model, torch.zeros(1, 3)).result()
    assert passed["first"].input is x
