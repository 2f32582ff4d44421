"""Colours: the two maps, branches and heads apart, and values painted where they belong."""

import os
from itertools import combinations

import numpy as np
import pytest
import torch
from matplotlib import colors
from matplotlib.figure import Figure

from gnet.figures.colours import (
    BRANCH_COLOURS,
    DIVERGING,
    HEAD_COLOURS,
    INK,
    SEQUENTIAL,
    as_colours,
    enlarged,
    over_picture,
    paint,
    scale_limit,
)
from gnet.network.config import BRANCHES, HEADS
from gnet.network.receptive_field import Field
from support.colour_vision import MISSING, apart, lab, seen
from support.root import ROOT


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


VISION = [None, *MISSING]


@pytest.mark.parametrize("missing", VISION, ids=lambda name: name or "all cones")
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("table", [BRANCH_COLOURS, HEAD_COLOURS], ids=["branches", "heads"])
def test_colours_are_told_apart_by_the_colour_blind(table, theme: str, missing) -> None:
    """Both tables keep 0.08, four times the distance at which colours begin to differ."""
    pairs = combinations(table[theme].values(), 2)
    assert min(apart(*pair, missing) for pair in pairs) >= 0.08


@pytest.mark.parametrize("missing", VISION, ids=lambda name: name or "all cones")
def test_both_colour_maps_are_read_by_the_colour_blind(missing) -> None:
    sequential, diverging = (lab(seen(table / 255, missing)) for table in (SEQUENTIAL, DIVERGING))
    # A step of the map may stand still, but the map only gets lighter.
    assert np.diff(sequential[:, 0]).min() > -0.004 and np.ptp(sequential[:, 0]) > 0.9
    below, above = diverging[:128][::-1], diverging[128:]
    strong = np.linalg.norm(below - above, axis=1)[64:]
    assert strong.min() > 0.1 and diverging[:, 0].argmax() in range(112, 144)


def test_distances_and_missing_cones_are_those_of_their_sources() -> None:
    assert apart("#000000", "#ffffff", None) == pytest.approx(1.0, abs=1e-4)
    for missing in MISSING:  # greys look the same to everybody
        assert seen([0.5, 0.5, 0.5], missing) == pytest.approx([0.5, 0.5, 0.5], abs=2e-3)
    assert apart("#ff0000", "#00ff00", "green cones") < apart("#ff0000", "#00ff00", None) / 2


@pytest.mark.skipif(
    not os.environ.get("GNET_SCREENSHOTS"), reason="asked for by GNET_SCREENSHOTS=1"
)
def test_the_picture_of_colours_is_drawn() -> None:
    figure = Figure(figsize=(8, 3.6), layout="constrained")
    axes = figure.subplots(len(VISION), 1)
    for ax, missing in zip(axes, VISION, strict=True):
        tables = [table[theme] for theme in INK for table in (BRANCH_COLOURS, HEAD_COLOURS)]
        swatches = np.repeat([colors.to_rgb(c) for table in tables for c in table.values()], 16, 0)
        row = np.concatenate([swatches, SEQUENTIAL / 255, DIVERGING / 255])
        ax.imshow(seen(row, missing)[None].clip(0, 1), aspect="auto")
        ax.set(xticks=[], yticks=[])
        ax.set_title(f"without {missing}" if missing else "as they are", loc="left", fontsize=9)
        ax.spines[:].set_visible(False)
    figure.savefig(ROOT / "docs" / "colours.png", dpi=100)
