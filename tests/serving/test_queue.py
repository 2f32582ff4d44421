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
from gnet.serving.runs import Runs
from gnet.serving.shelf import RunShelf, process_of
from support.opened_runs import OWNER, SHORT, STRANGER, reach, start, state, until

BLINK = 0.3 / 60
"""Minutes."""


def test_a_run_that_is_paused_for_long_gives_way_once_others_wait(opened):
    runs = opened(max_pause=BLINK)
    first = start(runs)
    reach(runs, first, "running")
    runs.steer(first, OWNER, "pause")
    at = reach(runs, first, "paused")["step"]
    time.sleep(1.0)
    assert state(runs, first) == "paused"  # nobody waits
    second = start(runs, SHORT, owner=STRANGER)
    run = reach(runs, first, "stopped")
    assert run["resumable"] and run["step"] == at
    assert run["message"] == (
        "It was paused for more than 0.005 minutes while others waited, so it was stopped; "
        "resumed, it goes on from there."
    )
    reach(runs, second, "finished")
    runs.steer(first, OWNER, "resume")
    assert reach(runs, first, "running")["message"] == ""


def test_a_run_that_takes_single_steps_is_not_resting(opened):
    runs = opened(max_pause=10.0)
    first = start(runs)
    reach(runs, first, "running")
    runs.steer(first, OWNER, "pause")
    at = reach(runs, first, "paused")["step"]
    start(runs, SHORT)
    until(lambda: first in runs._resting)
    before = runs._resting[first]
    runs.steer(first, OWNER, "step")
    until(lambda: runs._resting[first][0] != before[0])
    assert runs._resting[first][1] > before[1]
    assert reach(runs, first, "paused")["step"] == at + 1


def test_no_limit_of_pauses_lets_a_run_rest_for_ever(opened):
    runs = opened(max_pause=0.0)
    first = start(runs)
    reach(runs, first, "running")
    runs.steer(first, OWNER, "pause")
    reach(runs, first, "paused")
    start(runs, SHORT)
    until(lambda: first in runs._resting)  # the queue has seen to it, with another waiting
    time.sleep(0.7)
    assert state(runs, first) == "paused"


def test_a_run_that_does_not_stop_when_told_to_is_ended(opened, monkeypatch):
    monkeypatch.setattr(run_queue, "STOPPED_WITHIN", 0.5)
    runs = opened()
    first, second = start(runs), start(runs, SHORT)
    reach(runs, first, "running")
    process = process_of(runs.card(first))
    process.send(signal.SIGSTOP)  # it does not hear
    assert runs.steer(first, OWNER, "stop")["state"] == "stopping"
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
    runs.follow(run_id, owner=OWNER)
    runs.list(OWNER)
    runs.steer(run_id, OWNER, "pause")
    reach(runs, run_id, "paused")
    done.append(run_id)


def test_nobody_waits_while_a_zip_is_copied(opened, monkeypatch):
    runs, done, started = opened(), [], []
    run_id = start(runs)
    reach(runs, run_id, "running")
    slow = Slow(runs_module.taken_along)
    monkeypatch.setattr(runs_module, "taken_along", slow)
    meanwhile(
        slow,
        lambda: started.append(start(runs, SHORT)),
        lambda: look_and_steer(runs, run_id, done),
    )
    assert done == [run_id] and state(runs, started[0]) == "queued"


@pytest.mark.parametrize("name", ["rmtree", "_wait_for"])
def test_nobody_waits_while_a_run_is_deleted(opened, monkeypatch, name):
    runs, done = opened(at_once=2), []
    run_id, other = start(runs), start(runs)
    for one in (run_id, other):
        reach(runs, one, "running")
    where = shutil if name == "rmtree" else runs
    slow = Slow(getattr(where, name))
    monkeypatch.setattr(where, name, slow)
    meanwhile(
        slow,
        lambda: runs.steer(other, OWNER, "delete"),
        lambda: look_and_steer(runs, run_id, done),
    )
    assert done == [run_id] and list(runs.cards()) == [run_id]
    assert not list(runs.folder.glob(".deleted-*"))


def test_who_only_looks_never_waits_for_who_changes_something(opened):
    runs = opened()
    run_id = start(runs)
    reach(runs, run_id, "running")
    seen = []
    with runs._alone():
        looking = threading.Thread(
            target=lambda: seen.append((runs.follow(run_id), runs.list(OWNER), runs.queue()))
        )
        looking.start()
        looking.join(60)
        assert seen, "before the one who changes something has gone"


def test_an_error_nobody_foresaw_is_logged_and_the_queue_goes_on(opened, monkeypatch, caplog):
    raised = []
    plain = Runs._turn

    def turn(self):
        if len(raised) < 2:
            raised.append(True)
            raise RuntimeError("out of luck")
        return plain(self)

    monkeypatch.setattr(Runs, "_turn", turn)
    with caplog.at_level(logging.ERROR, logger="gnet.serving.queue"):
        runs = opened()
        reach(runs, start(runs, SHORT), "finished")
    said = [record for record in caplog.records if record.name == "gnet.serving.queue"]
    assert len(said) == 2 and all("tries again" in record.message for record in said)
    assert "out of luck" in caplog.text


def test_a_full_disk_is_logged_once_and_the_queue_goes_on(opened, monkeypatch, caplog):
    raised = []
    plain = Runs._turn

    def turn(self):
        if len(raised) < 3:
            raised.append(True)
            raise GnetError("Cannot write it (No space left on device); make room.")
        return plain(self)

    monkeypatch.setattr(Runs, "_turn", turn)
    monkeypatch.setattr(run_queue, "_BUSY_PAUSE", 0.01)
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
    assert runs.list(OWNER, [run_id, f"{prefix}{run_id}"]) == []
