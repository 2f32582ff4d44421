"""In what several runs differ: the settings that are not the same in all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

from gnet.runs.train_config import TrainConfig


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One setting that differs."""

    setting: str
    """The field's name; those of the network begin with "model."."""
    help: str
    """What the setting is, as form and command line say it."""
    values: tuple[Any, ...]
    """One for each run, in their order."""


def compare(configs: Sequence[TrainConfig]) -> tuple[Difference, ...]:
    """The settings in which the runs differ, those of the network first; none for fewer than two.

    What the data set decides, the number of classes, counts with the data set.
    """
    return tuple(
        Difference(setting=name, help=text, values=values)
        for name, text, values in _settings(configs)
        if any(value != values[0] for value in values)
    )


def _settings(configs: Sequence[TrainConfig]) -> Iterator[tuple[str, str, tuple[Any, ...]]]:
    if not configs:
        return
    for prefix, records in (("model.", [c.model for c in configs]), ("", list(configs))):
        for f in fields(records[0]):
            name = prefix + f.name
            if name not in ("model", "model.num_classes"):
                values = tuple(getattr(record, f.name) for record in records)
                yield name, f.metadata.get("help", ""), values
