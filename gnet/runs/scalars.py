"""A run's numbers as TensorBoard reads them; needs the package tensorboard, an extra."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from gnet.errors import GnetError
from gnet.runs.events import EpochDone, Event, GradientsMeasured, StepDone


@contextmanager
def scalars(
    folder: str | Path, untrained: Collection[str] = ()
) -> Iterator[Callable[[Event], None]]:
    """Gives a function that notes one event in `folder`; raises `GnetError` without tensorboard.

    Losses are in nats, accuracies fractions; curves of one kind share a first name, as
    `loss/train/main` and `loss/val/main` do. Heads that are `untrained` have no curves.
    """
    if importlib.util.find_spec("tensorboard") is None:
        raise GnetError(
            "Scalars for TensorBoard need the package tensorboard, which is not installed: "
            'pip install tensorboard, or pip install -e ".[tensorboard]".'
        )
    from torch.utils.tensorboard.writer import SummaryWriter

    with _writing(folder):
        writer = SummaryWriter(str(folder))

    def note(event: Event) -> None:
        with _writing(folder):
            for name, value in curves(event).items():
                if name.rpartition("/")[2] not in untrained:
                    writer.add_scalar(name, value, event.step)

    try:
        yield note
    finally:
        with _writing(folder):
            writer.close()


@contextmanager
def _writing(folder: str | Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise GnetError(
            f"Cannot write scalars to {folder} ({reason}); give a folder that can be written to, "
            "with room in it."
        ) from error


def curves(event: Event) -> dict[str, float]:
    """Name of the curve → value, for the events that have numbers to plot; finite ones alone."""
    return {name: value for name, value in _curves(event).items() if value is not None}


def _curves(event: Event) -> Mapping[str, float | None]:
    if isinstance(event, StepDone):
        return {
            "loss/step": event.loss,
            "learning rate": event.learning_rate,
            "pictures per second": event.pictures_per_second,
        } | {f"loss/step/{head}": value for head, value in event.losses.items()}
    if isinstance(event, EpochDone):
        kinds = {
            "loss/train": event.train_loss,
            "loss/val": event.val_loss,
            "accuracy/train": event.train_accuracy,
            "accuracy/val": event.val_accuracy,
        }
        return {f"{k}/{head}": value for k, heads in kinds.items() for head, value in heads.items()}
    if isinstance(event, GradientsMeasured):
        return {
            f"gradient/{module}/{head}": value
            for module, heads in event.norms.items()
            for head, value in heads.items()
        }
    return {}
