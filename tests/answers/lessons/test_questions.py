"""Answers against figures given by hand: choice, number and order, ties, rounding, nonsense."""

import pytest

from gnet.answers.lessons.found import Number, Ranking
from gnet.answers.lessons.lesson import Question
from gnet.answers.lessons.questions import check, posed, posed_before
from gnet.errors import FieldError

NAMES = {"1x1": "1×1", "3x3": "3×3", "5x5": "5×5"}
WIDE = Ranking(names=NAMES, values={"1x1": 27.0, "3x3": 43.0, "5x5": 59.0}, unit="px")
CLOSE = Ranking(names=NAMES, values={"1x1": 84.6, "3x3": 85.4, "5x5": 10.0}, unit="points")
TIED = Ranking(names=NAMES, values={"1x1": 10.0, "3x3": 40.0, "5x5": 40.0}, unit="%")


def asked(kind: str, figure: str = "widest: 3a", tolerance: float = 0.0) -> Question:
    return Question(kind=kind, ask="?", figure=figure, tolerance=tolerance)


@pytest.mark.parametrize(
    ("found", "given", "right", "sentence"),
    [
        (WIDE, "5x5", True, "Right: 5×5 (59 px)."),
        (WIDE, "1x1", False, "Not 1×1 (27 px). The answer: 5×5 (59 px)."),
        (TIED, "3x3", True, "Right: 3×3 (40 %) and 5×5 (40 %)."),
        (TIED, "5x5", True, "Right: 3×3 (40 %) and 5×5 (40 %)."),
        (CLOSE, "1x1", True, "Right: 1×1 (85 points) and 3×3 (85 points)."),
    ],
)
def test_a_choice_is_right_where_nothing_is_larger(found, given, right, sentence):
    verdict = check(found, asked("choice"), given)
    assert (verdict.right, verdict.sentence.replace("\u00a0", " ")) == (right, sentence)


@pytest.mark.parametrize(
    ("found", "given", "right"),
    [
        (WIDE, ["5x5", "3x3", "1x1"], True),
        (WIDE, ["3x3", "5x5", "1x1"], False),
        (TIED, ["3x3", "5x5", "1x1"], True),
        (TIED, ["5x5", "3x3", "1x1"], True),
        (TIED, ["1x1", "3x3", "5x5"], False),
        (CLOSE, ["1x1", "3x3", "5x5"], True),
    ],
)
def test_an_order_is_right_where_no_value_rises(found, given, right):
    assert check(found, asked("order"), given).right is right


@pytest.mark.parametrize(
    ("value", "unit", "tolerance", "given", "right", "start"),
    [
        (59.0, "px", 0, "59", True, "Right: 59 px."),
        (59.0, "px", 0, 60, False, "Not 60 px: it is 59 px."),
        (59.0, "px", 5, "63 ", True, "Close enough: it is 59 px."),
        (59.0, "px", 5, "64.5", False, "Not 64.5 px"),
        (41.9, "%", 0, "42 %", True, "Right: 42 %."),  # the page shows whole percents there
        (4.26, "%", 0, "4,3", True, "Right: 4.3 %."),
        (4.26, "%", 0, "4.4", False, "Not 4.4 %"),
        (0.304, "nats", 0.02, "0.32", True, "Close enough"),
        (-0.64, "points", 0, "−0.6", True, "Right: −0.6 points."),
        (0.0, "branches", 0, "0", True, "Right: 0 branches."),
        (19.0, "branches", 0, "1", False, "Not 1 branch: it is 19 branches."),
    ],
)
def test_a_number_is_right_within_its_tolerance_or_the_last_digit_shown(
    value, unit, tolerance, given, right, start
):
    question = asked("number", "spare", tolerance)
    verdict = check(Number(value=value, unit=unit), question, given)
    assert verdict.right is right
    assert verdict.sentence.replace("\u00a0", " ").startswith(start)


@pytest.mark.parametrize("given", ["", "many", "nan", "inf", None, True, [5], {}, "9" * 400, 1e13])
def test_what_is_no_number_is_refused(given):
    with pytest.raises(FieldError, match="answer"):
        check(Number(value=1.0), asked("number", "spare"), given)


@pytest.mark.parametrize("given", ["7x7", "", None, 3, ["5x5"]])
def test_a_choice_that_is_not_offered_is_refused(given):
    with pytest.raises(FieldError, match="1x1, 3x3 or 5x5"):
        check(WIDE, asked("choice"), given)


@pytest.mark.parametrize("given", ["5x5", [], ["5x5", "5x5", "1x1"], ["5x5", "3x3"], [[], 1, 2]])
def test_an_order_names_each_once(given):
    with pytest.raises(FieldError, match="each once"):
        check(WIDE, asked("order"), given)


def test_a_question_does_not_hold_its_answer():
    told = posed(WIDE, asked("order"))
    assert told == {
        "kind": "order",
        "about": "network",
        "choices": [{"id": one, "name": name} for one, name in NAMES.items()],
        "unit": "",
    }
    assert posed(Number(value=59.0, unit="px"), asked("number", "field: 3a, 5x5")) == {
        "kind": "number",
        "about": "network",
        "choices": [],
        "unit": "px",
    }


def test_a_run_can_be_asked_for_before_it_has_ended_and_a_picture_cannot():
    before = posed_before(asked("choice", "best-run: heads"))
    assert before and [one["id"] for one in before["choices"]] == ["with heads", "without heads"]
    number = posed_before(asked("number", "loss: collapse, as published"))
    assert number and number["unit"] == "nats"
    assert posed_before(asked("number", "felt: 3a, 5x5")) is None
