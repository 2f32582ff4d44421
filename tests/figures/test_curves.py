"""A run's curves: drawn at any moment, where the epochs stand."""

import math

import numpy as np
import pytest
from matplotlib.figure import Figure

from gnet.figures.curves import training_figure
from gnet.network.config import HEADS
from gnet.runs.events import EpochDone, Event, RunStarted, StepDone


def words(figure: Figure) -> str:
    return "\n".join(text.get_text() for text in figure.texts)


def a_run(steps: int, heads: tuple[str, ...] = HEADS) -> list[Event]:
    events: list[Event] = [
        RunStarted(
            step=0,
            steps=20,
            classes=("a", "b"),
            pictures={"train": 8},
            parameters=1,
            precision="fp32",
            threads=1,
            processes=1,
        )
    ]
    for step in range(1, steps + 1):
        losses = dict.fromkeys(heads, 2.0 / step)
        accuracy = dict.fromkeys(heads, step / 20)
        common = {"step": step, "epoch": (step - 1) // 5, "seconds": 0.1 * step}
        events.append(
            StepDone(
                **common,
                size=32,
                loss=2.0,
                losses=losses,
                accuracy=accuracy,
                learning_rate=0.1,
                pictures_per_second=1.0,
            )
        )
        if step % 5 == 0:
            events.append(
                EpochDone(
                    **common,
                    train_loss=losses,
                    train_accuracy=accuracy,
                    val_loss=losses,
                    val_accuracy=accuracy,
                )
            )
    return events


@pytest.mark.parametrize("steps", [0, 1, 3, 12])
@pytest.mark.parametrize("heads", [HEADS, ("main",)])
def test_a_run_can_be_drawn_at_any_moment(steps, heads):
    figure = training_figure(a_run(steps, heads))
    assert len(figure.axes) == 2
    assert ("aux1" in words(figure)) == (steps > 0 and len(heads) == 3)
    assert ("epoch" in words(figure).splitlines()) == (steps >= 5)


def test_curves_stand_at_epochs_and_chance_is_drawn():
    loss, accuracy = training_figure(a_run(12)).axes
    steps, dots = np.asarray(loss.lines[0].get_xdata()), np.asarray(loss.lines[2].get_xdata())
    assert steps[[0, 4, 9, 11]].tolist() == pytest.approx([0.2, 1, 2, 2.4])
    assert dots.tolist() == [1, 2]
    assert np.asarray(loss.lines[-1].get_ydata())[0] == pytest.approx(math.log(2))
    assert np.asarray(accuracy.lines[-1].get_ydata())[0] == pytest.approx(50)
