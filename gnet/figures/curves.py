"""A training run's events as curves."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from gnet.figures.colours import HEAD_COLOURS
from gnet.figures.sheet import LESSER, PAPER, Sheet, ruled
from gnet.network.config import HEADS
from gnet.runs.events import EpochDone, Event, RunStarted, StepDone
from gnet.runs.smoothing import smoothed, span_of

HEAD = HEAD_COLOURS["light"]


def training_figure(events: Sequence[Event]) -> Figure:
    """Loss and accuracy of the three heads over a run: lines for training, dots for validation.

    `events`: as `read_events` gives them. The loss of training is the one minimised, that of
    validation plain cross-entropy. Thin lines are single steps, strong ones their moving average;
    the dashed line is what chance gives.
    """
    steps = [event for event in events if isinstance(event, StepDone)]
    epochs = [event for event in events if isinstance(event, EpochDone)]
    classes = next((len(e.classes) for e in events if isinstance(e, RunStarted)), 0)
    sheet = Sheet(10.4, 4.3)
    sheet.text(0.4, 0.52, "Training", size=16, bold=True)
    note = (
        "Lines: training, single steps and moving average, the loss as it is minimised. "
        "Dots: validation, plain cross-entropy. Dashed: chance."
    )
    sheet.text(0.4, 0.79, note, size=9.5, colour=LESSER)
    heads = [head for head in reversed(HEADS) if any(head in e.losses for e in steps)]
    for index, head in enumerate(heads):
        x = 10.0 - 0.7 * (len(heads) - index)
        sheet.block(x, 0.44, 0.2, 0.04, HEAD[head])
        sheet.text(x + 0.26, 0.51, head, size=9)
    panels = [
        ("Loss, nats", 1.0, math.log(classes) if classes else None),
        ("Accuracy, %", 100.0, 1 / classes if classes else None),
    ]
    at = _epochs_of(steps, epochs)
    span = span_of(next((e.steps for e in events if isinstance(e, RunStarted)), len(steps)))
    for index, (title, factor, chance) in enumerate(panels):
        left = 0.85 + 4.95 * index
        sheet.text(left - 0.45, 1.2, title, size=10, bold=True)
        axes = sheet.axes(left, 1.4, 4.2, 2.3)
        for head in heads:
            column = [(e.losses, e.accuracy)[index].get(head, math.nan) * factor for e in steps]
            axes.plot(at, column, color=HEAD[head], alpha=0.2, linewidth=0.7)
            axes.plot(at, smoothed(column, span), color=HEAD[head], linewidth=1.8)
            dots = [(e.val_loss, e.val_accuracy)[index].get(head, math.nan) for e in epochs]
            axes.plot(
                range(1, len(dots) + 1),
                [factor * value for value in dots],
                linestyle="none",
                marker="o",
                markersize=5.5,
                markeredgecolor=PAPER,
                color=HEAD[head],
                clip_on=False,
                zorder=4,
            )
        if chance is not None:
            axes.axhline(chance * factor, color=LESSER, linewidth=0.9, linestyle=(0, (4, 3)))
        axes.set_ylim(0, 100 if index else None)
        axes.set_xlim(0, max(at[-1] if at else 1, len(epochs), 1e-9))
        ruled(axes)
        sheet.text(left + 4.2, 4.08, "epoch" if epochs else "step", size=8.5, align="right")
    return sheet.figure


def _epochs_of(steps: Sequence[StepDone], epochs: Sequence[EpochDone]) -> list[float]:
    """Where each step stands on an axis that counts epochs; plain steps before one has ended."""
    counts = [float(event.step) for event in steps]
    if not epochs:
        return counts
    ends = [0.0, *(float(event.step) for event in epochs)]
    beyond = ends[-1] + (ends[-1] - ends[-2])
    return np.interp(counts, [*ends, beyond], range(len(ends) + 1)).tolist()
