"""One convolution step as a sum, against the forward that was recorded."""

import pytest
import torch

from gnet.channels.arithmetic import convolution_step, input_name
from gnet.errors import GnetError
from gnet.explain.recording import Recording, record
from gnet.network.config import BRANCHES, STAGES
from gnet.network.folding import fold
from gnet.network.model import GoogLeNet
from support.networks import network


def recorded(preset: str, **changes) -> tuple[GoogLeNet, Recording]:
    model = fold(network(preset, **changes))
    pixels = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(3))
    return model, record(model, pixels)


@pytest.mark.parametrize("preset", ["batch-norm", "pre-activation", "torchvision"])
def test_the_sum_equals_what_the_forward_recorded(preset: str) -> None:
    model, recording = recorded(preset)
    for stage in STAGES:
        for branch in BRANCHES:
            for channel in (0, 3):
                step = convolution_step(model, recording, stage, branch, channel)
                values = recording.branches[stage][branch][channel]
                assert step.recorded == float(values[step.cell]) == float(values.max())
                assert step.value == pytest.approx(step.recorded, rel=1e-4, abs=1e-5)
                whole = sum(term.sum for term in step.terms) + step.rest + step.bias
                assert step.total == pytest.approx(whole, abs=1e-9)


def test_each_term_is_its_patch_times_its_kernel() -> None:
    model, recording = recorded("batch-norm")
    step = convolution_step(model, recording, "4b", "5x5", 2, top=4)
    assert len(step.terms) == min(4, step.inputs)
    sizes = [abs(term.sum) for term in step.terms]
    assert sizes == sorted(sizes, reverse=True)
    for term in step.terms:
        assert term.patch.shape == term.kernel.shape == (5, 5)
        assert float((term.patch * term.kernel).sum()) == pytest.approx(term.sum)


def test_inputs_are_named_by_where_they_come_from() -> None:
    _, recording = recorded("batch-norm")
    first = len(recording.branches["4a"]["1x1"])
    assert input_name(recording, "4b", "1x1", first - 1) == ("4a", "1x1", first - 1)
    assert input_name(recording, "4b", "pool", first) == ("4a", "3x3", 0)
    assert input_name(recording, "4b", "5x5", 2) == ("4b", "reduce", 2)
    assert input_name(recording, "3a", "1x1", 5) == ("stem", "", 5)
    with pytest.raises(GnetError, match="has no channel"):
        input_name(recording, "4b", "1x1", 10_000)


def test_a_network_that_is_not_folded_is_refused() -> None:
    _, recording = recorded("batch-norm")
    with pytest.raises(GnetError, match="allowed is a folded network"):
        convolution_step(network("batch-norm"), recording, "4b", "1x1", 0)
