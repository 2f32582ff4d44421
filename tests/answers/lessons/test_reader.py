"""Lessons from files: the shipped ones can be read, and each kind of mistake is one sentence."""

import json
from typing import Any

import pytest

from gnet.answers.lessons.reader import (
    LENGTHS,
    MOST_BYTES,
    parse_lesson,
    read_lesson,
    read_lessons,
    screens,
)
from gnet.errors import FieldError, GnetError
from support.root import ROOT


def lesson(**changes: Any) -> dict[str, Any]:
    """A lesson of one step; a change's name may lead into it, as `step__question__kind`."""
    question = {"kind": "number", "ask": "How much?", "figure": "share: 3a, 5x5", "tolerance": 2}
    step = {"heading": "One", "text": "Read {field: 3a, 1x1}.", "question": question}
    record: dict[str, Any] = {"title": "Mine", "minutes": 5, "intro": "Look.", "steps": [step]}
    for path, value in changes.items():
        *before, last = path.split("__")
        place = {"step": step, "question": question}[before[-1]] if before else record
        place[last] = value
    return record


def read(record: Any) -> Any:
    return parse_lesson(json.dumps(record).encode(), "mine.json")


def test_a_lesson_is_read_with_all_its_fields():
    found = read(lesson(step__go="tab=branches&switches=4b/5x5=0", step__hide=["explore/belief"]))
    assert (found.name, found.title, found.minutes) == ("mine", "Mine", 5)
    (step,) = found.steps
    assert step.question is not None
    assert (step.question.kind, step.question.tolerance) == ("number", 2)
    assert step.hide == ("explore/belief",)


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"title": ""}, "mine.json, title", "texts"),
        ({"title": 7}, "mine.json, title", "texts"),
        ({"title": "x" * (LENGTHS["title"] + 1)}, "mine.json, title", "up to"),
        ({"minutes": 0}, "mine.json, minutes", "from 1 to 90"),
        ({"minutes": True}, "mine.json, minutes", "from 1 to 90"),
        ({"minutes": float("nan")}, "mine.json, minutes", "from 1 to 90"),
        ({"place": "first"}, "mine.json, place", "from 1 to 99"),
        ({"author": "me"}, "mine.json, field", "title, minutes"),
        ({"steps": []}, "mine.json, steps", "1 to 12 steps"),
        ({"steps": "none"}, "mine.json, steps", "1 to 12 steps"),
        ({"steps": [7]}, "mine.json, step 1", "heading and text"),
        ({"steps": [{"heading": "x"}]}, "mine.json, step 1, text", "heading and text"),
        ({"step__text": "Read {shares: 3a}."}, "mine.json, step 1, text", "share"),
        ({"step__text": "Read {share: 3a}."}, "mine.json, step 1, text", "{share: module, branch}"),
        ({"step__text": "{share: 9z, 5x5}"}, "mine.json, step 1, text", "3a, 3b"),
        ({"step__text": "{loss: collapse, cured}"}, "mine.json, step 1, text", "both cured"),
        ({"step__text": "An open { brace"}, "mine.json, step 1, text", "braces"),
        ({"step__text": "It is {share: 3a, 5x5}."}, "mine.json, step 1, text", "belongs in after"),
        ({"step__go": "tab=kitchen"}, "mine.json, step 1, go, tab", "explore"),
        ({"step__go": "speed=3"}, "mine.json, step 1, go", "switches"),
        ({"step__go": "module"}, "mine.json, step 1, go", "tab=branches"),
        ({"step__go": 7}, "mine.json, step 1, go", "tab=branches"),
        ({"step__go": "switches=4b/7x7=0"}, "mine.json, step 1, go, branch", "4b/5x5"),
        ({"step__go": "switches=4b/5x5=9"}, "mine.json, step 1, go, 4b/5x5", "0 to 2"),
        ({"step__look": "explore/moon"}, "mine.json, step 1, look", "explore/belief"),
        ({"step__hide": "explore/belief"}, "mine.json, step 1, hide", "lists of"),
        ({"step__hide": ["moon"]}, "mine.json, step 1, hide", "explore/belief"),
        ({"step__question": "why"}, "mine.json, step 1, question", "kind, ask and figure"),
        ({"question__kind": "essay"}, "mine.json, step 1, question, kind", "choice, number"),
        ({"question__kind": "choice"}, "mine.json, step 1, question, kind", "number"),
        ({"question__figure": "busiest: 3a"}, "mine.json, step 1, question, kind", "choice"),
        ({"question__figure": 12}, "mine.json, step 1, question, figure", "names of figures"),
        ({"question__figure": "12"}, "mine.json, step 1, question, figure", "share"),
        ({"question__tolerance": -1}, "mine.json, step 1, question, tolerance", "from 0"),
        ({"question__choices": ["1x1", "5x5"]}, "mine.json, step 1, question, choices", "none"),
    ],
)
def test_a_mistake_says_where_it_is_and_what_is_allowed(changes, field, words):
    with pytest.raises(FieldError) as caught:
        read(lesson(**changes))
    assert caught.value.field == field
    assert words in caught.value.allowed
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 1500


