"""The cost of training from the page: speed of the run, and of the page beside it.

A run started by a server is measured against the same one in this process, turn by turn; the
page's events beside that run against those while it is paused. Knows nothing of Gradio but its
addresses.
"""

from __future__ import annotations

import http.client
import json
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from gnet import strict_json
from gnet.errors import GnetError
from gnet.network.config import ModelConfig
from gnet.runs.events import StepDone
from gnet.runs.train_config import TrainConfig
from gnet.serving.run_card import new_token
from gnet.serving.runs import UNDER_WAY, Runs
from gnet.studies.speed.bench import machine
from gnet.system import processes
from gnet.system.progress import Progress
from gnet.training.loop import train

GOALS = {"page_training": 0.95, "page_events": 0.85}
SIZE, BATCH, WIDTH, CLASSES = 64, 64, 1.0, 10
LEAD_IN, STEPS = 2, 4
"""Steps of a turn that are not timed, and that are."""
SPARE = 10
"""Steps a run may take before it reads the request to pause."""
USERS, SECONDS = 8, 3.0
"""Users that send events at once, and the seconds of each turn."""
EXAMPLE = {"example": "coffee"}
"""The picture that events ask for; its answer is recorded, so that the network does not run."""
_POLL = 0.02
_PATIENCE = 300.0


def bench_page(*, rounds: int = 5, progress: Progress | None = None) -> dict[str, Any]:
    """Measure `rounds` turns of each side.

    `page_training`: pictures/s of a run that a server started, against the same run in this
    process. `page_events`: events/s that a served page answers while that run trains, against
    those while it is paused.
    """
    done = 0

    def turn() -> None:
        nonlocal done
        done += 1
        if progress:
            progress(done, 2 * rounds)

    with TemporaryDirectory(prefix="gnet-bench-") as folder, _page(Path(folder)) as address:
        runs, owner = Runs(folder), new_token()  # the server trains, this process only asks
        run_id = runs.start(_config(rounds), name="bench", owner=owner)
        run = _Started(runs, run_id, owner)
        run.pause()
        training = _training(run, runs.shelf.run_folder(run_id).config(), rounds, turn)
        events = _events(run, address, rounds, turn)
        runs.steer(run_id, owner, "delete")
    return {"page_training": training, "page_events": events, "machine": machine()}


def table(result: dict[str, Any]) -> str:
    """The result as lines for a terminal."""
    run, events = result["page_training"], result["page_events"]
    return (
        f"page_training  {run['ratio']:5.2f} times the same run in this process "
        f"({run['pictures_per_second']:.0f} against {run['in_process_pictures_per_second']:.0f} "
        f"pictures/s; {run['threads']} threads each; goal {run['goal']})\n"
        f"page_events    {events['ratio']:5.2f} times the rate beside a paused run "
        f"({events['per_second']:.0f} against {events['idle_per_second']:.0f} events/s; "
        f"{USERS} users; goal {events['goal']})"
    )


