"""Measurements before a run: one at a time, in a child process that gives way and ends in time."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace

import pytest

from gnet.errors import GnetError
from gnet.runs.train_config import TrainConfig
from gnet.serving.measuring import ARGUMENTS, ESTIMATE, FIND_RATE, GRACE, Measuring
from gnet.system.processes import NICENESS, environment, start_time
from support import pretend_measuring
from support.pretend_measuring import CRASHES, FAILS, HANGS, SECONDS, VANISHES
from support.training_runs import tiny
from support.waiting import until

CONFIG = TrainConfig(size=32)
HANGING = replace(CONFIG, seed=HANGS)


@pytest.fixture
def note(tmp_path, monkeypatch):
    """What the processes note of themselves: kind, number, niceness, seed."""
    path = tmp_path / "note"
    monkeypatch.setenv("PRETEND_MEASURING", str(path))
    return lambda: [line.split() for line in path.read_text().splitlines()] if path.exists() else []


def measures(running=lambda: 0, **given):
    """Signs of life every few hundredths of a second, on a machine with nothing else to do."""
    given = {"command": pretend_measuring.COMMAND, "every": 0.02, "load": lambda: 0.0} | given
    return Measuring(running, **given)


def answer(asked) -> dict:
    """The last thing told, once all is."""
    return list(asked)[-1] or {}


def begun(asked, note, count=1):
    """Ask until the process is at work; its number."""
    while len(note()) < count:
        assert next(asked) is None
    return int(note()[-1][1])


def test_a_measurement_is_made_by_a_process_that_gives_way(note):
    asked = measures().ask(ESTIMATE, CONFIG, "me")
    assert answer(asked)["seconds_per_epoch"] == SECONDS
    ((what, number, niceness, _),) = note()
    assert what == "estimate" and int(number) != os.getpid()
    assert int(niceness) >= min(19, os.nice(0) + NICENESS) or int(niceness) == NICENESS
    assert answer(measures().ask(FIND_RATE, CONFIG, "me"))["suggested"] == 1e-3


def test_past_its_deadline_a_measurement_is_ended_with_a_sentence(note):
    now = [0.0]
    asked = measures(clock=lambda: now[0]).ask(ESTIMATE, HANGING, "me")
    number = begun(asked, note)
    now[0] = 60.0
    assert next(asked) is None
    now[0] = 60.1
    with pytest.raises(GnetError, match="longer than 60 s"):
        list(asked)
    until(lambda: not start_time(number))


def test_who_leaves_leaves_no_process_behind(note):
    asked = measures().ask(ESTIMATE, HANGING, "me")
    number = begun(asked, note)
    asked.close()
    until(lambda: not start_time(number))


def test_who_asks_again_takes_back_the_question_before(note):
    here = measures()
    first = here.ask(ESTIMATE, HANGING, "me")
    number = begun(first, note)
    second = here.ask(ESTIMATE, CONFIG, "me")
    assert next(second) is None
    assert not any(first)
    until(lambda: not start_time(number))
    assert answer(second)["seconds_per_epoch"] == SECONDS


def test_an_earlier_question_that_comes_late_does_not_take_back_the_later_one(note):
    here = measures()
    early, late = here.turn(), here.turn()
    second = here.ask(ESTIMATE, HANGING, "me", turn=late)
    number = begun(second, note)
    assert list(here.ask(ESTIMATE, CONFIG, "me", turn=early)) == []
    assert next(second) is None  # still at work
    second.close()
    until(lambda: not start_time(number))
    known = here.ask(ESTIMATE, CONFIG, "somebody")
    assert answer(known)["seconds_per_epoch"] == SECONDS
    assert list(here.ask(ESTIMATE, CONFIG, "me", turn=early)) == []  # nor once it is known


def test_measurements_are_made_one_at_a_time(note):
    here = measures()
    first = here.ask(ESTIMATE, HANGING, "somebody")
    begun(first, note)
    second = here.ask(ESTIMATE, CONFIG, "me")
    for _ in range(3):
        assert next(second) is None
    assert len(note()) == 1, "the second waits"
    first.close()
    assert answer(second)["seconds_per_epoch"] == SECONDS


def test_a_request_that_nobody_goes_on_with_lets_the_next_one_pass(note):
    now = [0.0]
    here = measures(clock=lambda: now[0])
    left = here.ask(ESTIMATE, HANGING, "somebody")
    number = begun(left, note)
    second = here.ask(ESTIMATE, CONFIG, "me")
    now[0] = GRACE
    assert next(second) is None and start_time(number), "whoever is slow is waited for"
    now[0] = 2 * GRACE + 0.1
    assert answer(second)["seconds_per_epoch"] == SECONDS
    until(lambda: not start_time(number))
    assert not any(left)


def test_too_many_who_wait_are_refused(note):
    here = measures(most_waiting=1)
    first = here.ask(ESTIMATE, HANGING, "somebody")
    begun(first, note)
    with pytest.raises(GnetError, match="waiting already"):
        next(here.ask(ESTIMATE, CONFIG, "me"))
    first.close()


def test_a_measurement_that_is_killed_says_so(note):
    asked = measures().ask(ESTIMATE, HANGING, "me")
    number = begun(asked, note)
    os.kill(number, signal.SIGKILL)
    with pytest.raises(GnetError, match="was killed"):
        list(asked)
    until(lambda: not start_time(number))


def test_the_process_ends_when_its_server_was_killed():
    process = subprocess.Popen(
        [sys.executable, "-m", "gnet", "estimate", *ARGUMENTS],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment(),
        text=True,
    )
    with process:
        assert process.stdin and process.stdout
        process.stdin.write(json.dumps(replace(tiny(), per_class=2000).to_json()) + "\n")
        process.stdin.close()  # as a kill does
        process.stdin = None
        assert process.wait(300) == 1
        assert process.stdout.read() == ""


def test_beside_a_run_nothing_is_measured(note):
    with pytest.raises(GnetError, match="A run is training here"):
        list(measures(lambda: 1).ask(ESTIMATE, CONFIG, "me"))
    assert note() == []


def test_a_run_that_begins_ends_what_is_measured(note):
    runs = [0]
    asked = measures(lambda: runs[0]).ask(ESTIMATE, HANGING, "me")
    number = begun(asked, note)
    runs[0] = 1
    with pytest.raises(GnetError, match="A run is training here"):
        list(asked)
    until(lambda: not start_time(number))


def test_what_was_measured_is_known_from_then_on_unless_the_machine_was_busy(note):
    load = [1000.0]
    here = measures(load=lambda: load[0])
    busy = replace(CONFIG, epochs=7)
    for _ in range(2):
        answer(here.ask(ESTIMATE, busy, "me"))
    assert len(note()) == 2, "measured anew"
    load[0] = 0.0
    first = answer(here.ask(ESTIMATE, CONFIG, "me"))
    assert list(here.ask(ESTIMATE, CONFIG, "somebody else")) == [first]
    assert len(note()) == 3


def test_another_file_of_the_same_name_is_measured_anew(note, tmp_path):
    here, path = measures(), tmp_path / "pets.zip"
    config = replace(CONFIG, data=str(path))
    for content in (b"one", b"another"):
        path.write_bytes(content)
        answer(here.ask(ESTIMATE, config, "me"))
    assert len(note()) == 2


@pytest.mark.parametrize(
    "seed, words",
    [
        (FAILS, r"^The training set has 1 pictures; 2 are the least\.$"),
        (CRASHES, "RuntimeError: out of luck"),
        (VANISHES, "memory runs out; choose a smaller"),
    ],
)
def test_what_goes_wrong_is_a_sentence(seed, words):
    with pytest.raises(GnetError, match=words):
        list(measures().ask(ESTIMATE, replace(CONFIG, seed=seed), "me"))
