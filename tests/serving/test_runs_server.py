"""A server's runs: the queue, limits, and servers that stop, are killed or share a folder."""

import os
import signal
import subprocess
import sys
from dataclasses import replace

import pytest

from gnet.errors import GnetError
from gnet.serving.run_card import read_card, write_card
from gnet.serving.runs import Runs
from gnet.serving.shelf import RunShelf, process_of
from support.opened_runs import OWNER, SHORT, reach, start, state, steps
from support.root import ROOT
from support.waiting import until


def test_runs_wait_in_the_order_they_were_started_in(opened):
    runs = opened()
    first, second, third, fourth = (start(runs) for _ in range(4))
    reach(runs, first, "running")

    def positions() -> list[int]:
        return [runs.shelf.follow(i)["run"]["position"] for i in (second, third, fourth)]

    assert positions() == [1, 2, 3]
    assert runs.shelf.counts() == {"running": 1, "waiting": 3}
    runs.steer(second, OWNER, "stop")
    assert state(runs, second) == "stopped" and positions() == [0, 1, 2]
    runs.steer(second, OWNER, "resume")
    assert positions() == [3, 1, 2]
    runs.steer(first, OWNER, "stop")
    reach(runs, third, "running")
    assert (state(runs, fourth), state(runs, second)) == ("queued", "queued")


def test_as_many_runs_train_at_once_as_are_allowed(opened):
    runs = opened(at_once=2)
    ids = [start(runs) for _ in range(3)]
    for run_id in ids[:2]:
        reach(runs, run_id, "running")
    assert state(runs, ids[2]) == "queued"


def test_limits_are_checked_at_the_start(opened):
    runs = opened(max_epochs=5)
    with pytest.raises(GnetError, match="at most 5 on this server"):
        start(runs, replace(SHORT, epochs=6))
    assert runs.shelf.list(OWNER) == []


def test_nobody_trains_where_training_is_switched_off(opened):
    runs = opened()
    run_id = start(runs, replace(SHORT, epochs=100))
    reach(runs, run_id, "running")
    runs.close()
    off = opened(enabled=False)
    with pytest.raises(GnetError, match="switched off"):
        start(off)
    with pytest.raises(GnetError, match="switched off"):
        off.steer(run_id, OWNER, "resume")
    assert state(off, run_id) == "stopped"


def test_a_run_whose_minutes_are_used_up_is_not_resumed(opened):
    runs = opened(max_minutes=1e-4)
    run_id = start(runs)
    until(lambda: runs.shelf.follow(run_id)["run"]["seconds"] > 0.02)
    runs.steer(run_id, OWNER, "stop")
    assert reach(runs, run_id, "stopped")["config"]["max_minutes"] == 1e-4
    with pytest.raises(GnetError, match=r"0\.0001 are allowed; you can"):
        runs.steer(run_id, OWNER, "resume")


def test_a_stopped_server_leaves_stopped_runs_and_its_queue(opened):
    runs = opened()
    ids = [start(runs, replace(SHORT, epochs=100)), start(runs, SHORT)]
    until(lambda: steps(runs, ids[0]) > 2)
    process = process_of(runs.shelf.card(ids[0]))
    runs.close()
    assert not process.lives()
    shelf = RunShelf(runs.folder)
    assert (state(shelf, ids[0]), state(shelf, ids[1])) == ("stopped", "queued")
    again = opened()
    reach(again, ids[1], "finished")
    again.steer(ids[0], OWNER, "resume")
    reach(again, ids[0], "finished")


def test_a_run_that_does_not_stop_in_time_is_ended_with_the_server(opened):
    runs = opened()
    run_id = start(runs)
    reach(runs, run_id, "running")
    process = process_of(runs.shelf.card(run_id))
    process.send(signal.SIGSTOP)
    runs.close(patience=0.1)
    assert not process.lives()
    assert state(RunShelf(runs.folder), run_id) == "stopped"


def test_a_second_server_watches_and_takes_over_when_the_first_is_gone(opened):
    first, second = opened(), opened()
    ids = [start(first), start(second, SHORT)]
    reach(second, ids[0], "running")
    assert state(second, ids[1]) == "queued"
    second.steer(ids[0], OWNER, "stop")
    reach(first, ids[1], "finished")
    first.close()
    third = start(second, SHORT)
    reach(second, third, "finished")


SERVER = """
import os, sys, time
from pathlib import Path
from gnet.serving.runs import Runs
from gnet.runs.train_config import TrainConfig
from support import pretend_training
runs = Runs(sys.argv[1], command=pretend_training.COMMAND).open()
run_id = runs.start(TrainConfig(epochs=10_000, size=32), name="a", owner=sys.argv[2])
while runs.shelf.follow(run_id)["run"]["state"] != "running":
    time.sleep(0.01)
print(run_id, flush=True)
time.sleep(600)
"""


def test_a_server_started_anew_goes_on_with_what_a_killed_one_left_running(opened, tmp_path):
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(tmp_path), OWNER],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"},
    )
    assert server.stdout
    with server, server.stdout:
        run_id = server.stdout.readline().strip()
        server.kill()
    runs = opened()
    at = reach(runs, run_id, "running")["step"]
    waiting = start(runs, SHORT)
    until(lambda: steps(runs, run_id) > at)
    assert state(runs, waiting) == "queued"
    runs.steer(run_id, OWNER, "stop")
    reach(runs, run_id, "stopped")
    reach(runs, waiting, "finished")


def test_a_process_of_another_time_with_the_same_number_is_not_the_runs(opened):
    runs = opened()
    run_id = start(runs, SHORT)
    reach(runs, run_id, "finished")
    (runs.folder / run_id / "events.jsonl").unlink()
    card = replace(runs.shelf.card(run_id), process=os.getpid(), process_started="long ago")
    write_card(runs.folder / run_id, card)
    assert reach(runs, run_id, "interrupted")
    runs.steer(run_id, OWNER, "delete")  # and this process lives on


def test_a_folder_that_cannot_keep_runs_is_a_sentence(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(GnetError, match=r"Cannot keep runs in .*; give a folder"):
        Runs(tmp_path / "file").open()


def test_a_damaged_card_or_config_hides_or_marks_one_run_and_no_other(opened):
    runs = opened()
    good, bad, worse = (start(runs, SHORT) for _ in range(3))
    for run_id in (good, bad, worse):
        reach(runs, run_id, "finished")
    (runs.folder / bad / "config.json").write_text("{")
    (runs.folder / worse / "run.json").write_text('{"name": 3}')
    again = RunShelf(runs.folder)
    rows = {row["id"]: row for row in again.list(OWNER)}
    assert rows.keys() == {good, bad}
    assert rows[bad]["config"] == {} and not rows[bad]["resumable"]
    assert read_card(runs.folder / worse) is None
