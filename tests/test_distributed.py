"""Two processes under torchrun train as one does."""

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from gnet.events import EpochDone, RunEnded, RunStarted, StepDone, read_events
from gnet.run_folder import EVENTS, LAST, RunFolder
from gnet.training import train
from gnet.weights import load
from training_runs import tiny

ROOT = Path(__file__).parents[1]
CONFIG = tiny(network={"norm": "none", "dropout": 0.0, "dropout_aux": 0.0}, optimiser="sgd")
ARGUMENTS = (
    *("--data", "built-in", "--per-class", "2", "--size", "32", "--epochs", "2", "--batch", "8"),
    *("--seed", "3", "--precision", "fp32", "--optimiser", "sgd", "--width", "0.0625"),
    *("--norm", "none", "--dropout", "0", "--dropout-aux", "0"),
)


def two_processes(*arguments: str) -> subprocess.CompletedProcess[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    rendezvous = ("--master-addr", "127.0.0.1", "--master-port", str(port))
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"]
    return subprocess.run(
        [*command, *rendezvous, "-m", "gnet", "train", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
        env={"OMP_NUM_THREADS": "1", "PATH": "/usr/bin:/bin", "GLOO_SOCKET_IFNAME": "lo"},
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """The folder of a run that two processes made together."""
    path = tmp_path_factory.mktemp("two") / "run"
    done = two_processes(*ARGUMENTS, "--run-dir", str(path), "--json")
    assert done.returncode == 0, done.stderr
    said = [json.loads(line)["type"] for line in done.stdout.splitlines()]
    assert said.count("RunStarted") == said.count("RunEnded") == 1  # one speaks for both
    return path


def test_two_processes_follow_the_curve_of_one(folder):
    alone = list(train(CONFIG))
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
        assert theirs.loss == pytest.approx(mine.loss, rel=1e-4)
        assert theirs.losses == pytest.approx(mine.losses, rel=1e-4)
        assert theirs.accuracy == mine.accuracy


def test_two_processes_end_with_the_weights_of_one(folder, tmp_path):
    list(train(CONFIG, tmp_path))
    alone = load(tmp_path / LAST).state_dict()
    for name, value in load(folder / LAST).state_dict().items():
        assert (value - alone[name]).abs().max() <= 1e-4 * max(1.0, alone[name].abs().max()), name


def test_a_run_of_two_processes_is_finished_when_both_are(folder):
    ended = read_events(folder / EVENTS)[-1]
    assert isinstance(ended, RunEnded) and ended.reason == "finished"
    assert RunFolder(folder).facts() == {"step": 6, "precision": "fp32"}
