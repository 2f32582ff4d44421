"""What leaving early gains and costs, as a figure and as a table for the model card."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from gnet.evaluation.exits import Exits, Rule
from gnet.figures.colours import HEAD_COLOURS
from gnet.figures.sheet import LESSER, LINE, PAPER, TEXT, Sheet, ruled
from gnet.network.config import HEADS
from gnet.words import counted, percent, rounded_percent

HEAD = HEAD_COLOURS["light"]
ROWS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
"""Thresholds that the card shows besides those chosen."""


def exits_figure(exits: Exits) -> Figure:
    """`leaving_figure` of three exits, with the thresholds chosen on `tune`."""
    alone = {each.head: (each.macs, each.top1) for each in exits.exits}
    chosen = {f"{name}: {at:.2f}": exits.rule(at) for name, at in exits.chosen.items()}
    pictures = f"{exits.count:,} pictures of {exits.split}, {exits.size} px"
    return leaving_figure(exits.rules, alone, chosen, pictures)


def leaving_figure(
    rules: Sequence[Rule],
    alone: Mapping[str, tuple[float, float]],
    chosen: Mapping[str, Rule],
    pictures: str,
) -> Figure:
    """Accuracy over mean multiply-adds: single exits, and the rule for every threshold.

    Beside it, which share of the pictures leaves where. `alone`: head → its multiply-adds and its
    top-1; `chosen`: words → a rule that is marked; `pictures` says what was measured.
    """
    sheet = Sheet(10.4, 4.6)
    sheet.text(0.4, 0.52, "Leaving early", size=16, bold=True)
    note = (
        f"{pictures}. Line: every picture leaves at the first head that is sure, for each "
        "threshold. Dots: one head for all."
    )
    sheet.text(0.4, 0.79, note, size=9.5, colour=LESSER)
    sheet.text(0.4, 1.2, "Accuracy, %, over multiply-adds", size=10, bold=True)
    axes = sheet.axes(0.85, 1.4, 4.3, 2.55)
    means = [rule.macs for rule in rules]
    correct = [100 * rule.top1 for rule in rules]
    axes.plot(means, correct, color=TEXT, linewidth=1.8, zorder=3)
    for head, (macs, top1) in alone.items():
        axes.plot(
            macs,
            100 * top1,
            linestyle="none",
            marker="o",
            markersize=8,
            markeredgecolor=PAPER,
            color=HEAD[head],
            zorder=4,
        )
        axes.annotate(
            head,
            (macs, 100 * top1),
            xytext=(0, -15),
            textcoords="offset points",
            fontsize=9,
            ha="center",
            family="DejaVu Sans",
        )
    for rule in chosen.values():
        axes.plot(rule.macs, 100 * rule.top1, marker="D", markersize=5, color=TEXT, zorder=5)
    marks = [100 * top1 for _, top1 in alone.values()] + correct
    room = 0.16 * (max(marks) - min(marks)) + 0.5  # for the names below the dots
    axes.set_ylim(min(marks) - room, max(marks) + room / 2)
    across = means + [macs for macs, _ in alone.values()]
    axes.set_xlim(min(across) * 0.94, max(across) * 1.04)
    _name(axes, chosen)
    ruled(axes)
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.xaxis.set_major_formatter(lambda value, _: counted(value))

    sheet.text(5.65, 1.2, "Where pictures leave, %, by threshold", size=10, bold=True)
    shares = sheet.axes(6.1, 1.4, 3.9, 2.55)
    thresholds = [rule.threshold for rule in rules]
    stacked = [[100 * rule.leaving[head] for rule in rules] for head in alone]
    shares.stackplot(thresholds, stacked, colors=[HEAD[head] for head in alone])
    for rule in chosen.values():
        shares.axvline(rule.threshold, color=LINE, linewidth=1.2, linestyle=(0, (4, 3)))
    shares.set_xlim(0, 1)
    shares.set_ylim(0, 100)
    ruled(shares)
    shares.set_xticks([0, 0.25, 0.5, 0.75, 1])
    for index, head in enumerate(alone):
        x = 7.9 + 0.75 * index
        sheet.block(x, 4.3, 0.2, 0.1, HEAD[head])
        sheet.text(x + 0.26, 4.4, head, size=9)
    return sheet.figure


def _name(axes: Axes, chosen: Mapping[str, Rule]) -> None:
    """Write beside each marked rule what it is, above the line and over no other words."""
    written = list(axes.texts)
    for words, rule in chosen.items():
        label = axes.annotate(
            words,
            (rule.macs, 100 * rule.top1),
            textcoords="offset points",
            xytext=(-8, 4),
            fontsize=8.5,
            ha="right",
            family="DejaVu Sans",
        )
        for above in (4, 17, 30):
            label.set_position((-8, above))
            place = label.get_window_extent()
            if not any(place.overlaps(other.get_window_extent()) for other in written):
                break
        written.append(label)


def exits_table(exits: Exits) -> str:
    """The figures as Markdown: each head alone, then the rule."""
    unit = exits.machine
    lines = [
        f"On `{exits.split}` of `{exits.data}`, {exits.count:,} pictures at {exits.size} px. "
        f"Milliseconds are medians for one picture, batch norm folded, {unit['threads']} "
        f"{'thread' if unit['threads'] == 1 else 'threads'}, {unit['capability']}, "
        f"torch {unit['torch']}.",
        "",
        "| one head for all | top-1 / top-5 | mean over the sources | multiply-adds | ms |",
        "|---|---|---|---|---|",
        *(
            f"| {each.head}, at {each.stage} | {100 * each.top1:.1f} / {percent(each.top5)} | "
            f"{percent(each.sources_mean)} | {counted(each.macs)} | "
            f"{each.milliseconds:.1f} |"
            for each in exits.exits
        ),
        "",
        "Leave at the first head that is sure: as soon as the probability of its first class, "
        "after temperature scaling, reaches the threshold. The thresholds with a name were chosen "
        f"on `tune`; the figures are those of `{exits.split}`.",
        "",
        "| threshold | top-1 | leave at aux1 | at aux2 | at main | mean multiply-adds | mean ms |",
        "|---" * 7 + "|",
    ]
    names: dict[float, list[str]] = {}
    for name, threshold in exits.chosen.items():
        names.setdefault(threshold, []).append(name)
    for threshold in sorted({*ROWS, *names}):
        label = f"{threshold:.2f}"
        if threshold in names:
            label = f"**{label}** ({', '.join(names[threshold])})"
        lines.append(_row(label, exits.rule(threshold)))
    return "\n".join(lines)


def _row(label: str, rule: Rule) -> str:
    leaving = " | ".join(rounded_percent(rule.leaving[head]) for head in HEADS)
    return (
        f"| {label} | {percent(rule.top1)} | {leaving} | {counted(rule.macs)} | "
        f"{rule.milliseconds:.1f} |"
    )
