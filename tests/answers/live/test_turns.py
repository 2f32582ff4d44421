"""Whose turn it is, by a clock of the test's own."""

import threading

from gnet.answers.live.turns import Turns


def test_a_frame_goes_at_once_where_nobody_else_asks() -> None:
    Turns(clock=lambda: 0.0).wait()


def test_a_frame_waits_until_the_request_has_ended_and_none_follows() -> None:
    turns, order = Turns(quiet=0.001, patience=60.0), []
    begun = threading.Event()

    def frame() -> None:
        begun.set()
        turns.wait()
        order.append("frame")

    with turns.request():
        thread = threading.Thread(target=frame)
        thread.start()
        begun.wait()
        with turns.request():  # another one, inside
            order.append("request")
        order.append("request")
    thread.join()
    assert order == ["request", "request", "frame"]


def test_a_frame_never_waits_longer_than_it_is_willing_to() -> None:
    turns = Turns(patience=0.01)
    with turns.request():
        turns.wait()


def test_a_request_that_fails_is_over_too() -> None:
    turns = Turns(quiet=0.0, patience=60.0)
    try:
        with turns.request():
            raise ValueError
    except ValueError:
        turns.wait()
