"""Records in, matplotlib figures out: what the page shows, for paper and slides.

White paper, one hue per branch, printed scales. Never pyplot: a figure belongs to its caller alone.
"""

import math

from matplotlib.figure import Figure

from gnet.errors import GnetError
from gnet.explain.belief import sentence as belief_sentence
from gnet.explain.branches import LABELS, BranchStatistics, mean_map, sentence, statistics
from gnet.explain.recording import Recording
from gnet.figures.colours import (
    BRANCH_COLOURS,
    as_colours,
    enlarged,
    over_picture,
    paint,
)
from gnet.figures.sheet import LESSER, TEXT, Sheet, number
from gnet.network.config import BRANCHES, STAGES
from gnet.network.receptive_field import Field, box
from gnet.words import rounded_percent

BRANCH = BRANCH_COLOURS["light"]


def explore_figure(recording: Recording, stage: str, *, top: int = 8, switched: str = "") -> Figure:
    """One module: the picture with the boxes a centre cell sees, and the four branches beside it.

    Each branch: mean map over the picture, share, mean response, share of silence, and the `top`
    strongest channels. The four mean maps share one scale, all channels another. `switched` says
    in words which branches are switched. An unknown stage raises `GnetError`.
    """
    check_stage(stage)
    numbers = statistics(recording, stage, top=top)
    means = {branch: mean_map(recording, stage, branch) for branch in BRANCHES}
    strongest = {b: recording.branches[stage][b][list(numbers[b].top)] for b in BRANCHES}
    limit = max(float(values.abs().max()) for values in means.values())
    channel_limit = max(float(values.abs().max()) for values in strongest.values())

    side, gap, left, first = 2.0, 0.3, 0.4, 1.62
    rows_of_tiles = math.ceil(top / 4)
    sheet = Sheet(2 * left + 5 * side + 4 * gap, first + side + 1.95 + 0.66 * rows_of_tiles)
    sheet.title(f"Inception {stage}", switched)
    words = f"{sentence(stage, numbers)} {belief_sentence(recording, 'main')}"
    sheet.text(left, 0.79, words, size=9.5, colour=LESSER)

    sheet.text(left, first - 0.22, "Picture", size=11, bold=True)
    height, width = recording.pixels.shape[2:]
    note = f"{height} × {width} px · boxes: one cell’s view"
    sheet.text(left, first - 0.06, note, size=8, colour=LESSER)
    sheet.picture(left, first, side, side, as_colours(recording.pixels))
    for branch in reversed(BRANCHES):
        x1, y1, x2, y2 = _window(recording.fields[stage][branch], (height, width))
        sheet.frame(
            left + side * x1, first + side * y1, side * (x2 - x1), side * (y2 - y1), BRANCH[branch]
        )
    for index, (end, note) in enumerate(
        ((limit, "mean maps, one scale"), (channel_limit, "single channels, one scale"))
    ):
        sheet.scale(
            left,
            first + side + 0.2 + 0.62 * index,
            side,
            end,
            signed=recording.signed,
            note=note,
        )

    widest = max(n.mean for n in numbers.values())
    for index, branch in enumerate(BRANCHES):
        n, x, colour = numbers[branch], left + (index + 1) * (side + gap), BRANCH[branch]
        field = recording.fields[stage][branch]
        sheet.block(x, first - 0.46, side, 0.03, colour)
        sheet.text(x, first - 0.22, label(branch, recording), size=11, bold=True, colour=colour)
        note = f"{n.channels} channels · a cell sees {field.size} px"
        sheet.text(x, first - 0.06, note, size=8, colour=LESSER)
        colours = over_picture(
            recording.pixels, means[branch], field, limit, signed=recording.signed
        )
        sheet.picture(x, first, side, side, colours)

        y = first + side + 0.24
        silent = "–" if n.sparsity is None else rounded_percent(n.sparsity)
        rows = [
            ("share of activity", rounded_percent(n.share), n.share),
            ("mean response", number(n.mean), n.mean / widest if widest > 0 else 0.0),
            ("at 0", silent, n.sparsity or 0.0),
        ]
        for name, value, fraction in rows:
            sheet.text(x, y, name, size=8.5, colour=LESSER)
            sheet.text(x + side, y, value, size=8.5, align="right")
            sheet.block(x, y + 0.07, side, 0.045)
            sheet.block(x, y + 0.07, side * min(max(fraction, 0.0), 1.0), 0.045, colour)
            y += 0.32
        low, high = float(means[branch].min()), float(means[branch].max())
        sheet.text(x, y, "mean map", size=8.5, colour=LESSER)
        sheet.text(x + side, y, f"{number(low)} to {number(high)}", size=8.5, align="right")
        y += 0.32
        note = f"{len(n.top)} strongest of {n.channels} channels"
        sheet.text(x, y, note, size=8.5, colour=LESSER)
        for place, (channel, values) in enumerate(zip(n.top, strongest[branch], strict=True)):
            tile = enlarged(paint(values, channel_limit, signed=recording.signed), 96)
            tile_x, tile_y = x + 0.515 * (place % 4), y + 0.1 + 0.66 * (place // 4)
            sheet.picture(tile_x, tile_y, 0.455, 0.455, tile)
            middle = tile_x + 0.2275
            sheet.text(middle, tile_y + 0.57, str(channel), size=7, colour=LESSER, align="center")
    return sheet.figure


def overview_figure(recording: Recording, *, switched: str = "") -> Figure:
    """All 36 branches: the share of its module's activity each carries, and of its channels."""
    left, top, row, column = 1.25, 1.25, 0.95, 0.82
    sheet = Sheet(left + 9 * column + 0.4, top + 4 * row + 0.45)
    sheet.title("Which branches carry the activity", switched)
    note = "Bar: a branch’s share of its module’s activity. Line: its share of the channels."
    sheet.text(0.4, 0.79, note, size=9.5, colour=LESSER)
    table = {stage: statistics(recording, stage) for stage in STAGES}
    highest = max(
        max(n.share, n.channels / _total(row_)) for row_ in table.values() for n in row_.values()
    )
    for j, stage in enumerate(STAGES):
        middle = left + (j + 0.5) * column
        sheet.text(middle, top - 0.08, stage, size=10, bold=True, align="center")
        for i, branch in enumerate(BRANCHES):
            n = table[stage][branch]
            base = top + (i + 1) * row - 0.06
            unit = (row - 0.36) / highest
            sheet.block(middle - 0.24, base - unit * n.share, 0.48, unit * n.share, BRANCH[branch])
            expected = unit * n.channels / _total(table[stage])
            sheet.block(middle - 0.3, base - expected - 0.006, 0.6, 0.012, TEXT)
            above = max(unit * n.share, expected) + 0.06
            sheet.text(middle, base - above, rounded_percent(n.share), size=8, align="center")
    for i, branch in enumerate(BRANCHES):
        base = top + (i + 1) * row - 0.06
        sheet.block(left, base, 9 * column, 0.01)
        sheet.text(0.4, base - 0.02, LABELS[branch], size=10, bold=True, colour=BRANCH[branch])
        if label(branch, recording) != LABELS[branch]:
            note = f"kernel {recording.kernel_5x5}×{recording.kernel_5x5}"
            sheet.text(0.4, base + 0.13, note, size=7.5, colour=LESSER)
    return sheet.figure


def label(branch: str, recording: Recording) -> str:
    """The branch's name; a 5×5 branch whose kernel is 3×3 says so."""
    if branch == "5x5" and recording.kernel_5x5 != 5:
        return f"5×5 (kernel {recording.kernel_5x5}×{recording.kernel_5x5})"
    return LABELS[branch]


def _total(numbers: dict[str, BranchStatistics]) -> int:
    return sum(n.channels for n in numbers.values())


def _window(field: Field, size: tuple[int, int]) -> tuple[float, float, float, float]:
    """What the cell nearest the middle sees, just inside the picture's edge.

    Left, top, right and bottom in parts of the picture's sides.
    """
    height, width = size
    row, col = (round(((side - 1) / 2 - field.start) / field.stride) for side in size)
    top, left, bottom, right = box(field, max(row, 0), max(col, 0), size)
    inset = 1 / 200
    return (
        left / width + inset,
        top / height + inset,
        right / width - inset,
        bottom / height - inset,
    )


def check_stage(stage: str) -> None:
    """Raise `GnetError` for a stage that does not exist."""
    if stage not in STAGES:
        raise GnetError(f"There is no module {stage!r}; there are {', '.join(STAGES)}.")
