"""The line of what begins by itself: in the order of asking, and who has left holds nobody up."""

import pytest

from gnet.answers.why.line import MOST, PATIENCE, PLACES, Line
from gnet.errors import FieldError


def test_a_few_begin_and_the_others_wait_in_the_order_of_asking():
    line = Line(clock=lambda: 0.0)
    tickets = [f"viewer {number}" for number in range(PLACES + 3)]
    assert [line.ask(ticket) for ticket in tickets] == [0] * PLACES + [1, 2, 3]
    assert line.begin(tickets[0]) and not line.begin(tickets[PLACES])
    assert line.ask(tickets[-1]) == 3, "to ask again changes no place"
    line.leave(tickets[0])
    assert [line.ask(ticket) for ticket in tickets[1:]] == [0] * PLACES + [1, 2]
    assert line.begin(tickets[PLACES])


def test_who_has_left_does_not_begin():
    line = Line(clock=lambda: 0.0)
    assert line.ask("mine") == 0
    line.leave("mine")
    assert not line.begin("mine") and not line.begin("never asked") and len(line) == 0


def test_who_does_not_ask_again_has_left_and_what_is_computed_has_not():
    now = [0.0]
    line = Line(clock=lambda: now[0])
    for ticket in ("computed", "gone", "waiting"):
        line.ask(ticket)
    assert line.begin("computed")
    now[0] = PATIENCE + 1
    assert line.ask("waiting") == 0 and len(line) == 1 + 1
    assert not line.begin("gone")


def test_a_line_has_an_end():
    line = Line(clock=lambda: 0.0)
    for number in range(MOST):
        line.ask(f"viewer {number}")
    assert line.ask("one more") == MOST and len(line) == MOST
    with pytest.raises(FieldError):
        line.ask(None)
