"""The shipped lessons, step by step: every figure is there, every question has an answer."""

import json
from dataclasses import replace

import pytest

from gnet.answers.explorer import Explorer
from gnet.answers.explorers import Explorers
from gnet.answers.lessons.found import Number
from gnet.answers.lessons.lesson import Lesson, Step
from gnet.answers.lessons.questions import found_for
from gnet.answers.lessons.reader import read_lessons
from gnet.answers.lessons.teaching import Learner, list_lessons, scene_of, take_step
from gnet.errors import FieldError, GnetError
from gnet.network.weights import load
from gnet.runs.experiments import EXPERIMENTS
from gnet.serving.shelf import RunShelf
from support import told_runs

LESSONS = read_lessons()
STEPS = [(name, at) for name, one in LESSONS.items() for at in range(1, len(one.steps) + 1)]
COFFEE = {"example": "coffee"}


@pytest.fixture(scope="module")
def explorers(tmp_path_factory: pytest.TempPathFactory) -> Explorers:
    """The bundled network, and a learner's finished runs of the experiments that a lesson uses."""
    folder = tmp_path_factory.mktemp("runs")
    told = told_runs.Told(folder)
    for key in ("first-run", "heads", "collapse"):
        for name, config in EXPERIMENTS[key].runs:
            told.put(name, told_runs.config(aux=config.model.aux), experiment=key)
    return Explorers(Explorer(load()), RunShelf(folder))


LEARNER = Learner(picture=COFFEE, owner=told_runs.OWNER)


def right_answer(explorers: Explorers, step: Step) -> object:
    assert step.question
    found = found_for(scene_of(explorers, LEARNER), step.question)
    if isinstance(found, Number):
        return found.value
    ordered = sorted(found.names, key=lambda one: -found.values[one])
    return ordered if step.question.kind == "order" else ordered[0]


@pytest.mark.parametrize(("name", "at"), STEPS)
def test_every_step_has_its_figures_and_its_answer(explorers, name, at):
    step = LESSONS[name].steps[at - 1]
    asked = take_step(explorers, LESSONS, name, at, LEARNER, None)
    assert not asked["blocked"] and asked["text"] and asked["answered"] is None
    assert "{" not in json.dumps([asked["text"], asked["question"]["ask"]])
    answer = right_answer(explorers, step)
    told = take_step(explorers, LESSONS, name, at, LEARNER, answer)["answered"]
    assert told["right"] and told["given"] == answer
    assert told["after"] and not any("{" in one for one in told["after"])


@pytest.mark.parametrize(("name", "at"), STEPS)
def test_what_is_said_afterwards_does_not_travel_before(explorers, name, at):
    step = LESSONS[name].steps[at - 1]
    asked = take_step(explorers, LESSONS, name, at, LEARNER, None)
    answer = right_answer(explorers, step)
    told = take_step(explorers, LESSONS, name, at, LEARNER, answer)["answered"]
    before = json.dumps(asked)
    assert told["sentence"] not in before
    assert not any(one in before for one in told["after"])


def test_every_step_of_the_shipped_lessons_asks_something():
    listed = list_lessons(LESSONS)
    assert len(listed) == 4
    assert all(step["asks"] for one in listed for step in one["steps"])
    assert any(step["hide"] for one in listed for step in one["steps"])


def test_a_guess_about_a_run_is_kept_until_the_run_has_ended(explorers):
    nobody = replace(LEARNER, owner="")
    told = take_step(explorers, LESSONS, "train-one-break-one", 1, nobody, "93")
    assert told["answered"] == {"given": "93"}
    assert "press Start" in told["blocked"]
    assert told["question"]["unit"] == "%"


def test_a_figure_that_cannot_be_had_is_said_and_nothing_is_asked(explorers):
    step = Step(heading="x", text="It is {accuracy: depth, no norm, main}.")
    lessons = {"mine": Lesson(name="mine", title="x", minutes=1, intro="x", steps=(step,))}
    told = take_step(explorers, lessons, "mine", 1, LEARNER, None)
    assert "“no norm”" in told["blocked"] and told["question"] is None


@pytest.mark.parametrize(
    ("name", "number", "field"),
    [
        ("cooking", 1, "lesson"),
        (None, 1, "lesson"),
        (["early-and-late"], 1, "lesson"),
        ("early-and-late", 0, "step"),
        ("early-and-late", 7, "step"),
        ("early-and-late", True, "step"),
        ("early-and-late", "2", "step"),
    ],
)
def test_what_there_is_not_is_refused(explorers, name, number, field):
    with pytest.raises(FieldError) as caught:
        take_step(explorers, LESSONS, name, number, LEARNER, None)
    assert caught.value.field == field


def test_a_lesson_needs_a_picture(explorers):
    with pytest.raises(GnetError, match="No picture"):
        take_step(explorers, LESSONS, "early-and-late", 1, Learner(picture={}), None)
