"""The plain loop: the same turns in this process and in one of its own, without large pages."""

import os
import sys
from itertools import count

import pytest
import torch

from gnet.errors import GnetError
from gnet.studies.speed.plain_loop import CLASSES, Turns, own_process, plain_loop
from gnet.system import processes

TURNS = Turns(size=32, per_class=2, batch=4, lead_in=1, steps=2)


def test_a_turn_counts_the_pictures_of_its_timed_steps_only(monkeypatch):
    clock = iter([10.0, 14.0])
    monkeypatch.setattr("time.perf_counter", lambda: next(clock))
    steps = count(100)  # as if each step had a hundred pictures, and one more than the last
    assert TURNS.rate(steps) == (101 + 102) / 4
    assert next(steps) == 103


def test_the_loop_goes_on_after_its_pictures_and_trains_whole_batches():
    pictures = TURNS.pictures()
    assert len(pictures) == CLASSES * TURNS.per_class
    loop = plain_loop(TURNS, pictures, workers=0)
    assert [next(loop) for _ in range(6)] == [4] * 6  # an epoch has five


def test_the_loop_trains_in_a_process_of_its_own_until_it_is_left():
    with own_process(TURNS, workers=0) as other:
        assert other.rate() > 0
    with pytest.raises(GnetError):
        other.rate()


def test_it_ends_while_workers_forked_meanwhile_hold_its_input_open():
    with own_process(TURNS, workers=0) as other:
        beside = plain_loop(TURNS, TURNS.pictures(), workers=1)
        assert next(beside) == 4 and other.rate() > 0


SAYS = """
import json, os, sys
request = json.loads(sys.argv[1])
for _ in sys.stdin:
    same = request["threads"] == 1 and request["workers"] == 2 and os.nice(0) == {niceness}
    print(float(same and not os.environ["GLIBC_TUNABLES"]), flush=True)
"""


def test_the_own_process_has_these_threads_and_no_large_pages(monkeypatch):
    monkeypatch.setenv(processes.TUNABLES, processes.LARGE_PAGES)
    script = SAYS.replace("{niceness}", str(os.nice(0)))
    with own_process(TURNS, 2, (sys.executable, "-c", script)) as other:
        assert torch.get_num_threads() == other.rate() == 1


def test_a_process_that_fails_is_not_measured():
    failing = (sys.executable, "-S", "-c", "raise SystemExit(3)")
    with pytest.raises(GnetError, match="process ended"), own_process(TURNS, 0, failing):
        pass
