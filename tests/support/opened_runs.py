"""Runs whose processes are pretended, opened for the tests of the server's side of training."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gnet.runs.train_config import TrainConfig
from gnet.serving.limits import RunLimits
from gnet.serving.runs import Runs
from gnet.serving.shelf import RunShelf
from support import pretend_training
from support.waiting import until

OWNER, STRANGER = "owner-of-the-runs", "somebody-who-watches"
ENDLESS = TrainConfig(epochs=10_000, size=32)
SHORT = TrainConfig(epochs=2, size=32)


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[..., Runs]]:
    """Open runs whose processes are pretended; they are closed after the test."""
    made = []

    def open_runs(
        folder: Path = tmp_path, *, clock: Callable[[], float] = time.monotonic, **limits: Any
    ) -> Runs:
        command = pretend_training.COMMAND
        # Tests wait for the processes and the queue: no niceness, short pauses.
        runs = Runs(
            folder, RunLimits(**limits), command=command, niceness=0, pause=0.05, clock=clock
        )
        made.append(runs.open())
        return runs

    yield open_runs
    for runs in made:
        runs.close()


def start(runs: Runs, config: TrainConfig = ENDLESS, owner: str = OWNER, name: str = "a") -> str:
    return runs.start(config, name=name, owner=owner)


def _shelf(runs: Runs | RunShelf) -> RunShelf:
    return runs.shelf if isinstance(runs, Runs) else runs


def state(runs: Runs | RunShelf, run_id: str) -> str:
    return _shelf(runs).follow(run_id)["run"]["state"]


def reach(runs: Runs | RunShelf, run_id: str, *states: str) -> dict[str, Any]:
    """The run once it is in one of the states."""

    def look() -> dict[str, Any] | None:
        run = _shelf(runs).follow(run_id, owner=OWNER)["run"]
        return run if run["state"] in states else None

    return until(look)


def steps(runs: Runs | RunShelf, run_id: str) -> int:
    return _shelf(runs).follow(run_id)["run"]["step"]
