"""Calibration error and reliability done by hand, and temperatures that must come back."""

import pytest
import torch

from gnet.errors import GnetError
from gnet.evaluation.calibration import (
    HIGHEST,
    LOWEST,
    calibration_error,
    certain_from,
    fit_temperature,
    reliability,
)
from gnet.explain.belief import probabilities

# Four pictures, two classes: 0.55 wrong, 0.58 right, 0.95 right, 0.91 wrong.
BELIEVED = torch.tensor([[0.55, 0.45], [0.42, 0.58], [0.95, 0.05], [0.09, 0.91]])
LABELS = torch.tensor([1, 1, 0, 0])


def sampled(count: int = 10_000, scale: float = 1.0) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits that are `scale` times too large for the labels, which are sampled by them."""
    random = torch.Generator().manual_seed(0)
    logits = 2 * torch.randn(count, 7, generator=random)
    labels = logits.softmax(1).multinomial(1, generator=random)[:, 0]
    return scale * logits, labels


def test_the_error_is_the_gap_in_each_bin_weighted_by_pictures():
    # Bins of a half: all four in the upper one, mean belief 0.7475, half of them right.
    assert calibration_error(BELIEVED, LABELS, bins=2) == pytest.approx(0.7475 - 0.5)
    # Bins of a tenth: (0.5, 0.6] holds 0.55 and 0.58, (0.9, 1] holds 0.95 and 0.91.
    apart = 0.5 * abs(0.565 - 0.5) + 0.5 * abs(0.93 - 0.5)
    assert calibration_error(BELIEVED, LABELS, bins=10) == pytest.approx(apart, abs=1e-7)


def test_the_error_equals_a_loop_over_pictures():
    logits, labels = sampled(500, 1.7)
    believed = logits.double().softmax(1)
    total = 0.0
    for low in (index / 15 for index in range(15)):
        own = [
            (float(row.max()), int(row.argmax()) == int(label))
            for row, label in zip(believed, labels, strict=True)
            if low < float(row.max()) <= low + 1 / 15
        ]
        if own:
            gap = sum(right for _, right in own) - sum(belief for belief, _ in own)
            total += abs(gap) / len(labels)
    assert calibration_error(believed, labels) == pytest.approx(total)


def test_reliability_has_every_picture_in_one_bin_and_leaves_empty_ones_empty():
    rows = reliability(BELIEVED, LABELS, bins=4)
    assert [row.count for row in rows] == [0, 0, 2, 2]
    assert rows[0].confidence is None and rows[0].accuracy is None
    assert rows[2].confidence == pytest.approx(0.565) and rows[2].accuracy == 0.5
    assert (rows[2].low, rows[2].high) == (0.5, 0.75)
    certain = reliability(torch.tensor([[1.0, 0.0]]), torch.tensor([0]))
    assert certain[-1].count == 1 and certain[-1].accuracy == 1


def test_labels_sampled_from_a_belief_find_it_calibrated():
    logits, labels = sampled()
    assert calibration_error(logits.softmax(1), labels) < 0.03


@pytest.mark.parametrize("scale", [0.4, 1.0, 2.5])
def test_the_temperature_recovers_the_scale_the_logits_were_multiplied_by(scale):
    logits, labels = sampled(scale=scale)
    temperature = fit_temperature(logits, labels)
    assert temperature == pytest.approx(scale, rel=0.03)
    assert calibration_error((logits / temperature).softmax(1), labels) < 0.03


def test_no_other_temperature_has_a_lower_loss():
    logits, labels = sampled(2_000, 1.8)
    best = fit_temperature(logits, labels)

    def loss(temperature: float) -> float:
        return float(torch.nn.functional.cross_entropy(logits.double() / temperature, labels))

    assert loss(best) < min(loss(0.99 * best), loss(1.01 * best), loss(1.0))


def test_the_temperature_stays_in_its_range_where_the_loss_has_no_lowest_point():
    logits, labels = torch.tensor([[3.0, 0.0], [0.0, 2.0]]), torch.tensor([0, 1])
    assert fit_temperature(logits, labels) == pytest.approx(LOWEST)
    assert fit_temperature(logits, labels.flip(0)) == pytest.approx(HIGHEST)


def test_a_temperature_changes_no_ranking():
    logits, _ = sampled(50)
    plain, cooled = probabilities(logits), probabilities(logits, temperature=2.3)
    assert torch.equal(plain.argsort(1), cooled.argsort(1))
    assert not torch.allclose(plain, cooled)
    assert torch.allclose(cooled.sum(1), torch.ones(50, dtype=torch.float64))


@pytest.mark.parametrize("function", [reliability, calibration_error, fit_temperature])
def test_shapes_that_do_not_fit_are_a_sentence(function):
    with pytest.raises(GnetError, match=r"\(4, 2\) were given for 3 labels; allowed are"):
        function(BELIEVED, LABELS[:3])
    with pytest.raises(GnetError, match="at least 1"):
        function(BELIEVED[:0], LABELS[:0])


def test_a_class_is_given_from_the_probability_that_leaves_few_wrong_ones():
    first = torch.tensor([0.9, 0.8, 0.7, 0.6, 0.55])
    probabilities = torch.stack([first, 1 - first], 1)
    labels = torch.tensor([0, 1, 0, 1, 0])  # the second and the fourth are wrong
    assert certain_from(probabilities, labels, 0.4) == 0.0
    one = certain_from(probabilities, labels, 0.2)
    assert 0.6 < one < 0.6001, "the fourth is left out, the third is not"
    assert certain_from(probabilities, labels, 0.0) == pytest.approx(0.8)
    assert certain_from(probabilities, labels, 0.0) > first[1].double().item()
