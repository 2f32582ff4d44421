"""A review as figures: confusion matrix, reliability, and a gallery of right and wrong answers."""

import io
import textwrap

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from gnet.evaluation.review import Review
from gnet.figures.colours import HEAD_COLOURS, RIGHT_WRONG
from gnet.figures.sheet import LESSER, LINE, PAPER, TEXT, Sheet
from gnet.words import rounded_percent

HEAD, VERDICT = HEAD_COLOURS["light"], RIGHT_WRONG["light"]
_NAMES_FIT = 40
"""Up to so many classes the confusion matrix names each."""


def confusion_figure(review: Review, head: str) -> Figure:
    """Rows: what the picture shows. Columns: what the head answered. Each row adds up to 1."""
    matrix = review.confusion(head).double().numpy()
    count = len(review.classes)
    side = min(9.0, max(3.6, 0.42 * count)) if count <= _NAMES_FIT else 8.0
    left, top = 2.0, 1.35
    sheet = Sheet(left + side + 0.5, top + side + (1.75 if count <= _NAMES_FIT else 0.8))
    sheet.text(0.4, 0.52, f"Confusion matrix of {head}", size=16, bold=True)
    note = (
        f"{rounded_percent(review.accuracy(head))} of {len(review)} pictures right. "
        "Rows: the right class; columns: the answer."
    )
    sheet.text(0.4, 0.79, note, size=9.5, colour=LESSER)
    shares = matrix / np.maximum(matrix.sum(1, keepdims=True), 1)
    axes = sheet.axes(left, top, side, side)
    axes.imshow(
        _inked(shares), aspect="equal", interpolation="nearest", extent=(0, count, count, 0)
    )
    cell = side / count
    if count <= _NAMES_FIT:
        for at, name in enumerate(review.classes):
            short = textwrap.shorten(name, 24, placeholder="…")
            middle = (at + 0.5) * cell
            sheet.text(left - 0.1, top + middle + 0.04, short, size=8, align="right")
            axes.text(
                at + 0.5,
                count + 0.25,
                short,
                rotation=45,
                ha="right",
                va="top",
                rotation_mode="anchor",
                fontsize=8,
                color=TEXT,
                family="DejaVu Sans",
                parse_math=False,
            )
        if cell >= 0.3:
            for row, column in zip(*matrix.nonzero(), strict=True):
                dark = shares[row, column] ** 0.6 > 0.5
                axes.text(
                    column + 0.5,
                    row + 0.5,
                    str(int(matrix[row, column])),
                    ha="center",
                    va="center",
                    fontsize=8,
                    color=PAPER if dark else TEXT,
                    family="DejaVu Sans",
                )
    for edge in (0.0, side):
        sheet.block(left, top + edge, side, 0.01)
        sheet.block(left + edge, top, 0.01, side)
    return sheet.figure


def reliability_figure(review: Review) -> Figure:
    """Accuracy over confidence of each trained head; on the diagonal both are equal."""
    sheet = Sheet(5.6, 5.9)
    sheet.text(0.4, 0.52, "As sure as right?", size=16, bold=True)
    note = "Dots: answers of about the same confidence, larger for more of them."
    sheet.text(0.4, 0.79, note, size=9.5, colour=LESSER)
    axes = sheet.axes(0.95, 1.6, 4.2, 3.6)
    axes.plot([0, 100], [0, 100], color=LESSER, linewidth=0.9, linestyle=(0, (4, 3)))
    for row, head in enumerate(reversed(review.heads)):
        filled = [b for b in review.bins(head) if b.count]
        x = [100 * (b.confidence or 0) for b in filled]
        y = [100 * (b.accuracy or 0) for b in filled]
        sizes = [12 + 160 * b.count / len(review) for b in filled]
        axes.plot(x, y, color=HEAD[head], linewidth=1.6)
        axes.scatter(x, y, s=sizes, color=HEAD[head], edgecolor=PAPER, zorder=4, clip_on=False)
        sheet.block(0.4 + 1.65 * row, 1.08, 0.2, 0.04, HEAD[head])
        words = f"{head}, error {rounded_percent(review.calibration_error(head))}"
        sheet.text(0.66 + 1.65 * row, 1.15, words, size=9)
    if not review.heads:
        sheet.text(1.2, 3.4, "No head is trained, so there is nothing to show.", colour=LESSER)
    axes.set_xlim(0, 100)
    axes.set_ylim(0, 100)
    axes.set_xticks(range(0, 101, 20))
    axes.set_yticks(range(0, 101, 20))
    axes.grid(color=LINE, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, labelsize=8.5, labelcolor=LESSER, labelfontfamily="DejaVu Sans")
    sheet.text(0.5, 1.45, "right, %", size=8.5, colour=LESSER)
    sheet.text(5.15, 5.6, "confidence, %", size=8.5, colour=LESSER, align="right")
    return sheet.figure


def gallery_figure(review: Review, head: str, *, most: int = 12) -> Figure:
    """The answers the head was surest of: `most` right ones above, `most` wrong ones below."""
    tile, gap, columns = 1.0, 0.32, 6
    groups = [(True, "Right"), (False, "Wrong")]
    rows = -(-most // columns)
    block = 0.45 + rows * (tile + 0.62)
    sheet = Sheet(0.8 + columns * tile + (columns - 1) * gap, 1.0 + 2 * block)
    sheet.text(0.4, 0.52, f"Surest answers of {head}", size=16, bold=True)
    for group, (right, word) in enumerate(groups):
        found = review.chosen(head, right=right)
        shown, colour = found[:most], VERDICT["right" if right else "wrong"]
        y = 1.05 + group * block
        words = f"{'✓' if right else '✗'} {word}: {len(shown)} of {len(found)}"
        sheet.text(0.4, y, words, size=11, bold=True, colour=colour)
        for place, index in enumerate(shown):
            x = 0.4 + (place % columns) * (tile + gap)
            above = y + 0.2 + (place // columns) * (tile + 0.62)
            with Image.open(io.BytesIO(review.pictures[index])) as image:
                sheet.picture(x, above, tile, tile, np.asarray(image.convert("RGB")))
            [answer, sure], *_ = review.answer(index)["heads"][head]["top"]
            name = textwrap.shorten(review.classes[answer], 16, placeholder="…")
            sheet.text(x, above + tile + 0.15, name, size=8, bold=True, colour=colour)
            truth = review.classes[int(review.labels[index])]
            line = rounded_percent(sure) if right else f"{rounded_percent(sure)}, is {truth}"
            line = textwrap.shorten(line, 22, placeholder="…")
            sheet.text(x, above + tile + 0.3, line, size=7, colour=LESSER)
    return sheet.figure


def _inked(shares: np.ndarray) -> np.ndarray:
    """Shares of a row as ink on paper: 0 is blank, 1 is black."""
    paper, ink = (np.array([int(c[i : i + 2], 16) for i in (1, 3, 5)]) for c in (PAPER, TEXT))
    strength = shares[..., None] ** 0.6  # so that few are seen, too
    return (paper + (ink - paper) * strength).round().astype(np.uint8)
