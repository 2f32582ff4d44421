"""Deletion and insertion against cases done by hand; what a network drawn anew leaves of a map."""

from dataclasses import replace
from typing import cast

import pytest
import torch
from torch import Tensor

from gnet.explain.attribution.attribute import attribute
from gnet.explain.attribution.curves import (
    GRID,
    ORDERS,
    POINTS,
    Curve,
    cost,
    curves_of,
    measure,
    on_grid,
)
from gnet.explain.attribution.redrawn import levels, redraw, sanity, similarity
from gnet.network.config import HEADS, TRAINED
from gnet.network.folding import fold
from gnet.network.info import ModelInfo, Preprocessing
from gnet.network.model import GoogLeNet
from support.networks import network


@pytest.fixture(scope="module")
def model() -> GoogLeNet:
    made = fold(network("batch-norm"))
    made.info = ModelInfo(preprocessing=Preprocessing(size=48), heads=dict.fromkeys(HEADS, TRAINED))
    return made


@pytest.fixture(scope="module")
def pixels() -> Tensor:
    torch.manual_seed(5)
    return torch.rand(1, 3, 48, 48)


def test_curves_of_four_parts_equal_the_case_done_by_hand():
    worth = torch.tensor([0.1, 0.4, 0.2, 0.3])

    def score(kept: Tensor, insertion: bool) -> Tensor:
        return kept.float() @ worth

    found = measure(score, worth, "four parts", points=4)
    assert found.shares == (0, 0.25, 0.5, 0.75, 1)
    # 0.4 goes first, then 0.3, 0.2 and 0.1; insertion shows them in that order.
    assert found.deletion.values == pytest.approx((1.0, 0.6, 0.3, 0.1, 0.0))
    assert found.insertion.values == pytest.approx((0.0, 0.4, 0.7, 0.9, 1.0))
    assert found.deletion.area == pytest.approx((0.8 + 0.45 + 0.2 + 0.05) / 4)
    assert found.insertion.area == pytest.approx(1 - found.deletion.area)
    assert found.stands and "Both curves are clearly better than a random order." in found.sentence


def test_a_map_that_is_better_by_next_to_nothing_is_not_called_better():
    worth = torch.tensor([0.25, 0.2501, 0.2499, 0.25])
    found = measure(lambda kept, _: kept.float() @ worth, worth, "parts", points=4)
    assert found.deletion.area <= found.random_deletion.area
    assert not found.stands and "Neither curve is clearly better" in found.sentence
    assert "worse" not in found.verdict


def test_a_map_turned_upside_down_does_not_beat_a_random_order():
    worth = torch.tensor([0.1, 0.4, 0.2, 0.3])
    found = measure(lambda kept, _: kept.float() @ worth, -worth, "parts", points=4)
    assert not found.stands and "Neither curve is clearly better" in found.sentence
    assert found.verdict.endswith("Deletion and insertion are clearly worse.")


def test_one_curve_may_be_better_and_the_other_worse():
    worth = torch.tensor([0.1, 0.4, 0.2, 0.3])
    turned = {False: -worth, True: worth}  # insertion shows what deletion takes last
    found = measure(
        lambda kept, inserted: kept.float() @ turned[inserted], worth, "parts", points=4
    )
    assert found.verdict == (
        "Only insertion is clearly better than a random order. Deletion is clearly worse."
    )


def test_a_random_curve_is_the_mean_of_random_orders():
    equal = measure(lambda kept, _: kept.float().mean(1), torch.ones(8), "parts", points=8)
    for curve in (equal.random_deletion, equal.deletion):
        assert curve.values == pytest.approx([1 - step / 8 for step in range(9)])
    assert equal.random_deletion.area == pytest.approx(0.5)


def test_the_area_of_a_straight_line_is_a_half():
    assert Curve(values=(1.0, 0.5, 0.0)).area == 0.5


def test_a_map_is_averaged_cell_by_cell():
    values = torch.arange(48 * 48.0).view(48, 48)
    got = on_grid(values).view(GRID, GRID)
    assert got[0, 0] == values[:4, :4].mean() and got[5, 7] == values[20:24, 28:32].mean()
    uneven = on_grid(torch.ones(50, 47))
    torch.testing.assert_close(uneven, torch.ones(GRID * GRID))


