"""The queue of runs: who rests while others wait, what takes long, and what goes wrong."""

import logging
import os
import shutil
import signal
import threading
import time

import pytest

from gnet.errors import GnetError
from gnet.serving import queue as run_queue
from gnet.serving import runs as runs_module
from gnet.serving.queue import RunQueue
from gnet.serving.shelf import RunShelf, process_of
from gnet.system import processes
from gnet.system.processes import ProcessHandle
from support.opened_runs import OWNER, SHORT, STRANGER, reach, start, state, steps
from support.waiting import until


class Clock:
    """A clock that the test sets."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def paused(runs):
    """A run that is paused, as the queue has seen."""
    run_id = start(runs)
    reach(runs, run_id, "running")
    runs.steer(run_id, OWNER, "pause")
    reach(runs, run_id, "paused")
    runs.queue.tick()
    return run_id


def test_a_run_that_is_paused_for_long_gives_way_once_others_wait(opened, clock):
    runs = opened(max_pause=10.0, clock=clock)
    first = paused(runs)
    at = steps(runs, first)
    clock.now += 1e6
    runs.queue.tick()
    assert state(runs, first) == "paused", "no other run waits"
    second = start(runs, SHORT, owner=STRANGER)
    run = reach(runs, first, "stopped")
    assert run["resumable"] and run["step"] == at
    assert run["message"] == (
        "Stopped after a pause of 10 minutes because other runs were waiting; resume to continue."
    )
    reach(runs, second, "finished")
    runs.steer(first, OWNER, "resume")
    assert reach(runs, first, "running")["message"] == ""


def test_a_run_that_takes_single_steps_is_not_resting(opened, clock):
    runs = opened(max_pause=10.0, clock=clock)
    first = paused(runs)
    at = steps(runs, first)
    start(runs, SHORT)
    clock.now += 599
    runs.steer(first, OWNER, "step")
    until(lambda: steps(runs, first) == at + 1)
    runs.queue.tick()
    clock.now += 599
    runs.queue.tick()
    assert state(runs, first) == "paused"
    clock.now += 1
    reach(runs, first, "stopped")


def test_no_limit_of_pauses_lets_a_run_rest_for_ever(opened, clock):
    runs = opened(max_pause=0.0, clock=clock)
    first = paused(runs)
    start(runs, SHORT)
    runs.queue.tick()
    clock.now += 1e9
    runs.queue.tick()
    assert state(runs, first) == "paused"


def test_a_run_that_does_not_stop_when_told_to_is_ended(opened, clock):
    runs = opened(clock=clock)
    first, second = start(runs), start(runs, SHORT)
    reach(runs, first, "running")
    process = process_of(runs.shelf.card(first))
    process.send(signal.SIGSTOP)  # it does not hear
    assert runs.steer(first, OWNER, "stop")["state"] == "stopping"
    runs.queue.tick()
    clock.now += run_queue.STOPPED_WITHIN - 1
    runs.queue.tick()
    assert process.lives()
    clock.now += 1
    assert reach(runs, first, "stopped")["resumable"]
    assert not process.lives()
    reach(runs, second, "finished")


def test_a_run_is_told_to_stop_also_where_that_cannot_be_noted(opened, monkeypatch):
    runs = opened()
    run_id = start(runs)
    reach(runs, run_id, "running")

    def full(*_):
        raise GnetError("Cannot write it (No space left on device); make room.")

    with monkeypatch.context() as patch:
        patch.setattr(run_queue, "write_card", full)
        with pytest.raises(GnetError, match="No space left"):
            runs.steer(run_id, OWNER, "stop")
    reach(runs, run_id, "stopped")


def test_where_no_signal_can_ask_for_it_a_run_stops_by_a_request(opened, monkeypatch):
    monkeypatch.setattr(processes, "STOPS_BY_SIGNAL", False)
    monkeypatch.setattr(ProcessHandle, "send", lambda *_: None)
    runs = opened()
    first = paused(runs)
    at = steps(runs, first)
    runs.steer(first, OWNER, "stop")
    run = reach(runs, first, "stopped")
    assert run["resumable"] and run["step"] == at
    monkeypatch.undo()
    runs.steer(first, OWNER, "resume")
    reach(runs, first, "running")


class Slow:
    """Stands in for a function that takes long: until it is let go on."""

    def __init__(self, real):
        self.real = real
        self.begun, self.go_on = threading.Event(), threading.Event()

    def __call__(self, *arguments, **options):
        self.begun.set()
        assert self.go_on.wait(60)
        return self.real(*arguments, **options)


def meanwhile(slow, work, look):
    """Look while the slow part of some work is under way."""
    thread = threading.Thread(target=work)
    thread.start()
    try:
        assert slow.begun.wait(60)
        looking = threading.Thread(target=look, daemon=True)
        looking.start()
        looking.join(60)
        assert not looking.is_alive(), "who looks waits for who changes something"
    finally:
        slow.go_on.set()
        thread.join()


def look_and_steer(runs, run_id, done):
    runs.shelf.follow(run_id, owner=OWNER)
    runs.shelf.list(OWNER)
    runs.steer(run_id, OWNER, "pause")
    reach(runs, run_id, "paused")
    done.append(run_id)


def test_nobody_waits_while_a_zip_is_copied(opened, monkeypatch):
    runs, done, started = opened(), [], []
    run_id = start(runs)
    reach(runs, run_id, "running")
    slow = Slow(runs_module.with_own_zip)
    monkeypatch.setattr(runs_module, "with_own_zip", slow)
    meanwhile(
        slow,
        lambda: started.append(start(runs, SHORT)),
        lambda: look_and_steer(runs, run_id, done),
    )
    assert done == [run_id] and state(runs, started[0]) == "queued"


@pytest.mark.parametrize("name", ["rmtree", "wait_for"])
def test_nobody_waits_while_a_run_is_deleted(opened, monkeypatch, name):
    runs, done = opened(at_once=2), []
    run_id, other = start(runs), start(runs)
    for one in (run_id, other):
        reach(runs, one, "running")
    where = shutil if name == "rmtree" else runs.queue
    slow = Slow(getattr(where, name))
    monkeypatch.setattr(where, name, slow)
    meanwhile(
        slow,
        lambda: runs.steer(other, OWNER, "delete"),
        lambda: look_and_steer(runs, run_id, done),
    )
    assert done == [run_id] and list(runs.shelf.cards()) == [run_id]
    assert not list(runs.folder.glob(".deleted-*"))


def test_who_only_looks_never_waits_for_who_changes_something(opened):
    runs = opened()
    run_id = start(runs)
    reach(runs, run_id, "running")
    seen = []
    with runs.queue.exclusive():
        looking = threading.Thread(
            target=lambda: seen.append(
                (runs.shelf.follow(run_id), runs.shelf.list(OWNER), runs.shelf.counts())
            )
        )
        looking.start()
        looking.join(60)
        assert seen, "before the one who changes something has gone"


def test_an_error_nobody_foresaw_is_logged_and_the_queue_goes_on(opened, monkeypatch, caplog):
    raised = []
    plain = RunQueue.tick

    def tick(self):
        if len(raised) < 2:
            raised.append(True)
            raise RuntimeError("out of luck")
        return plain(self)

    monkeypatch.setattr(RunQueue, "tick", tick)
    with caplog.at_level(logging.ERROR, logger="gnet.serving.queue"):
        runs = opened()
        reach(runs, start(runs, SHORT), "finished")
    said = [record for record in caplog.records if record.name == "gnet.serving.queue"]
    assert len(said) == 2 and all("tries again" in record.message for record in said)
    assert "out of luck" in caplog.text


def test_a_full_disk_is_logged_once_and_the_queue_goes_on(opened, monkeypatch, caplog):
    raised = []
    plain = RunQueue.tick

    def tick(self):
        if len(raised) < 3:
            raised.append(True)
            raise GnetError("Cannot write it (No space left on device); make room.")
        return plain(self)

    monkeypatch.setattr(RunQueue, "tick", tick)
    runs = opened()
    reach(runs, start(runs, SHORT), "finished")
    said = [record.message for record in caplog.records if record.name == "gnet.serving.queue"]
    assert said == [
        "The queue of runs waits: Cannot write it (No space left on device); make room."
    ]


def test_a_run_that_cannot_be_begun_for_an_unknown_reason_lets_the_others_train(
    opened, monkeypatch, caplog
):
    begun = []
    plain = run_queue.begin

    def begin(*arguments):
        begun.append(arguments)
        if len(begun) == 1:
            raise TypeError("no such thing")
        return plain(*arguments)

    monkeypatch.setattr(run_queue, "begin", begin)
    runs = opened()
    bad, good = start(runs, SHORT), start(runs, SHORT)
    assert reach(runs, bad, "failed")["message"] == "The run could not be started: no such thing"
    reach(runs, good, "finished")
    assert "no such thing" in caplog.text


def test_what_a_killed_server_left_half_made_is_swept_once_it_is_old(tmp_path, opened):
    for name in (".new-old", ".new-young", ".deleted-any"):
        (tmp_path / name).mkdir()
    hours_ago = time.time() - 7200
    os.utime(tmp_path / ".new-old", (hours_ago, hours_ago))
    opened()
    assert {path.name for path in tmp_path.glob(".*-*")} == {".new-young"}
    assert RunShelf(tmp_path).list(OWNER) == []


@pytest.mark.parametrize("prefix", [".new-", ".deleted-"])
def test_a_folder_that_is_made_or_deleted_is_no_run(opened, prefix):
    runs = opened()
    run_id = start(runs, SHORT)
    reach(runs, run_id, "finished")
    (runs.folder / run_id).rename(runs.folder / f"{prefix}{run_id}")
    assert runs.shelf.list(OWNER, [run_id, f"{prefix}{run_id}"]) == []
