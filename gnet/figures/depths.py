"""Belief as figures: the heads' first classes as bars, and one class from depth to depth."""

import textwrap
from collections.abc import Mapping

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gnet.explain.belief import HeadBelief, answer, belief
from gnet.explain.probes import Course
from gnet.explain.recording import Recording
from gnet.figures.colours import HEAD_COLOURS
from gnet.figures.sheet import LESSER, LINE, TEXT, Sheet
from gnet.network.config import EXITS, HEADS, STAGES
from gnet.words import rounded_percent

HEAD = HEAD_COLOURS["light"]
_COLUMN, _ROW = 3.3, 0.34


def heads_figure(recording: Recording, *, top: int = 5, switched: str = "") -> Figure:
    """The first classes of each head as bars on one scale; an untrained head has none."""
    present = [head for head in HEADS if head in recording.logits]
    believed = belief(recording, top=top)
    sheet = Sheet(0.5 + _COLUMN * max(2, len(present)), 2.1 + _ROW * top)
    sheet.title("First classes of the heads", switched)
    sheet.text(0.4, 0.79, agreement(believed.heads, believed.agree), size=9.5, colour=LESSER)
    for column, head in enumerate(present):
        left = 0.4 + _COLUMN * column
        held = believed.heads.get(head)
        sheet.text(left, 1.15, head, size=11, bold=True, colour=HEAD[head] if held else LESSER)
        if held:
            _bars(sheet, left, recording, head, held)
        else:
            sheet.text(left, 1.34, "untrained: it believes nothing", size=8, colour=LESSER)
    return sheet.figure


def _bars(sheet: Sheet, left: float, recording: Recording, head: str, held: HeadBelief) -> None:
    """One head's answer in words, and a bar from 0 to 100 % for each of its first classes."""
    lines = textwrap.wrap(answer(recording, held), 46, max_lines=2, placeholder=" …")
    note = f"{held.status}; entropy {held.entropy:.2f} nats"
    lines += textwrap.wrap(note, 46, max_lines=1, placeholder=" …")
    for number, words in enumerate(lines):
        sheet.text(left, 1.34 + 0.16 * number, words, size=8, colour=LESSER)
    for rank, index in enumerate(held.top):
        y, chance = 2.0 + _ROW * rank, held.probabilities[index]
        name = textwrap.shorten(recording.class_name(index), 18, placeholder="…")
        sheet.text(left, y, name, size=8.5, bold=rank == 0)
        sheet.block(left + 1.3, y - 0.1, 1.2, 0.1)
        sheet.block(left + 1.3, y - 0.1, 1.2 * chance, 0.1, HEAD[head])
        share = rounded_percent(chance)
        sheet.text(left + 3.0, y, share, size=8.5, align="right", bold=rank == 0)


def depth_figure(
    recording: Recording, course: Course | None, target: int, *, words: str = "", switched: str = ""
) -> Figure:
    """One class's probability at the nine depths: its line through the probes, the heads as dots.

    Without probes the line goes from head to head. `words` tell the story below the title.
    """
    heads = belief(recording, top=5).heads
    sheet = Sheet(9.6, 4.7)
    sheet.title(f"Belief in {recording.class_name(target)} from depth to depth", switched)
    for line, text in enumerate(textwrap.wrap(words, 120, max_lines=2, placeholder=" …")):
        sheet.text(0.4, 0.79 + 0.17 * line, text, size=9.5, colour=LESSER)
    axes = sheet.axes(0.9, 1.25, 8.3, 2.6)
    _furnish(axes)
    last = list(heads.values())[-1:]
    others = [index for held in last for index in held.top if index != target]
    for index in others:
        axes.plot(*_line(heads, course, index), color=LESSER, alpha=0.35, linewidth=1)
    axes.plot(*_line(heads, course, target), color=TEXT, linewidth=2.2, marker="o", markersize=4)
    for head, held in heads.items():
        at = STAGES.index(EXITS[head])
        axes.plot(
            at, held.probabilities[target], "o", markersize=9, color=HEAD[head], clip_on=False
        )
    _legend(sheet, heads, target, probes=course is not None, others=bool(others))
    return sheet.figure


def _furnish(axes: Axes) -> None:
    axes.set_xlim(-0.4, len(STAGES) - 0.6)
    axes.set_ylim(-0.06, 1.06)
    axes.set_xticks(range(len(STAGES)), STAGES)
    axes.set_yticks((0, 0.5, 1), ("0 %", "50 %", "100 %"))
    axes.grid(axis="y", color=LINE, linewidth=0.8)
    axes.tick_params(length=0, labelsize=9, labelcolor=LESSER, labelfontfamily="DejaVu Sans")


def _line(
    heads: Mapping[str, HeadBelief], course: Course | None, index: int
) -> tuple[list[int], list[float]]:
    """Places of the depths, and the class's probability there."""
    read = course.readings if course else {EXITS[head]: held for head, held in heads.items()}
    stages = [stage for stage in STAGES if stage in read]
    return [STAGES.index(stage) for stage in stages], [
        read[stage].probabilities[index] for stage in stages
    ]


def _legend(
    sheet: Sheet, heads: Mapping[str, HeadBelief], target: int, *, probes: bool, others: bool
) -> None:
    """What line and dots are, and each head's own number."""
    y = 4.35
    line = "linear probes" if probes else "from head to head"
    sheet.block(0.9, y - 0.05, 0.25, 0.025, TEXT)
    sheet.text(1.22, y, line, size=8.5)
    for number, (head, held) in enumerate(heads.items()):
        x = 2.75 + 1.35 * number
        sheet.block(x, y - 0.1, 0.1, 0.1, HEAD[head])
        share = rounded_percent(held.probabilities[target])
        sheet.text(x + 0.16, y, f"{head} {share}", size=8.5)
    if others:
        sheet.text(9.2, y, "pale: other first classes", size=8.5, colour=LESSER, align="right")


def agreement(heads: Mapping[str, HeadBelief], agree: bool | None) -> str:
    """Whether the trained heads put the same class first, in words."""
    if agree is None:
        return "Agreement needs at least two trained heads."
    how_many = {2: "two", 3: "three"}[len(heads)]
    return (
        f"The {how_many} trained heads {'agree' if agree else 'do not agree'} on the first class."
    )