def test_curves_begin_and_end_with_what_the_network_says(model, pixels):
    answer = attribute(model, pixels, method="saliency", target=1)
    told: list[float] = []
    found = curves_of(model, pixels, answer, told.append)
    normalise = model.info.preprocessing.normalise
    with torch.no_grad():
        whole = float(model(normalise(pixels)).main.softmax(1)[0, 1])
        plain = float(model(torch.zeros_like(pixels)).main.softmax(1)[0, 1])
    assert found.deletion.values[0] == pytest.approx(whole, rel=1e-4)
    assert found.deletion.values[-1] == pytest.approx(plain, rel=1e-4)
    assert found.insertion.values[-1] == pytest.approx(whole, rel=1e-4)
    assert found.random_insertion.values[0] == pytest.approx(found.insertion.values[0])
    assert len(found.shares) == POINTS + 1 and told == sorted(told)
    assert cost() == 2 * (1 + ORDERS) * (POINTS + 1)


def test_branches_are_switched_off_in_the_maps_order(model, pixels):
    answer = attribute(model, pixels, method="feature-ablation", target=1, head="aux1")
    found = curves_of(model, pixels, answer)
    assert found.parts == "12 branches" and len(found.shares) == 13
    with torch.no_grad():
        whole = model(model.info.preprocessing.normalise(pixels)).aux1.softmax(1)[0, 1]
        silent = model.aux1(torch.zeros(1, model.inception4a.widths.total, 3, 3)).softmax(1)[0, 1]
    assert found.deletion.values[0] == pytest.approx(float(whole), rel=1e-4)
    assert found.deletion.values[-1] == pytest.approx(float(silent), rel=1e-4)
    assert not any(module._forward_hooks for module in model.modules())


def test_ranks_decide_how_alike_maps_are():
    values = torch.tensor([[1.0, 5.0], [2.0, 9.0]])
    assert similarity(values, values**3) == pytest.approx(1)
    assert similarity(values, -values) == pytest.approx(-1)
    # Ranks 1, 3, 2, 4 against 1.5, 1.5, 3, 4: covariance 3, deviations 5 and 4.5.
    expected = 3 / (5 * 4.5) ** 0.5
    assert similarity(values, torch.tensor([[0.0, 0.0], [1.0, 2.0]])) == pytest.approx(expected)
    assert similarity(values, torch.zeros(2, 2)) is None


def test_weights_are_drawn_anew_with_the_same_mean_and_deviation(model):
    layer = network("batch-norm", width=0.5).inception5a
    before = [weights.detach().clone() for weights in layer.parameters()]
    redraw(layer, torch.Generator().manual_seed(0))
    for old, new in zip(before, map(Tensor.detach, layer.parameters()), strict=True):
        if old.dim() == 1:
            assert torch.equal(old.sort().values, new.sort().values)
        elif old.numel() > 1000:
            assert not torch.equal(old, new)
            assert float(new.std()) == pytest.approx(float(old.std()), rel=0.1)


def test_the_sanity_check_goes_from_the_head_down_and_leaves_the_network_as_it_is(model, pixels):
    answer = attribute(model, pixels, method="guided-backprop", target=1, head="aux1")
    state = {name: value.clone() for name, value in model.state_dict().items()}
    told: list[float] = []
    found = sanity(model, pixels, answer, heard=told.append)
    assert tuple(found.similarities) == levels("aux1") == ("aux1", "4a", "3b", "3a", "stem")
    assert all(value is None or -1 <= value <= 1 for value in found.similarities.values())
    assert all(torch.equal(value, state[name]) for name, value in model.state_dict().items())
    assert told == sorted(told) and told[-1] < 1
    assert found.half == "3b" and "3b drawn anew" in found.sentence
    again = sanity(model, pixels, answer)
    assert again.similarities == found.similarities


def test_an_empty_map_is_not_tested(model, pixels):
    answer = attribute(model, pixels, method="saliency", target=1, head="aux1")
    found = sanity(model, pixels, replace(answer, map=torch.zeros_like(answer.map)))
    assert found.empty and not found.passed
    assert found.sentence == "The map of Saliency is empty already, so there is nothing to compare."


def test_a_map_that_ignores_the_head_fails_the_check_at_the_head(model, pixels):
    """Guided Backprop hardly depends on the weights above; saliency does."""
    guided, plain = (
        sanity(model, pixels, attribute(model, pixels, method=method, target=1))
        for method in ("guided-backprop", "saliency")
    )
    assert cast(float, guided.similarities["main"]) > cast(float, plain.similarities["main"])
