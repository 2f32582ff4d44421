"""Attributions as figures: a map over the picture, a table of branches, a map for each branch."""

import textwrap

from matplotlib.figure import Figure
from torch import Tensor

from gnet.explain.attribution.all_branches import GradCams
from gnet.explain.attribution.attribute import Attribution
from gnet.explain.attribution.checks import stages_before
from gnet.explain.attribution.curves import Curves
from gnet.explain.attribution.methods import METHODS, PICTURE
from gnet.explain.recording import Recording
from gnet.figures.branches import CELL, ROW, branch_table
from gnet.figures.colours import (
    BRANCH_COLOURS,
    SEQUENTIAL,
    as_colours,
    enlarged,
    mixed,
    paint,
    scale_limit,
)
from gnet.figures.exploring import label
from gnet.figures.sheet import LESSER, Sheet, number
from gnet.network.config import BRANCHES
from gnet.network.receptive_field import spread
from gnet.words import percent

_SIDE, _GAP, _LEFT = 2.9, 0.25, 0.4


def attribution_figure(
    attribution: Attribution,
    pixels: Tensor | None = None,
    curves: Curves | None = None,
    limit: float | None = None,
) -> Figure:
    """The picture, the map over it and the map alone, with its finding in words.

    `pixels`: (1, 3, H, W) in [0, 1]; without them the map stands alone. Where a few pixels dwarf
    all others the scale ends at 99.5 % of them, and the figure says so; with `limit` it ends there,
    as for maps on one scale. The areas of the map's `curves` stand below its finding.
    """
    limit = limit or scale_limit(attribution.map)
    if METHODS[attribution.method].about != PICTURE:
        return _table(attribution, curves, limit)
    alone = enlarged(paint(attribution.map, limit, signed=attribution.signed))
    panels = [alone]
    if pixels is not None:
        blend = mixed(pixels, attribution.map, limit, signed=attribution.signed, fading=True)
        panels = [as_colours(pixels), blend, alone]
    width = max(2 * _LEFT + len(panels) * (_SIDE + _GAP) - _GAP, 3.7)
    sheet, first = _begun(attribution, curves, width, _SIDE, 108 if len(panels) > 1 else 44)
    for index, colours in enumerate(panels):
        sheet.picture(_LEFT + index * (_SIDE + _GAP), first, _SIDE, _SIDE, colours)
    _scale(sheet, attribution, limit, _LEFT, first + _SIDE + 0.2, _SIDE)
    return sheet.figure


def cams_figure(found: GradCams, recording: Recording) -> Figure:
    """The Grad-CAM of each branch before a head over the picture, a column for each module."""
    left, top, side, gap = 1.25, 1.55, 0.92, 0.07
    limits = found.limits
    width = max(left + len(limits) * (side + gap) + 0.4, 7.0)
    sheet = Sheet(width, top + len(BRANCHES) * (side + gap) + 0.85)
    sheet.title(f"Grad-CAM of all branches for “{found.target_name}” at {found.head}")
    for line, words in enumerate(textwrap.wrap(found.sentence, round(13 * (width - 0.8)))):
        sheet.text(_LEFT, 0.79 + 0.17 * line, words, size=9.5, colour=LESSER)
    for column, (stage, limit) in enumerate(limits.items()):
        x = left + column * (side + gap)
        sheet.text(x + side / 2, top - 0.24, stage, size=10, bold=True, align="center")
        end = f"0 to {number(limit)}"
        sheet.text(x + side / 2, top - 0.08, end, size=8, align="center", colour=LESSER)
        for row, branch in enumerate(BRANCHES):
            field = recording.fields[stage][branch]
            values = spread(found.maps[stage, branch], field, _size(recording))
            colours = mixed(recording.pixels, values, limit, signed=False, fading=True)
            sheet.picture(x, top + row * (side + gap), side, side, colours)
    for row, branch in enumerate(BRANCHES):
        middle = top + row * (side + gap) + side / 2
        name, hue = label(branch, recording), BRANCH_COLOURS["light"][branch]
        for line, words in enumerate(name.replace(" (", "\n(").splitlines()):
            sheet.text(_LEFT, middle + 0.16 * line, words, size=9, bold=not line, colour=hue)
    below = sheet.height - 0.7
    sheet.picture(left, below, 2.9, 0.09, SEQUENTIAL[None])
    note = "response × mean gradient: from 0 to the number of the module, a scale for its branches"
    sheet.text(left, below + 0.26, note, size=8, colour=LESSER)
    return sheet.figure


def _size(recording: Recording) -> tuple[int, int]:
    return recording.pixels.shape[2], recording.pixels.shape[3]


def _table(attribution: Attribution, curves: Curves | None, limit: float) -> Figure:
    """A value for each branch of each module before the head."""
    stages = stages_before(attribution.head)
    values = {
        (stage, branch): float(attribution.map[row, column])
        for row, stage in enumerate(stages)
        for column, branch in enumerate(BRANCHES)
    }
    wide, tall, left = CELL * len(BRANCHES), ROW * len(stages), 0.75
    sheet, first = _begun(attribution, curves, left + wide + _LEFT, tall + 0.3, 56)
    branch_table(sheet, left, first + 0.3, "", values, limit)
    _scale(sheet, attribution, limit, left, first + tall + 0.5, wide)
    return sheet.figure


def _begun(
    attribution: Attribution, curves: Curves | None, width: float, height: float, letters: int
) -> tuple[Sheet, float]:
    """A sheet with the title and the words, and where the space of that `height` begins on it."""
    said = [attribution.settings, attribution.finding, curves.sentence if curves else ""]
    words = [line for each in said for line in textwrap.wrap(each, letters)]
    first = 1.2 + 0.17 * len(words)
    sheet = Sheet(width, first + height + 0.85)
    sheet.title(attribution.label)
    about = f"for “{attribution.target_name}” at {attribution.head}"
    sheet.text(_LEFT, 0.79, about, size=9.5)
    for index, line in enumerate(words):
        sheet.text(_LEFT, 1.02 + 0.17 * index, line, size=8.5, colour=LESSER)
    return sheet, first


def _scale(
    sheet: Sheet, attribution: Attribution, limit: float, left: float, top: float, width: float
) -> None:
    note = (
        f"{METHODS[attribution.method].unit}; "
        f"values from {number(attribution.low)} to {number(attribution.high)}"
    )
    outside = float((attribution.map.abs() > limit).double().mean())
    if outside > 0:
        note += f"; {percent(outside)} lie outside the scale"
    sheet.scale(left, top, width, limit, signed=attribution.signed, note=note)
