"""Gradients by the loss they come from: they add up, and training does not notice."""

import copy
import math

import pytest
import torch

from gnet.runs.events import GradientsMeasured, StepDone
from gnet.training.distributed import Group
from gnet.training.gradients import (
    PROBE_PICTURES,
    gradients_by_head,
    norms_and_cosines,
    probe_batch,
)
from gnet.training.learner import Learner, training_batches
from gnet.training.optimisation import weighted
from gnet.training.precision import Machine
from gnet.training.starting import open_splits, resolved
from support.networks import unsettle
from support.training_runs import curve, run, tiny

MODULES = ("stem", "3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b")


def made(**changes):
    """A learner a few steps on its way, and its data."""
    config = tiny(aux1_weight=0.3, aux2_weight=0.5, **changes)
    data, _ = open_splits(config, None)
    config = resolved(config, len(data.classes), None, Machine())
    learner = Learner(config, data, 6, Group())
    unsettle(learner.model)
    return learner, data


def test_the_parts_add_up_to_the_gradient_of_the_weighted_sum():
    learner, data = made(network={"width": 0.125, "dropout": 0.0, "dropout_aux": 0.0})
    probe = probe_batch(data, 32)
    parts = gradients_by_head(learner, probe)
    assert tuple(parts) == MODULES and set(parts["stem"]) == {"main", "aux1", "aux2"}

    model = copy.deepcopy(learner.model).train()
    x, labels = learner.inputs(probe)
    (weighted(learner.losses(model(x), labels, probe), learner.config) / len(labels)).backward()
    for module, by_head in parts.items():
        owners = (
            [model.conv1, model.conv2, model.conv3]
            if module == "stem"
            else [model.inceptions()[module]]
        )
        gradients = [p.grad for owner in owners for p in owner.parameters()]
        total = torch.cat([g.flatten() for g in gradients if g is not None])
        error = (sum(by_head.values()) - total).norm() / total.norm()
        assert error < 1e-5, module


def test_a_head_moves_no_module_behind_its_exit():
    learner, data = made()
    norms, cosines = norms_and_cosines(gradients_by_head(learner, probe_batch(data, 32)))
    for index, module in enumerate(MODULES):
        assert (norms[module]["aux1"] > 0) == (index <= MODULES.index("4a"))
        assert (norms[module]["aux2"] > 0) == (index <= MODULES.index("4d"))
        assert norms[module]["main"] > 0
    assert set(cosines["4a"]) == {"main·aux1", "main·aux2", "aux1·aux2"}
    assert set(cosines["4b"]) == {"main·aux2"} and cosines["5b"] == {}


def test_norms_and_cosines_are_those_of_vectors_done_by_hand():
    vectors = {"main": torch.tensor([3.0, 4.0]), "aux1": torch.tensor([4.0, -3.0])}
    norms, cosines = norms_and_cosines({"3a": vectors | {"aux2": torch.tensor([6.0, 8.0])}})
    assert norms["3a"] == {"main": 5.0, "aux1": 5.0, "aux2": 10.0}
    assert cosines["3a"] == {"main·aux1": 0.0, "main·aux2": 1.0, "aux1·aux2": 0.0}


def test_measuring_leaves_the_learner_and_the_random_state_as_they_were():
    learner, data = made()
    state = {name: value.clone() for name, value in learner.model.state_dict().items()}
    modes = [module.training for module in learner.model.modules()]
    random = torch.random.get_rng_state()
    first = gradients_by_head(learner, probe_batch(data, 32))
    again = gradients_by_head(learner, probe_batch(data, 32))
    assert torch.equal(torch.random.get_rng_state(), random)
    assert [module.training for module in learner.model.modules()] == modes
    assert all(p.grad is None for p in learner.model.parameters())
    for name, value in learner.model.state_dict().items():
        assert torch.equal(value, state[name]), name
    assert torch.equal(first["3a"]["aux1"], again["3a"]["aux1"])  # dropout, too, is the same


def test_a_run_that_is_measured_learns_what_one_that_is_not_learns():
    measured = run(tiny(gradients_every=2))
    steps = [event for event in measured if isinstance(event, StepDone)]
    plain = [event for event in run(tiny()) if isinstance(event, StepDone)]
    assert curve(steps) == curve(plain)
    looks = [event for event in measured if isinstance(event, GradientsMeasured)]
    assert [(look.step, look.epoch) for look in looks] == [(2, 1), (4, 2), (6, 2)]
    assert set(looks[0].norms) == set(MODULES)
    numbers = [v for look in looks for by in look.cosines.values() for v in by.values()]
    assert all(math.isfinite(v) and abs(v) < 1 + 1e-9 for v in numbers)


def test_the_probe_is_spread_over_the_classes_and_always_the_same():
    _, data = made(per_class=4)
    probe = probe_batch(data, 32)
    assert probe.pixels.shape == (PROBE_PICTURES, 3, 32, 32) and probe.sharp.shape == (16,)
    assert len(set(probe.labels.tolist())) == len(data.classes)
    assert torch.equal(probe.pixels, probe_batch(data, 32).pixels)


@pytest.mark.parametrize("aux", [True, False])
def test_a_network_without_heads_has_one_part(aux):
    learner, data = made(network={"aux": aux})
    parts = gradients_by_head(learner, probe_batch(data, 32))
    assert len(parts["5b"]) == (3 if aux else 1)


def test_a_probe_of_one_size_serves_a_run_that_grows():
    learner, data = made(size=48, grow="32x1")
    batch = next(training_batches(learner.config, data, 0, 32, Group()))
    learner.take(batch, len(batch.labels))
    assert set(gradients_by_head(learner, probe_batch(data, 48))) == set(MODULES)
