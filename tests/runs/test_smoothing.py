"""The mean by hand, its gaps, and how far it reaches."""

import math

import pytest

from gnet.runs.smoothing import smoothed, span_of


def test_the_mean_is_the_one_done_by_hand():
    # Span 2: each value counts half as much as the next one.
    assert smoothed([4.0, 1.0, 3.0], 2.0) == pytest.approx(
        [4.0, (2.0 + 1.0) / 1.5, (1.0 + 0.5 + 3.0) / 1.75]
    )


def test_a_gap_stays_a_gap_and_takes_no_part():
    means = smoothed([math.nan, 4.0, math.nan, 1.0], 2.0)
    assert [math.isnan(mean) for mean in means] == [True, False, True, False]
    assert means[3] == pytest.approx(smoothed([4.0, 1.0], 2.0)[1])


@pytest.mark.parametrize("steps, span", [(0, 8.0), (320, 8.0), (800, 20.0), (100_000, 40.0)])
def test_the_span_is_a_fortieth_of_the_run_within_bounds(steps, span):
    assert span_of(steps) == pytest.approx(span)
