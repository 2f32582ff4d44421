"""Colours: the two maps, branches and heads apart, and values painted where they belong."""

import numpy as np
import pytest
import torch
from matplotlib import colors

from gnet.figures.colours import (
    BRANCH_COLOURS,
    DIVERGING,
    HEAD_COLOURS,
    SEQUENTIAL,
    as_colours,
    enlarged,
    over_picture,
    paint,
    scale_limit,
)
from gnet.network.config import BRANCHES, HEADS
from gnet.network.receptive_field import Field


def luminance(table: np.ndarray) -> np.ndarray:
    return table.astype(float) @ [0.2126, 0.7152, 0.0722]


def test_the_sequential_map_only_gets_lighter():
    assert SEQUENTIAL.shape == (256, 3) and SEQUENTIAL.dtype == np.uint8
    # Bytes are rounded, so a step may stand still, but never fall by more than the rounding.
    assert (np.diff(luminance(SEQUENTIAL)) > -0.5).all()
    assert luminance(SEQUENTIAL)[0] < 5 and luminance(SEQUENTIAL)[-1] > 230


def test_the_diverging_map_is_lightest_at_0_and_even_on_both_sides():
    assert DIVERGING.shape == (256, 3) and DIVERGING.dtype == np.uint8
    assert luminance(DIVERGING).argmax() in (127, 128)
    assert DIVERGING[0][2] > DIVERGING[0][0] and DIVERGING[-1][0] > DIVERGING[-1][2]


def test_colours_are_read_only_and_every_branch_and_head_has_its_own():
    with pytest.raises(ValueError):
        SEQUENTIAL[0] = 0
    for theme in ("light", "dark"):
        assert tuple(BRANCH_COLOURS[theme]) == BRANCHES and tuple(HEAD_COLOURS[theme]) == HEADS
        hexes = [*BRANCH_COLOURS[theme].values(), *HEAD_COLOURS[theme].values()]
        assert len(set(hexes)) == 7 and all(map(colors.is_color_like, hexes))


def test_painting_puts_0_at_the_start_or_the_middle_of_the_scale():
    values = torch.tensor([[-2.0, 0.0, 1.0, 2.0, 9.0]])
    assert np.array_equal(paint(values, 2.0, signed=False)[0], SEQUENTIAL[[0, 0, 128, 255, 255]])
    assert np.array_equal(paint(values, 2.0, signed=True)[0], DIVERGING[[0, 128, 191, 255, 255]])
    assert np.array_equal(paint(values, 0.0, signed=True)[0], DIVERGING[[128] * 5])


def test_a_scale_is_cut_only_when_few_values_dwarf_the_rest():
    even = torch.linspace(-1, 1, 1000)
    assert scale_limit(even) == 1.0
    spiked = even.clone()
    spiked[0] = 50.0
    assert scale_limit(spiked) == pytest.approx(1.0, abs=0.02)
    assert scale_limit(torch.zeros(5)) == 0.0


def test_a_cell_is_painted_where_its_field_has_its_centre():
    values = torch.zeros(8, 8)
    values[2, 5] = 1.0
    field = Field(size=43, stride=8, start=6.0)
    colours = over_picture(torch.zeros(1, 3, 64, 64), values, field, 1.0, signed=False)
    times = len(colours) // 64
    brightest = luminance(colours).argmax()
    row, col = (int(place) / times for place in np.unravel_index(brightest, colours.shape[:2]))
    assert abs(row - (6 + 2 * 8)) <= 1 and abs(col - (6 + 5 * 8)) <= 1


def test_enlarging_keeps_cells_hard():
    small = as_colours(torch.rand(1, 3, 4, 4))
    large = enlarged(small, 16)
    assert large.shape == (16, 16, 3)
    assert np.array_equal(large[::4, ::4], small) and np.array_equal(large[3::4, 3::4], small)
