"""Scores of familiarity against their definitions, and detection by counting."""

import math

import pytest
import torch

from gnet.errors import GnetError
from gnet.explain.familiarity import SCORES, auroc, below, familiarity, threshold_for
from gnet.network.info import FAMILIARITY

RANDOM = torch.Generator().manual_seed(0)
KNOWN = torch.randn(83, generator=RANDOM).round(decimals=1) + 0.6  # rounded: with ties
OUTSIDE = torch.randn(57, generator=RANDOM).round(decimals=1) + 0.1


def test_every_score_has_its_definition():
    z = [1.0, 3.0, -2.0]
    logits = torch.tensor([z])
    for temperature in (1.0, 2.0):
        total = sum(math.exp(v / temperature) for v in z)
        expected = math.exp(3 / temperature) / total
        heads = {"main": logits, "aux1": 2 * logits}
        found = {name: familiarity(name, heads, "main", temperature).tolist() for name in SCORES}
        assert found["maximum probability"] == pytest.approx([expected])
        assert found["maximum logit"] == [3.0]
        energy, other = (math.log(sum(math.exp(k * v) for v in z)) for k in (1, 2))
        assert found["energy"] == pytest.approx([energy])
        assert found["energy of all heads"] == pytest.approx([energy + other])


def test_the_scores_are_those_a_header_may_name():
    assert tuple(SCORES) == FAMILIARITY
    with pytest.raises(GnetError, match="no score 'entropy'; there are maximum probability, "):
        familiarity("entropy", {"main": torch.zeros(3)}, "main")


def test_one_picture_is_scored_as_many_are():
    logits = torch.randn(5, 4, generator=RANDOM)
    for name in SCORES:
        one = familiarity(name, {"main": logits[3]}, "main")
        assert float(one) == float(familiarity(name, {"main": logits}, "main")[3])


def test_the_area_is_the_share_of_pairs_in_the_right_order():
    pairs = [(float(k), float(o)) for k in KNOWN for o in OUTSIDE]
    right = sum(1.0 if k > o else 0.5 if k == o else 0.0 for k, o in pairs)
    assert any(k == o for k, o in pairs)
    assert auroc(KNOWN, OUTSIDE) == pytest.approx(right / len(pairs))


def test_the_area_is_one_for_scores_apart_and_a_half_for_equal_ones():
    assert auroc(torch.tensor([2.0, 3.0]), torch.tensor([0.0, 1.0])) == 1
    assert auroc(torch.tensor([0.0]), torch.tensor([1.0])) == 0
    assert auroc(torch.ones(4), torch.ones(3)) == 0.5


@pytest.mark.parametrize("share", [0.0, 0.05, 0.3])
def test_the_threshold_is_the_highest_with_so_few_false_alarms(share):
    threshold = threshold_for(KNOWN, share)
    assert below(KNOWN, threshold) <= share
    higher = [value for value in KNOWN.tolist() if value > threshold]
    assert all(below(KNOWN, value) > share for value in higher)


def test_a_score_at_the_threshold_is_sure():
    assert below(torch.tensor([0.1, 0.2, 0.3, 0.4]), 0.3) == 0.5


def test_nothing_to_compare_is_a_sentence():
    with pytest.raises(GnetError, match="at least one is needed"):
        threshold_for(torch.zeros(0), 0.05)
    with pytest.raises(GnetError, match="0 scores of known and 3 of outside pictures"):
        auroc(torch.zeros(0), torch.zeros(3))
