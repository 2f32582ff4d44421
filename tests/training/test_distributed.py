"""Two processes under torchrun train as one does."""

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from gnet.network.weights import load
from gnet.runs.control import Requests, write_requests
from gnet.runs.events import (
    CheckpointSaved,
    EpochDone,
    Event,
    RunEnded,
    RunPaused,
    RunStarted,
    SettingsChanged,
    StepDone,
    read_events,
)
from gnet.runs.folder import CONTROL, EVENTS, LAST, RunFolder
from gnet.training.checkpoint import facts
from gnet.training.loop import train
from support.root import ROOT
from support.training_runs import tiny
from support.waiting import until

CONFIG = tiny(network={"norm": "none", "dropout": 0.0, "dropout_aux": 0.0}, optimiser="sgd")
ARGUMENTS = (
    *("--data", "built-in", "--per-class", "2", "--size", "32", "--epochs", "2", "--batch", "8"),
    *("--seed", "3", "--precision", "fp32", "--optimiser", "sgd", "--width", "0.0625"),
    *("--norm", "none", "--dropout", "0", "--dropout-aux", "0"),
)


def free_port() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return str(free.getsockname()[1])


def started(*command: str, **variables: str) -> subprocess.Popen[str]:
    own = {"OMP_NUM_THREADS": "1", "PATH": "/usr/bin:/bin", "GLOO_SOCKET_IFNAME": "lo"}
    return subprocess.Popen(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=own | variables,
    )


def under_torchrun(*arguments: str) -> subprocess.Popen[str]:
    launcher = ("torch.distributed.run", "--nproc-per-node", "2", "--master-addr", "127.0.0.1")
    return started(*launcher, "--master-port", free_port(), "-m", "gnet", "train", *arguments)


def as_torchrun_does(*arguments: str) -> list[subprocess.Popen[str]]:
    """Both processes, the first of which writes, without the launcher's own."""
    group = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": free_port()}
    return [
        started("gnet", "train", *arguments, RANK=rank, LOCAL_RANK=rank, **group)
        for rank in ("0", "1")
    ]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """The folder of a run that two processes made together."""
    path = tmp_path_factory.mktemp("two") / "run"
    with under_torchrun(*ARGUMENTS, "--run-dir", str(path), "--json") as both:
        said, mistakes = both.communicate(timeout=240)
    assert both.returncode == 0, mistakes
    said = [json.loads(line)["type"] for line in said.splitlines()]
    assert said.count("RunStarted") == said.count("RunEnded") == 1  # one speaks for both
    return path


@pytest.fixture(scope="module")
def single(tmp_path_factory) -> Path:
    """The folder of the same run, made by this process alone."""
    path = tmp_path_factory.mktemp("one") / "run"
    list(train(CONFIG, path))
    return path


def test_two_processes_follow_the_curve_of_one(folder, single):
    alone = read_events(single / EVENTS)
    together = read_events(folder / EVENTS)
    started = together[0]
    assert isinstance(started, RunStarted) and started.processes == 2
    for kind in (StepDone, EpochDone):
        mine = [e for e in alone if isinstance(e, kind)]
        theirs = [e for e in together if isinstance(e, kind)]
        assert [e.step for e in mine] == [e.step for e in theirs]
    for mine, theirs in zip(
        (e for e in alone if isinstance(e, StepDone)),
        (e for e in together if isinstance(e, StepDone)),
        strict=True,
    ):
        assert theirs.loss == pytest.approx(mine.loss, rel=1e-3)
        assert theirs.losses == pytest.approx(mine.losses, rel=1e-3)
        # Sums in another order may turn over one picture of the eight.
        assert theirs.accuracy == pytest.approx(mine.accuracy, abs=0.13)


def test_two_processes_end_with_the_weights_of_one(folder, single):
    alone = load(single / LAST).state_dict()
    for name, value in load(folder / LAST).state_dict().items():
        assert (value - alone[name]).abs().max() <= 1e-4 * max(1.0, alone[name].abs().max()), name


def test_a_run_of_two_processes_is_finished_when_both_are(folder):
    ended = read_events(folder / EVENTS)[-1]
    assert isinstance(ended, RunEnded) and ended.reason == "finished"
    assert facts(RunFolder(folder)) == {"step": 6, "precision": "fp32"}


def test_two_processes_follow_a_request_at_the_same_step(tmp_path):
    """Both wait, step, change and go on together, or they would wait for each other for ever."""
    folder = RunFolder(tmp_path / "two")
    folder.create(CONFIG)
    write_requests(folder.path / CONTROL, Requests(pause=True, learning_rate=0.01))
    first, second = as_torchrun_does("--resume", str(folder.path))
    with first, second:
        try:
            wait_for(folder, RunPaused(step=0), first)
            write_requests(folder.path / CONTROL, Requests(pause=True, steps=1, learning_rate=0.01))
            wait_for(folder, CheckpointSaved(step=1, best=False), first)
            write_requests(folder.path / CONTROL, Requests(steps=1, aux1_weight=0.6))
            mistakes = [process.communicate(timeout=240)[1] for process in (first, second)]
        finally:
            first.kill()
            second.kill()
    assert first.returncode == second.returncode == 0, mistakes
    together = [e for e in folder.events() if isinstance(e, StepDone | SettingsChanged)]

    alone = []
    for event in train(CONFIG, tmp_path / "one"):
        if isinstance(event, StepDone | SettingsChanged):
            alone.append(event)
        if isinstance(event, RunStarted):
            write_requests(tmp_path / "one" / CONTROL, Requests(learning_rate=0.01))
        if event.step == 1:
            write_requests(tmp_path / "one" / CONTROL, Requests(aux1_weight=0.6))
    changes = [event for event in alone if isinstance(event, SettingsChanged)]
    assert [change.step for change in changes] == [0, 1]
    for mine, theirs in zip(alone, together, strict=True):
        if isinstance(mine, StepDone) and isinstance(theirs, StepDone):
            assert theirs.loss == pytest.approx(mine.loss, rel=1e-3)
            assert theirs.learning_rate == mine.learning_rate
        else:
            assert theirs == mine


def wait_for(folder: RunFolder, event: Event, process: subprocess.Popen[str]) -> None:
    def told() -> bool:
        assert process.poll() is None
        return event in folder.events()

    until(told, 240)
