"""The faster arithmetic is taken only where it is clearly faster."""

import pytest
import torch

from gnet.training import precision
from gnet.training.distributed import Group
from gnet.training.precision import MARGIN, faster_precision, step_seconds
from support.networks import network


@pytest.mark.parametrize(
    "bf16, expected", [(0.5, "bf16"), (MARGIN - 0.01, "bf16"), (0.95, "fp32"), (2.0, "fp32")]
)
def test_bf16_must_win_by_a_margin(bf16, expected, monkeypatch):
    seconds = {"fp32": 1.0, "bf16": bf16}
    monkeypatch.setattr(precision, "step_seconds", lambda *given: seconds[given[-1]])
    assert faster_precision(network("batch-norm"), 32, 4, Group()) == expected


def test_most_processes_decide(monkeypatch):
    monkeypatch.setattr(precision, "step_seconds", lambda *given: float(given[-1] == "fp32"))

    class Three(Group):
        def summed(self, values: torch.Tensor) -> torch.Tensor:
            return values  # the other two found fp32 faster

    assert faster_precision(network("batch-norm"), 32, 4, Three(world=3)) == "fp32"
    assert faster_precision(network("batch-norm"), 32, 4, Three(world=1)) == "bf16"


@pytest.mark.parametrize("kind", ["fp32", "bf16"])
def test_timing_leaves_the_network_as_it_was(kind):
    model = network("batch-norm")
    before = {name: value.clone() for name, value in model.state_dict().items()}
    assert step_seconds(model, 32, 2, kind) > 0
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())
