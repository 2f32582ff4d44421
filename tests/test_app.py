"""What `app.py` is told of training, and what it makes of it."""

import socket
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import app
from gnet import ui
from gnet.errors import GnetError
from gnet.network import weights
from gnet.serving.limits import RunLimits
from support.networks import network


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The runs a page would be built with; nothing is served."""
    built = []

    def build(model: Any, runs: Any) -> None:
        built.append(runs)
        raise GnetError("nothing is served here")

    monkeypatch.setattr(ui, "build", build)
    monkeypatch.setattr(weights, "load", lambda _: network("batch-norm"))
    monkeypatch.setattr("gnet.ui.environment.prepare", lambda: Path("uploads"))
    monkeypatch.setattr(app.signal, "signal", lambda *_: None)
    return built


def free_port() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return str(free.getsockname()[1])


def start(tmp_path: Path, *options: str) -> int:
    return app.main(["--port", free_port(), "--runs-folder", str(tmp_path / "runs"), *options])


def test_training_has_no_limits_unless_they_are_given(served, tmp_path):
    assert start(tmp_path) == 2
    (runs,) = served
    assert replace(runs.limits, uploads=None) == RunLimits()
    assert runs.folder == tmp_path / "runs"
    names = [thread.name for thread in threading.enumerate()]
    assert "runs" not in names  # they were closed with the page


def test_limits_reach_the_runs(served, tmp_path):
    given = "--max-epochs 7 --max-minutes 2.5 --max-size 96 --max-runs 9 --max-queue 5 "
    given += "--max-pause 1.5 --no-train"
    assert start(tmp_path, *given.split()) == 2
    limits = RunLimits(
        max_epochs=7,
        max_minutes=2.5,
        max_size=96,
        max_runs=9,
        max_queue=5,
        max_pause=1.5,
        enabled=False,
    )
    assert replace(served[0].limits, uploads=None) == limits


def test_folders_of_pictures_that_runs_may_use_are_given_one_by_one(served, tmp_path, capsys):
    both = [tmp_path / "cats", tmp_path / "dogs.zip"]
    both[0].mkdir()
    both[1].touch()
    assert start(tmp_path, *[f"--data-folder={path}" for path in both]) == 2
    assert served[0].limits.folders == tuple(both)
    assert served[0].limits.uploads.name == "zips"
    with pytest.raises(SystemExit):
        app.main(["--data-folder", str(tmp_path / "none")])
    assert "allowed is a folder or zip that exists" in capsys.readouterr().err


@pytest.mark.parametrize(
    "option", ["--max-epochs=-1", "--max-runs=2.5", "--max-minutes=nan", "--max-minutes=-1"]
)
def test_a_limit_that_is_none_is_refused(option, capsys):
    with pytest.raises(SystemExit) as caught:
        app.main([option])
    assert caught.value.code == 2 and "allowed are" in capsys.readouterr().err


def test_a_folder_that_cannot_keep_runs_is_a_sentence(served, tmp_path, capsys):
    (tmp_path / "runs").touch()
    assert start(tmp_path) == 2
    said = capsys.readouterr().err
    assert said.startswith("gnet: Cannot keep runs in ") and said.count("\n") == 1
