"""Depth as figures: one picture's belief from head to head, and what many pictures say of each."""

import textwrap
from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gnet.errors import FieldError, GnetError
from gnet.evaluation.depth import Depth
from gnet.explain.belief import HeadBelief, answer, belief
from gnet.explain.probes import Course
from gnet.explain.recording import Recording
from gnet.figures.colours import HEAD_COLOURS
from gnet.figures.exits import leaving_figure
from gnet.figures.sheet import LESSER, LINE, PAPER, TEXT, Sheet
from gnet.network.config import EXITS, HEADS, STAGES
from gnet.words import percent, rounded_percent

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


def accuracy_figure(depth: Depth, words: str = "", named: str = "") -> Figure:
    """How often each probe and each head is right; `named` adds one class's mean probability."""
    sheet, axes = _over(depth, "How often is each depth right?", words)
    _readers(axes, depth, [reader.top1 for reader in depth.readers], solid=True)
    for reader in depth.readers:
        if reader.name in HEADS:
            said = f"{reader.name} {rounded_percent(reader.top1)}"
            at = STAGES.index(reader.stage), reader.top1
            below = reader.name == "aux2"
            axes.annotate(
                said,
                at,
                xytext=(0, -18 if below else 10),
                textcoords="offset points",
                ha="center",
                fontsize=9,
                color=HEAD[reader.name],
                family="DejaVu Sans",
            )
    key = "Line: linear probes. Dots: heads."
    if course := _course(depth, named):
        _readers(axes, depth, course, solid=False)
        key += f" Dashes: mean probability of “{named}” for its own pictures."
    sheet.text(0.9, 4.35, key, size=8.5, colour=LESSER)
    return sheet.figure


def classes_figure(depth: Depth, named: str = "") -> Figure:
    """The mean probability of the right class, a line for each class through the probes."""
    words = "Each line: the mean probability that the probes give to a class for its own pictures."
    sheet, axes = _over(depth, "When is each class known?", words)
    for course in depth.courses:
        if course is not None:
            axes.plot(*_probes(depth, course), color=LESSER, alpha=0.22, linewidth=0.8)
    if course := _course(depth, named):
        _readers(axes, depth, course, solid=True)
        sheet.text(0.9, 4.35, f"Black: “{named}”.", size=8.5)
    return sheet.figure


def agreement_figure(depth: Depth, words: str = "") -> Figure:
    """Fraction of the pictures to which two depths give the same first class, for each pair."""
    names, cell = [reader.name for reader in depth.readers], 0.56
    left, top = 1.1, 1.6
    sheet = Sheet(max(left + cell * len(names) + 0.4, 7.6), top + cell * len(names) + 0.35)
    sheet.title("Who gives the same answer?")
    note = f"Percent of {_pictures(depth)}. {words}"
    for line, text in enumerate(textwrap.wrap(note, 92)):
        sheet.text(0.4, 0.79 + 0.17 * line, text, size=9.5, colour=LESSER)
    for row, (name, shares) in enumerate(zip(names, depth.agreement, strict=True)):
        hue = HEAD.get(name, TEXT)
        middle = (row + 0.5) * cell
        sheet.text(left - 0.12, top + middle + 0.05, name, bold=True, align="right", colour=hue)
        sheet.text(left + middle, top - 0.1, name, bold=True, align="center", colour=hue)
        for column, share in enumerate(shares):
            x, y = left + column * cell, top + row * cell
            sheet.block(x, y, cell - 0.03, cell - 0.03, _shade(share))
            middle_of = x + cell / 2 - 0.015, y + cell / 2 + 0.04
            sheet.text(*middle_of, f"{100 * share:.0f}", size=8.5, align="center")
    return sheet.figure


def early_figure(depth: Depth, leave: float | None = None) -> Figure:
    """What leaving at the first sure head costs, with the threshold `leave` marked.

    Raises `GnetError` for a network with fewer than two trained heads.
    """
    if not depth.rules:
        raise GnetError("Leaving early needs a trained early head; this network has none.")
    accuracy = {reader.name: reader.top1 for reader in depth.readers}
    alone = {head: (cost.macs, accuracy[head]) for head, cost in depth.costs.items()}
    chosen = {}
    if leave is not None:
        rule = min(depth.rules, key=lambda one: abs(one.threshold - leave))
        chosen = {f"{rounded_percent(rule.threshold)}: {percent(rule.top1)} right": rule}
    return leaving_figure(depth.rules, alone, chosen, _pictures(depth))


def _over(depth: Depth, title: str, words: str) -> tuple[Sheet, Axes]:
    """A sheet with axes of depth and share, and what was measured."""
    sheet = Sheet(9.6, 4.7)
    sheet.title(title)
    note = f"{_pictures(depth)}. {words}"
    note = note[:1].upper() + note[1:]
    for line, text in enumerate(textwrap.wrap(note, 125, max_lines=3, placeholder=" …")):
        sheet.text(0.4, 0.79 + 0.17 * line, text, size=9.5, colour=LESSER)
    axes = sheet.axes(0.9, 1.4, 8.3, 2.5)
    _furnish(axes)
    return sheet, axes


def _pictures(depth: Depth) -> str:
    return f"{depth.count:,} pictures of {depth.data} ({depth.split}), {depth.size} px"


def _course(depth: Depth, named: str) -> Sequence[float] | None:
    """The mean probabilities of a class; None for no class, and for one without pictures.

    Raises `GnetError` for a class that is none.
    """
    if not named:
        return None
    if named not in depth.classes:
        raise FieldError("class", named, f"names of the {len(depth.classes)} classes measured")
    return depth.courses[depth.classes.index(named)]


def _probes(depth: Depth, shares: Sequence[float]) -> tuple[list[int], list[float]]:
    """Places of the probes and their shares."""
    read = zip(depth.readers, shares, strict=True)
    found = [(STAGES.index(r.stage), share) for r, share in read if r.name == r.stage]
    return [at for at, _ in found], [share for _, share in found]


def _readers(axes: Axes, depth: Depth, shares: Sequence[float], *, solid: bool) -> None:
    """A line through the probes and a dot for each head."""
    (line,) = axes.plot(*_probes(depth, shares), color=TEXT, linewidth=2)
    if solid:
        line.set(marker="o", markersize=4)
    else:
        line.set_linestyle((0, (5, 4)))
    for reader, share in zip(depth.readers, shares, strict=True):
        if reader.name in HEADS:
            fill = HEAD[reader.name] if solid else PAPER
            axes.plot(
                STAGES.index(reader.stage),
                share,
                "o",
                color=fill,
                markeredgecolor=HEAD[reader.name],
                markersize=9,
                clip_on=False,
            )


def _shade(share: float) -> str:
    """A share as the main head's hue on paper: 0 is blank, 1 the strongest."""
    hue, paper = (
        [int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in (HEAD["main"], PAPER)
    )
    mixed = [round(p + (h - p) * 0.36 * share) for h, p in zip(hue, paper, strict=True)]
    return "#" + "".join(f"{value:02x}" for value in mixed)


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
