"""Work that tells how far it is and can be ended; neither thread nor ticket is left behind."""

import threading
from contextlib import closing
from typing import Any

import pytest

from gnet.answers.why.jobs import Jobs
from gnet.errors import FieldError, GnetError


def counting(steps: int) -> Any:
    def work(heard: Any) -> dict[str, Any]:
        for step in range(steps):
            heard(step / steps)
        return {"steps": steps}

    return work


def test_work_tells_how_far_it_is_and_then_its_answer():
    jobs = Jobs()
    states = list(jobs.run("mine", counting(4)))
    assert states == [{"done": 0.0}, {"done": 0.25}, {"done": 0.5}, {"done": 0.75}, {"steps": 4}]
    assert len(jobs) == 0


def test_small_progress_is_not_told_each_time():
    assert len(list(Jobs().run("mine", counting(1000)))) <= 101


def test_cancelled_work_ends_at_its_next_sign_of_life():
    jobs, going, signs = Jobs(), threading.Event(), []

    def work(heard: Any) -> dict[str, Any]:
        for step in range(1000):
            signs.append(step)
            heard(step / 1000)
            if step == 20:
                assert going.wait(10)
        return {}

    before = threading.active_count()
    states = jobs.run("mine", work)
    next(states)
    assert jobs.cancel("mine") and not jobs.cancel("another")
    going.set()
    assert list(states)[-1] == {"cancelled": True}
    assert len(signs) <= 22
    assert threading.active_count() == before and len(jobs) == 0
    assert not jobs.cancel("mine")


def test_work_ends_when_nobody_listens_any_more():
    jobs, ended = Jobs(), []

    def work(heard: Any) -> dict[str, Any]:
        try:
            while True:
                heard(0.5)
        finally:
            ended.append(True)

    before = threading.active_count()
    with closing(jobs.run("mine", work)) as states:
        next(states)
    assert ended == [True] and threading.active_count() == before and len(jobs) == 0


def test_a_refusal_reaches_the_viewer():
    def work(heard: Any) -> dict[str, Any]:
        raise GnetError("no such thing")

    with pytest.raises(GnetError, match="no such thing"):
        list(Jobs().run("mine", work))


@pytest.mark.parametrize("ticket", [None, "", 5, "x" * 65, {"a": 1}])
def test_a_ticket_is_a_short_text(ticket):
    with pytest.raises(FieldError):
        Jobs().cancel(ticket)