def _config(rounds: int) -> TrainConfig:
    # Epochs without end for the events; all of the measured steps lie within the first.
    steps = LEAD_IN + rounds * (LEAD_IN + STEPS + SPARE)
    return TrainConfig(
        model=ModelConfig.preset("batch-norm", width=WIDTH),
        per_class=-(-steps * BATCH // CLASSES),
        size=SIZE,
        batch=BATCH,
        epochs=1000,
        schedule="constant",
        checkpoint_seconds=3600.0,
        pinned=-1,
    )


class _Started:
    """The run that the server trains."""

    def __init__(self, runs: Runs, run_id: str, owner: str) -> None:
        self.runs, self.run_id, self.owner = runs, run_id, owner
        self._wait(lambda state: state in UNDER_WAY)

    def pause(self) -> None:
        self.runs.steer(self.run_id, self.owner, "pause")
        self._wait(lambda state: state == "paused")

    def resume(self) -> None:
        self.runs.steer(self.run_id, self.owner, "continue")
        self._wait(lambda state: state == "running")

    def rate(self) -> float:
        """Pictures/s of some steps."""
        place = self.runs.shelf.follow(self.run_id)["next"]
        self.resume()
        steps: list[dict[str, Any]] = []
        while len(steps) <= LEAD_IN + STEPS:
            update = self.runs.shelf.follow(self.run_id, place)
            place = update["next"]
            steps += [event for event in update["events"] if event["type"] == "StepDone"]
            time.sleep(_POLL)
        self.pause()
        took = steps[LEAD_IN + STEPS]["seconds"] - steps[LEAD_IN]["seconds"]
        return STEPS * BATCH / took

    def _wait(self, reached: Callable[[str], bool]) -> None:
        begun = time.monotonic()
        while not reached(state := self.runs.shelf.follow(self.run_id)["run"]["state"]):
            message = self.runs.shelf.follow(self.run_id)["run"]["message"]
            if message or time.monotonic() - begun > _PATIENCE:
                raise GnetError(f"The run to be measured is {state}. {message}")
            time.sleep(_POLL)


def _training(
    run: _Started, config: TrainConfig, rounds: int, turn: Callable[[], None]
) -> dict[str, Any]:
    ours, reference = [], []
    with closing(train(config)) as here:
        seconds = (event.seconds for event in here if isinstance(event, StepDone))
        for _ in range(rounds):
            for _ in range(LEAD_IN):
                next(seconds)
            begun = next(seconds)
            reference.append(STEPS * BATCH / ([next(seconds) for _ in range(STEPS)][-1] - begun))
            ours.append(run.rate())
            turn()
    return {
        "ratio": statistics.median(ours) / statistics.median(reference),
        "goal": GOALS["page_training"],
        "pictures_per_second": statistics.median(ours),
        "in_process_pictures_per_second": statistics.median(reference),
        "threads": config.threads,
    }


def _events(
    run: _Started, address: tuple[str, int], rounds: int, turn: Callable[[], None]
) -> dict[str, Any]:
    idle, beside = [], []
    _event_rate(address)  # the first ones are slower
    for _ in range(rounds):
        idle.append(_event_rate(address))
        run.resume()
        beside.append(_event_rate(address))
        run.pause()
        turn()
    return {
        "ratio": statistics.median(beside) / statistics.median(idle),
        "goal": GOALS["page_events"],
        "per_second": statistics.median(beside),
        "idle_per_second": statistics.median(idle),
    }


def _event_rate(address: tuple[str, int]) -> float:
    """Events/s that several users get answered."""
    begun = time.monotonic()

    def use(_: int) -> int:
        count = 0
        with closing(http.client.HTTPConnection(*address, timeout=60)) as connection:
            while time.monotonic() < begun + SECONDS:
                _event(connection)
                count += 1
        return count

    with ThreadPoolExecutor(USERS) as users:
        count = sum(users.map(use, range(USERS)))
    return count / (time.monotonic() - begun)


def _event(connection: http.client.HTTPConnection) -> None:
    """Ask for one event and read its answer, as a browser does."""
    path = "/gradio_api/call/explore"
    body = strict_json.dumps({"data": [EXAMPLE]})
    connection.request("POST", path, body, {"Content-Type": "application/json"})
    event_id = json.loads(connection.getresponse().read())["event_id"]
    connection.request("GET", f"{path}/{event_id}")
    answer = connection.getresponse().read()
    if b"event: complete" not in answer:
        raise GnetError(f"The page refused an event: {answer[:200]!r}.")


@contextmanager
def _page(folder: Path) -> Iterator[tuple[str, int]]:
    """A page served by a process of its own, which keeps its runs in `folder`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        host, port = free.getsockname()
    command = [sys.executable, "-m", "gnet.app", "--host", host, "--port", str(port)]
    environment = {k: v for k, v in processes.environment().items() if k != "GLIBC_TUNABLES"}
    server = subprocess.Popen(
        [*command, "--runs-folder", str(folder)],
        stdout=subprocess.PIPE,
        env=environment,
        text=True,
    )
    assert server.stdout
    with server.stdout:
        try:
            if not any(line.startswith("gnet is at") for line in server.stdout):
                raise GnetError(f"The page did not start; try {sys.executable} -m gnet.app.")
            yield host, port
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait()
