"""A module's response to stripes from fine to coarse: four curves with their bands, one scale."""

from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator

from gnet.channels.scales import ScaleResponses, sentence
from gnet.explain.branches import LABELS
from gnet.figures.colours import BRANCH_COLOURS
from gnet.figures.sheet import LESSER, Sheet, number, ruled

HUES = BRANCH_COLOURS["light"]


def scales_figure(found: ScaleResponses, stage: str) -> Figure:
    """Line: mean over directions; band: from the least to the strongest direction.

    Raises `FieldError` for a module that there is not.
    """
    curves = found.curves(stage)
    sheet = Sheet(8.6, 4.9)
    sheet.text(0.4, 0.5, f"Which scale each branch of {stage} answers", size=14, bold=True)
    note = f"mean activation for soft stripes; bands: {len(found.directions)} directions"
    sheet.text(0.4, 0.76, note, size=9.5, colour=LESSER)
    told = sentence(found, stage)
    for index, line in enumerate(_lines(told)):
        sheet.text(0.4, 4.3 + 0.2 * index, line, size=9)
    axes = sheet.axes(0.85, 1.1, 6.5, 2.5)
    for branch, curve in curves.items():
        axes.fill_between(
            found.periods, curve.low, curve.high, color=HUES[branch], alpha=0.16, linewidth=0
        )
        axes.plot(found.periods, curve.mean, color=HUES[branch], linewidth=1.8, marker="o", ms=3.5)
    ends = sorted((curve.mean[-1], branch) for branch, curve in curves.items())
    limit = max(max(curve.high) for curve in curves.values())
    height = -1.0
    for value, branch in ends:  # names at the lines' ends, never one over the other
        height = max(value / limit if limit else 0.0, height + 0.08)
        axes.annotate(
            LABELS[branch],
            (1.015, height / 1.05),
            xycoords="axes fraction",
            color=HUES[branch],
            fontsize=9,
            fontweight="bold",
            va="center",
            family="DejaVu Sans",
        )
    ruled(axes)
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(FixedLocator(list(found.periods)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticklabels([number(period) for period in found.periods])
    axes.set_xlim(found.periods[0], found.periods[-1])
    axes.set_ylim(0, 1.05 * limit or 1)
    sheet.text(7.35, 3.98, "px from one stripe to the next", size=8.5, align="right")
    return sheet.figure


def _lines(words: str, most: int = 105) -> list[str]:
    """The sentences, broken where a line is full."""
    lines = [""]
    for word in words.split():
        if len(lines[-1]) + len(word) >= most:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines
