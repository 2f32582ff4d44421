"""Runs that nobody trained: their events are written by hand, so that plots can be checked.

A run that seems to be under way has a process that sleeps, and grows as events are added.
"""

import math
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gnet.network.config import ModelConfig
from gnet.runs.control import Requests, write_requests
from gnet.runs.events import EpochDone, Event, RunEnded, RunStarted, StepDone, to_line
from gnet.runs.folder import CONTROL, EVENTS, RunFolder
from gnet.runs.train_config import TrainConfig
from gnet.serving.run_card import RunCard, hashed, write_card
from gnet.system.processes import start_time

OWNER = "the-token-of-somebody-who-started-a-run"
STEPS = 10
"""Steps of an epoch."""


def config(*, aux: bool = True, **changes: Any) -> TrainConfig:
    settings: dict[str, Any] = {"size": 32, "epochs": 2, "gradients_every": 0, "pinned": -1}
    return TrainConfig(model=ModelConfig(width=0.25, aux=aux), **settings | changes)


def losses(step: int, run: TrainConfig) -> dict[str, float]:
    """What the trained heads lose at a step: main from 2.4 downwards, the others above it."""
    main = 2.4 * math.exp(-step / 15)
    each = {"main": main}
    if run.model.aux and run.aux1_weight:
        each["aux1"] = main + 0.4
    if run.model.aux and run.aux2_weight:
        each["aux2"] = main + 0.2
    return each


def started(run: TrainConfig) -> RunStarted:
    return RunStarted(
        step=0,
        steps=STEPS * run.epochs,
        classes=tuple("abcdefghij"),
        pictures={"train": 100, "val": 20},
        parameters=1000,
        precision="fp32",
        threads=1,
        processes=1,
    )


def step(run: TrainConfig, at: int, **changes: Any) -> StepDone:
    """One step; `loss` stands for the loss of all heads."""
    each = losses(at, run)
    if "loss" in changes:
        each = dict.fromkeys(each, float(changes.pop("loss")))
    weights = {"main": 1.0, "aux1": run.aux1_weight, "aux2": run.aux2_weight}
    settings: dict[str, Any] = {
        "step": at,
        "epoch": 1 + (at - 1) // STEPS,
        "size": run.size,
        "loss": sum(weights[head] * value for head, value in each.items()),
        "losses": each,
        "accuracy": {head: 1 - math.exp(-at / 15) for head in each},
        "learning_rate": run.learning_rate,
        "pictures_per_second": 400.0,
        "seconds": 0.1 * at,
    }
    return StepDone(**settings | changes)


def judged(run: TrainConfig, epoch: int, **changes: Any) -> EpochDone:
    """An epoch's end; its validation took two seconds, unless `seconds` say otherwise."""
    each = losses(STEPS * epoch, run)
    right = {head: 0.8 - loss / 5 for head, loss in each.items()}
    settings: dict[str, Any] = {
        "step": STEPS * epoch,
        "epoch": epoch,
        "train_loss": each,
        "train_accuracy": right,
        "val_loss": {head: loss + 0.1 for head, loss in each.items()},
        "val_accuracy": right,
        "seconds": 0.1 * STEPS * epoch + 2.0,
    }
    return EpochDone(**settings | changes)


def whole(run: TrainConfig) -> list[Event]:
    """All that a run says that finishes."""
    told: list[Event] = [started(run)]
    for epoch in range(1, run.epochs + 1):
        told += [step(run, at) for at in range(STEPS * (epoch - 1) + 1, STEPS * epoch + 1)]
        told.append(judged(run, epoch))
    return [*told, RunEnded(step=STEPS * run.epochs, reason="finished", seconds=9.0)]


@dataclass
class Told:
    """A folder of runs, and the processes that seem to train some of them."""

    folder: Path

    def __post_init__(self) -> None:
        self.processes: list[subprocess.Popen] = []
        self.count = 0

    def put(
        self,
        name: str,
        run: TrainConfig,
        events: Iterable[Event] = (),
        *,
        live: bool = False,
        owner: str = OWNER,
        experiment: str = "",
    ) -> str:
        """A run that has said these events, or else all it has to say; its id.

        With an `experiment` it is the part of it that bears its name.
        """
        self.count += 1
        run_id = f"{self.count:022}"
        path = self.folder / run_id
        RunFolder(path).create(run)
        write_requests(path / CONTROL, Requests())
        self.add(run_id, *(events or whole(run)))
        process, begun = 0, ""
        if live:
            sleep = [sys.executable, "-S", "-c", "import time; time.sleep(600)"]
            self.processes.append(subprocess.Popen(sleep))
            process = self.processes[-1].pid
            begun = start_time(process)
        card = RunCard(
            name=name,
            experiment=experiment,
            part=name if experiment else "",
            owner=hashed(owner),
            created=float(self.count),
            process=process,
            process_started=begun,
        )
        write_card(path, card)
        return run_id

    def add(self, run_id: str, *events: Event) -> None:
        """Have a run say more."""
        with (self.folder / run_id / EVENTS).open("a", encoding="utf-8") as file:
            file.writelines(to_line(event) for event in events)

    def end(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()