@pytest.mark.parametrize(
    ("choices", "words"), [(["1x1"], "two or more"), (["1x1", "7x7"], "1x1, 3x3, 5x5 and pool")]
)
def test_choices_are_two_or_more_of_what_the_figure_ranks(choices, words):
    question = {"kind": "choice", "ask": "Which?", "figure": "busiest: 3a", "choices": choices}
    with pytest.raises(FieldError, match="choices") as caught:
        read(lesson(step__question=question))
    assert words in caught.value.allowed


@pytest.mark.parametrize("name", ["hide", "after"])
def test_a_step_without_a_question_hides_and_tells_nothing_later(name):
    step = {"heading": "x", "text": "x", name: ["explore/belief"] if name == "hide" else "So."}
    with pytest.raises(FieldError, match="steps with a question"):
        read(lesson(steps=[step]))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'{\n"title": }', "mistake in line 2"),
        (b"\xff\xfe{}", "UTF-8"),
        (b"[" * 100_000, "is no JSON"),
        (b"[]", "objects with title"),
    ],
)
def test_a_file_that_is_no_lesson_is_a_sentence(content, words):
    with pytest.raises(GnetError, match=words):
        parse_lesson(content, "mine.json")


def test_a_file_needs_a_plain_name_and_a_sensible_size(tmp_path):
    for name in ("Mine.json", "mine.txt", "my lesson.json"):
        with pytest.raises(FieldError, match="name of the lesson's file"):
            read_lesson(tmp_path / name)
    with pytest.raises(GnetError, match="Cannot read"):
        read_lesson(tmp_path / "gone.json")
    (tmp_path / "large.json").write_bytes(b" " * (MOST_BYTES + 1))
    with pytest.raises(FieldError, match="bytes"):
        read_lesson(tmp_path / "large.json")


def test_own_lessons_stand_beside_the_shipped_ones_or_in_their_place(tmp_path):
    (tmp_path / "mine.json").write_text(json.dumps(lesson()))
    (tmp_path / "early-and-late.json").write_text(json.dumps(lesson(title="Another")))
    shipped, found = read_lessons(), read_lessons([tmp_path])
    assert list(shipped) == [
        "what-a-branch-sees",
        "which-branch-matters",
        "early-and-late",
        "train-one-break-one",
    ]
    assert found.keys() == shipped.keys() | {"mine"}
    assert found["early-and-late"].title == "Another"
    with pytest.raises(GnetError, match="is no folder"):
        read_lessons([tmp_path / "none"])


def test_the_lesson_in_the_documentation_can_be_read():
    page = (ROOT / "docs" / "writing-lessons.md").read_text(encoding="utf-8")
    (example,) = [part.split("```")[0] for part in page.split("```json\n")[1:]]
    assert len(parse_lesson(example.encode(), "mine.json").steps) == 2
    for name, most in LENGTHS.items():
        (row,) = [line for line in page.splitlines() if line.startswith(f"| `{name}` |")]
        assert f"up to {most} letters" in row


def test_a_step_may_go_to_every_screen(gradio_environment):
    from gnet.ui.tabs import TABS

    assert {tab.name for tab in TABS} <= set(screens())
