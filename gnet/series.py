"""Several runs carried out one after another in a folder; what is finished is not done again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from gnet.events import EpochDone
from gnet.outcomes import Outcome, outcome
from gnet.run_folder import RunFolder
from gnet.train_config import TrainConfig
from gnet.training import is_finished, resume, train

Say = Callable[[str, EpochDone], None]


def carry_out(
    plan: Mapping[str, TrainConfig],
    folder: Path,
    *,
    only: str = "",
    say: Say = lambda name, epoch: None,
) -> None:
    """Do the runs of `plan` that are not finished, each in a folder of its name.

    A run that was interrupted goes on. `only` takes the runs whose name begins with it; `say` hears
    of every epoch. Raises `GnetError` for what cannot be trained.
    """
    for name, config in plan.items():
        path = folder / name
        begun = (path / "config.json").exists()
        if not name.startswith(only) or (begun and is_finished(RunFolder(path))):
            continue
        for event in resume(path) if begun else train(config, path):
            if isinstance(event, EpochDone):
                say(name, event)


def finished(plan: Mapping[str, TrainConfig], folder: Path) -> dict[str, Outcome]:
    """Name → how the run came out, of those that are finished, in the plan's order."""
    found = {}
    for name in plan:
        path = RunFolder(folder / name)
        if (path.path / "config.json").exists() and is_finished(path):
            result = outcome(path.events())
            if result is not None:
                found[name] = result
    return found
