"""How the server stops: its runs with it, whatever ends it and however often it is told."""

import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from gnet import app, ui
from gnet.network import weights
from gnet.serving import queue
from gnet.serving.shelf import process_of
from support import opened_runs
from support.networks import network
from support.waiting import until


class Stopped:
    """A page that is served until `reason` or ends by itself, and meets the runs' end then."""

    def __init__(self, reason: type[BaseException] | None, met: threading.Barrier) -> None:
        self.server = SimpleNamespace(force_exit=False)
        self.reason, self.met = reason, met

    @property
    def is_running(self) -> bool:
        if self.reason:
            raise self.reason
        return False

    def close(self, verbose: bool) -> None:
        assert self.server.force_exit and not verbose
        self.met.wait(20)


@pytest.fixture
def handlers() -> Iterator[None]:
    """The handlers of Ctrl-C and SIGTERM are those from before the test again."""
    before = {kind: signal.getsignal(kind) for kind in (signal.SIGINT, signal.SIGTERM)}
    yield
    for kind, handler in before.items():
        signal.signal(kind, handler)


@pytest.mark.parametrize("reason", [KeyboardInterrupt, SystemExit, None])
def test_the_server_and_its_runs_are_stopped_at_the_same_time(
    reason, handlers, opened, monkeypatch, tmp_path
):
    runs, met = opened(), threading.Barrier(2)
    run_id = opened_runs.start(runs)
    until(lambda: opened_runs.steps(runs, run_id) > 2)
    trains, close = process_of(runs.shelf.card(run_id)), runs.close

    def close_once_met() -> None:
        assert signal.getsignal(signal.SIGTERM) == signal.SIG_IGN
        signal.raise_signal(signal.SIGINT)  # a second Ctrl-C changes nothing
        met.wait(20)  # one after the other they would never meet
        close()

    monkeypatch.setattr(runs, "close", close_once_met)
    app.serve_until_stopped(Stopped(reason, met), runs, "http://here")
    assert not met.broken and not trains.lives()
    assert opened_runs.state(runs, run_id) == "stopped"
    assert (tmp_path / run_id / "state").is_file()  # its checkpoint


def test_a_farewell_that_fails_ends_the_process_too(monkeypatch):
    def fail() -> None:
        raise OSError("the disk is gone")

    left: list[int] = []
    monkeypatch.setattr(app.atexit, "_run_exitfuncs", fail)
    monkeypatch.setattr(app.os, "_exit", left.append)
    with pytest.raises(OSError, match="the disk is gone"):
        app.leave()
    assert left == [0]


def test_the_process_ends_behind_its_runs(handlers, monkeypatch, tmp_path):
    running: list[list[str]] = []

    def leave() -> None:
        running.append([thread.name for thread in threading.enumerate()])

    monkeypatch.setattr(ui, "build", lambda *_, **__: SimpleNamespace(launch=lambda **_: None))
    monkeypatch.setattr(weights, "load", lambda _: network("batch-norm"))
    monkeypatch.setattr("gnet.ui.environment.prepare", lambda: Path("uploads"))
    monkeypatch.setattr(app, "check_port", lambda *_: None)
    monkeypatch.setattr(app, "serve_until_stopped", lambda *_: None)
    monkeypatch.setattr(app, "leave", leave)
    assert app.main(["--runs-folder", str(tmp_path / "runs")]) == 0
    (names,) = running
    assert "runs" not in names


def test_a_run_that_does_not_stop_leaves_the_server_five_seconds_in_all():
    assert queue.PATIENCE + queue._KILL_PATIENCE + app.CLOSED_WITHIN <= 5
