"""Stripes from fine to coarse: equal to single forwards, and told truly."""

from dataclasses import replace

import pytest
import torch

from gnet.channels.scales import (
    DIRECTIONS,
    PERIODS,
    ScaleResponses,
    measure_scales,
    scale_periods,
    sentence,
)
from gnet.data.patterns import soft_stripes
from gnet.errors import FieldError
from gnet.explain.branches import LABELS
from gnet.inference.forward import forward
from gnet.network.config import BRANCHES, STAGES
from gnet.network.info import ModelInfo, Preprocessing
from support.networks import network


@pytest.fixture(scope="module")
def model():
    model = network("batch-norm")
    model.info = ModelInfo(preprocessing=Preprocessing(size=64))
    return model


@pytest.fixture(scope="module")
def found(model) -> ScaleResponses:
    return measure_scales(model)


def test_there_are_at_least_eight_scales_and_four_directions(found):
    assert len(found.periods) == PERIODS >= 8
    assert len(found.directions) == len(DIRECTIONS) >= 4
    assert found.periods[0] == pytest.approx(3) and found.periods[-1] == pytest.approx(32)
    assert found.periods == scale_periods(64)


@pytest.mark.parametrize("scale", [0, 4, 9])
@pytest.mark.parametrize("direction", [0, 3])
def test_responses_equal_those_of_single_forwards(model, found, scale, direction):
    alone = []
    for swapped in (False, True):
        picture = soft_stripes(found.periods[scale], DIRECTIONS[direction], 64, swapped=swapped)
        alone.append(forward(model, picture[None].float() / 255).outputs)
    for stage in STAGES:
        start = 0
        for branch, width in zip(BRANCHES, model.inceptions()[stage].widths.branches, strict=True):
            parts = [outputs[stage][start : start + width].abs().mean() for outputs in alone]
            start += width
            expected = torch.stack(parts).mean()
            value = found.responses[stage][branch][scale, direction]
            torch.testing.assert_close(value, expected, rtol=1e-4, atol=1e-6)


def test_a_curve_is_the_mean_over_directions_between_the_least_and_the_most(found):
    for branch, curve in found.curves("4b").items():
        values = found.responses["4b"][branch]
        assert curve.mean == pytest.approx(values.mean(1).tolist())
        assert all(
            low <= mean <= high
            for low, mean, high in zip(curve.low, curve.mean, curve.high, strict=True)
        )
    with pytest.raises(FieldError, match="module"):
        found.curves("4f")


def made(peaks: dict[str, int | None], kernel: int = 5) -> ScaleResponses:
    """Responses of one module whose branches peak at given scales; None answers all alike."""
    responses = {}
    for branch, peak in peaks.items():
        values = torch.full((PERIODS, len(DIRECTIONS)), 0.5)
        if peak is not None:
            values[peak] = 1.0
        responses[branch] = values
    return ScaleResponses(
        size=64,
        periods=scale_periods(64),
        directions=DIRECTIONS,
        responses={"4b": responses},
        kernel_5x5=kernel,
    )


@pytest.mark.parametrize(
    ("three", "five", "words"),
    [
        (2, 5, "Textbooks say that 5×5 prefers coarser patterns than 3×3. Here it does."),
        (5, 2, "than 3×3. Here it does not: it prefers finer ones."),
        (4, 4, "Here it does not: it prefers the same scale."),
    ],
)
def test_the_sentence_says_whether_the_textbooks_are_right(three, five, words):
    found = made({"1x1": 0, "3x3": three, "5x5": five, "pool": None})
    told = sentence(found, "4b")
    assert words in told
    assert f"{LABELS['1x1']} at 3 px" in told
    assert "pool answers all scales about alike" in told


def test_the_sentence_follows_from_the_scales_it_names_where_directions_differ():
    found = made({"1x1": 0, "3x3": 6, "5x5": 5, "pool": None})
    values = found.responses["4b"]
    values["5x5"][5, :2], values["5x5"][7, :2] = 0.9, 1.0  # coarser than 3×3 in half of them
    curves = found.curves("4b")
    assert (curves["3x3"].peak, curves["5x5"].peak) == (6, 5)
    assert sentence(found, "4b").endswith("Here it does not: it prefers finer ones.")


def test_a_branch_that_answers_all_scales_alike_prefers_none():
    found = made({"1x1": 0, "3x3": 2, "5x5": None, "pool": 9})
    assert sentence(found, "4b").endswith("than 3×3. Here 5×5 prefers no scale.")


def test_a_branch_that_only_is_called_5x5_is_not_compared():
    found = made({"1x1": 0, "3x3": 2, "5x5": 5, "pool": 9}, kernel=3)
    assert sentence(found, "4b").endswith("The branch called 5×5 has 3×3 kernels in this network.")


def test_silent_branches_have_no_scale():
    found = made({"1x1": 0, "3x3": 2, "5x5": 5, "pool": 9})
    quiet = {branch: torch.zeros(PERIODS, len(DIRECTIONS)) for branch in BRANCHES}
    assert "are 0 everywhere" in sentence(replace(found, responses={"4b": quiet}), "4b")
    partly = found.responses["4b"] | {"5x5": quiet["5x5"]}
    told = sentence(replace(found, responses={"4b": partly}), "4b")
    assert "5×5" not in told


def test_swapped_stripes_are_the_picture_upside_down_in_light():
    light, dark = (soft_stripes(8, 45, 32, swapped=swapped) for swapped in (False, True))
    assert light.shape == (3, 32, 32) and light.dtype == torch.uint8
    assert (light.int() + dark.int() - 255).abs().max() <= 1
    across = soft_stripes(8, 0, 32)[0].float()
    assert torch.equal(across[0], across[-1])
    assert torch.allclose(across[0, :24], across[0, 8:], atol=1)
