"""Several runs carried out one after another in a folder; finished runs are skipped."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from gnet.errors import GnetError
from gnet.runs.events import EpochDone
from gnet.runs.folder import RunFolder
from gnet.runs.outcomes import Outcome, outcome
from gnet.runs.train_config import TrainConfig
from gnet.system.signals import StopSignals
from gnet.training.loop import resume, train
from gnet.words import listed

OnEpoch = Callable[[str, EpochDone], None]


def carry_out(
    plan: Mapping[str, TrainConfig],
    folder: Path,
    *,
    only: str = "",
    on_epoch: OnEpoch = lambda name, epoch: None,
    signals: StopSignals | None = None,
) -> None:
    """Do the runs of `plan` that are not finished, each in a folder of its name.

    A run that was interrupted goes on. `only` takes the runs whose name begins with it.
    `on_epoch(name, event)` is called after every epoch. Ctrl-C and SIGTERM, remembered in
    `signals`, end it after a whole step.
    Raises `GnetError` for what cannot be trained, and for a folder in which a run of that name was
    begun with other settings.
    """
    if not any(name.startswith(only) for name in plan):
        raise GnetError(f"No run's name begins with {only!r}; there are {listed(plan)}.")
    signals = signals or StopSignals()
    for name, config in plan.items():
        path = folder / name
        begun = _begun(path, config)
        if not name.startswith(only) or (begun and RunFolder(path).finished()):
            continue
        stop = signals.requested
        events = resume(path, stop=stop) if begun else train(config, path, stop=stop)
        for event in signals.heeding(events):
            if isinstance(event, EpochDone):
                on_epoch(name, event)
        if signals.requested():
            return


def _begun(path: Path, config: TrainConfig) -> bool:
    """Whether the run was begun with these settings.

    Data and machine settle the number of classes and `precision: auto`; threads may differ.
    """
    if not (path / "config.json").exists():
        return False
    kept = RunFolder(path).config()
    model = replace(kept.model, num_classes=config.model.num_classes)
    precision = kept.precision if config.precision == "auto" else config.precision
    config = replace(config, precision=precision)
    if replace(kept, model=model, threads=config.threads) != config:
        raise GnetError(
            f"{path} holds a run with other settings; allowed is a folder that is new, or in which "
            "the same series was begun."
        )
    return True


def finished(plan: Mapping[str, TrainConfig], folder: Path) -> dict[str, Outcome]:
    """Name → how the run came out, of those that are finished, in the plan's order."""
    found = {}
    for name, config in plan.items():
        path = RunFolder(folder / name)
        if _begun(path.path, config) and path.finished():
            result = outcome(path.events())
            if result is not None:
                found[name] = result
    return found
