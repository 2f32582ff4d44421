"""The Train tab: a question or a form, the run as it goes, and the runs so far.

A run lives in a process and a folder of its own; the page only follows it.
"""

from __future__ import annotations

import itertools
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import gradio as gr

from gnet.answers.explorer import cut
from gnet.data.source import is_missing, parse
from gnet.errors import GnetError
from gnet.runs.control import SETTINGS
from gnet.runs.folder import PINNED
from gnet.runs.lessons import LESSONS, Lesson
from gnet.runs.train_config import TrainConfig
from gnet.serving.measuring import ESTIMATE, FIND_RATE, Measuring
from gnet.serving.offers import Offers
from gnet.serving.reviews import Reviews
from gnet.serving.runs import Runs, Wanted
from gnet.system.paths import without_paths
from gnet.ui.components import drawing
from gnet.ui.events import QUIET, as_text, settle, spoken
from gnet.ui.train import data as data_tab
from gnet.ui.train import form as train_form
from gnet.ui.train import review as review_tab
from gnet.ui.train.form_check import check, departures, wanted
from gnet.ui.train.rows import after_runs, described

_MOST_LAID = 12
"""Runs of others that a page may list."""
SIDES = ("owner", "lesson")
"""What is sent with the form; the page's script fills it in."""


def build(runs: Runs, reviews: Reviews, offers: Offers) -> None:
    """Put the tab's components and events where the caller stands."""

    def meant(values: Any) -> list[Any]:
        return data_tab.filled(offers, values)

    first = next(iter(LESSONS.values()))
    most = {"epochs": runs.limits.max_epochs, "size": runs.limits.max_size}

    def fill(event: gr.EventData) -> list[Any]:
        with spoken():
            lesson = _lesson(_asked(event).get("key"))
            values = filled_in(lesson, most)
            # Where the pictures are for the person to choose, those chosen stay.
            told = as_text({"key": lesson.key})
            return [told, *([gr.skip(), *values[1:]] if lesson.own_data else values)]

    def start(owner: str, key: str, *values: Any) -> str:
        with spoken():
            return as_text({"run": begin(runs, owner, _lesson(key), meant(values))})

    def steer(event: gr.EventData) -> None:
        with spoken():
            _steer(runs, _asked(event))

    turns = itertools.count(1)
    measuring = Measuring(lambda: runs.queue()["running"])

    def said(key: str, *values: Any) -> str:
        with spoken():
            # The page hears of what has changed, and the same words twice are two answers.
            return as_text(checked(runs, _lesson(key), values, meant) | {"turn": next(turns)})

    def lock(event: gr.EventData, key: str, *values: Any) -> list[Any]:
        with spoken():
            return locked(_lesson(key), values, _asked(event).get("ever"))

    def guess(request: gr.Request, key: str, *values: Any) -> Iterator[tuple[Any, str]]:
        # Asked by the page itself, not by a person: a refusal is told beside the button.
        yield gr.update(value="Start"), as_text({"trouble": ""})
        if checked(runs, _lesson(key), values, meant)["troubles"]:
            return  # that is said at the fields
        try:
            config = as_run(runs, _lesson(key), meant(values))
            count = len(_lesson(key).runs)
            for found in measuring.ask(ESTIMATE, config, str(request.session_hash)):
                label = gr.skip() if found is None else gr.update(value=start_label(found, count))
                yield label, as_text({"trouble": ""})
        except GnetError as error:
            yield gr.update(value="Start"), as_text({"trouble": without_paths(str(error))})

    def find(request: gr.Request, key: str, *values: Any) -> Iterator[str]:
        with spoken():
            config = as_run(runs, _lesson(key), meant(values))
            for found in measuring.ask(FIND_RATE, config, str(request.session_hash)):
                yield as_text(found or {"waiting": True})

    def use(event: gr.EventData) -> Any:
        return _asked(event).get("rate")

    def follow(asked: Any) -> dict[str, Any]:
        return _answered(lambda: followed(runs, asked))

    def listed(asked: Any) -> dict[str, Any]:
        return _answered(
            lambda: {
                "rows": described(runs.list(asked["owner"], asked["also"][:_MOST_LAID])),
                "queue": runs.queue(),
            }
        )

    def pinned(asked: Any) -> dict[str, Any]:
        return _answered(lambda: {"src": pinned_picture(runs, asked["run"])})

    def after(asked: Any) -> dict[str, Any]:
        return _answered(lambda: {"after": after_runs(runs, asked["run"], asked["owner"])})

    with gr.Row(elem_id="train"):
        with gr.Column(elem_id="train-left"):
            lessons = drawing("train/lessons", lessons=[_described(p) for p in LESSONS.values()])
            pictures = data_tab.place(offers, runs.limits.enabled)
            form = _form(first, most, data_tab.known(offers), pictures)
            finder = drawing("train/find", enabled=runs.limits.enabled)
            spans = [train_form.span_of(shown, most) for shown in train_form.FIELDS]
            labels = [shown.label.split(",")[0] for shown in train_form.FIELDS]
            names = [shown.name for shown in train_form.FIELDS]
            checker = drawing("train/check", names=names, labels=labels, spans=spans)
            go = gr.Button(
                "Start" if runs.limits.enabled else "Training is switched off here",
                variant="primary",
                elem_id="start",
                interactive=runs.limits.enabled,
            )
        with gr.Column(elem_id="train-right"):

            def asked(values: Any) -> TrainConfig:
                return runs.limits.admitted(train_form.filled(first.runs[0][1], meant(values)))

            data_tab.build(offers, pictures, form, asked)
            tops = {name: train_form.field_of(name).metadata["max"] for name in SETTINGS}
            bar = drawing("train/bar", server_functions=[follow, listed, after], most=tops)
            drawing("train/plots")
            table = drawing("train/runs")
            review_tab.build(runs, reviews)
            drawing("train/inside", server_functions=[pinned])
    owner, key = (gr.Textbox(visible=False, label=name) for name in SIDES)

    private: dict[str, Any] = {"api_visibility": "private", **QUIET}
    lessons.chosen(fill, None, [lessons, *form], trigger_mode="always_last", **private)
    go.click(
        start,
        [owner, key, *form],
        bar,
        js="(owner, lesson, ...form) => [...gnet.train.sides(), ...gnet.train.within(form)]",
        concurrency_limit=4,
        **private,
    )
    for part in (bar, table):
        steered = part.steer(steer, None, None, concurrency_limit=8, **private)
        steered.success(None, js="() => gnet.train.refresh()", api_visibility="private")
    for part in form:
        part.change(None, js="() => gnet.train.formed()", api_visibility="private")
    with_lesson = "(lesson, ...form) => [gnet.train.state.lesson, ...gnet.train.within(form)]"
    checker.check(
        said, [key, *form], checker, js=with_lesson, trigger_mode="always_last", **private
    )
    checker.lock(lock, [key, *form], form, js=with_lesson, trigger_mode="always_last", **private)
    # Those who wait for their turn hold one of the server's forty threads each.
    measured: dict[str, Any] = {"js": with_lesson, "concurrency_limit": 8, **private}
    # Whoever asks again takes back the question before: `Measuring` ends it.
    finder.estimate(guess, [key, *form], [go, finder], trigger_mode="multiple", **measured)
    found = finder.find(find, [key, *form], finder, **measured)
    settle(found, "find")
    rate = form[[shown.name for shown in train_form.FIELDS].index("learning_rate")]
    finder.use(use, None, rate, **private)


def _form(
    lesson: Lesson, most: dict[str, int], data: list[tuple[str, str]], pictures: gr.HTML
) -> list[Any]:
    """The components, in the order of `train_form.FIELDS`; `most`: the server's limits."""

    def row(fields: Any) -> list[Any]:
        return [train_form.component(shown, lesson.runs[0][1], data, most) for shown in fields]

    form = row(train_form.FIELDS[:1])
    pictures.render()
    form += row(train_form.BASIC)
    form += row(train_form.HEADS)
    for title, fields in (
        ("The network", train_form.NETWORK),
        ("How it learns", train_form.LEARNING),
        ("What it begins from", train_form.BEGIN),
    ):
        with gr.Accordion(title, open=False, elem_classes="fold"):
            form += row(fields)
    return form


def filled_in(lesson: Lesson, most: dict[str, int]) -> list[Any]:
    """The form's values for a lesson, as large as the server allows; `most`: its limits."""
    values = train_form.form_values(lesson.runs[0][1])
    return [
        train_form.allowed(shown, value, most)
        for shown, value in zip(train_form.FIELDS, values, strict=True)
    ]


def begin(runs: Runs, owner: str, lesson: Lesson, values: Any) -> str:
    """Start the lesson's runs with what the form holds, all or none; the id of the first.

    Runs that are no longer the lesson's are kept without its key: nothing is concluded from them.
    """
    asked = wanted(lesson, values)
    key = "" if departures(lesson, [config for _, config in asked]) else lesson.key
    taken = {row["name"] for row in runs.list(owner)}
    together = [Wanted(name=_free(name, taken), config=config, part=name) for name, config in asked]
    return runs.start_all(together, owner=owner, lesson=key)[0]


def checked(runs: Runs, lesson: Lesson, values: Any, meant: Any) -> dict[str, Any]:
    """What is to be said of the form's fields; `meant` tells what its data set's key stands for."""
    missing: dict[str, str] = {}
    try:
        values = meant(values)
    except GnetError as error:
        values, missing = ["built-in", *values[1:]], {"data": without_paths(str(error))}
    told = asdict(check(lesson, values, runs.limits))
    return told | {"locked": list(told["locked"]), "troubles": told["troubles"] | missing}


def locked(lesson: Lesson, values: Any, ever: Any) -> list[Any]:
    """Updates of the form's components: what cannot be set shows what will run.

    Only fields that are or were (`ever`) locked: an update may undo what is just being written.
    """
    held = check(lesson, values).locked
    were = ever if isinstance(ever, list) else []

    def update(name: str) -> Any:
        if name in held:
            return gr.update(interactive=False, value=held[name])
        return gr.update(interactive=True) if name in were else gr.skip()

    return [update(shown.name) for shown in train_form.FIELDS]


def as_run(runs: Runs, lesson: Lesson, values: Any) -> TrainConfig:
    """The lesson's first run with what the form holds, as it would run on this server.

    Raises `GnetError` where its pictures would have to be downloaded first.
    """
    config = wanted(lesson, values)[0][1]
    if is_missing(parse(config.data)):
        raise GnetError(
            f"The pictures of {config.data} are not on this machine; a run downloads them first."
        )
    return runs.as_run(config)


def start_label(found: dict[str, Any], runs: int) -> str:
    """What the button says: how long an epoch of the first run takes, measured on a few steps."""
    what = "Start:" if runs == 1 else f"Start {runs} runs: the first"
    return f"{what} about {_spoken_time(found['seconds_per_epoch'])} an epoch"


def pinned_picture(runs: Runs, run_id: str) -> str:
    """The picture that a run looks at after each epoch, as an address; empty if there is none."""
    path = runs.run_folder(run_id).path / PINNED
    if not path.is_file():
        return ""
    return f"data:image/png;base64,{b64encode(path.read_bytes()).decode()}"


def _free(name: str, taken: set[str]) -> str:
    """`name`, or with the first number that makes it another one."""
    names = (name if n == 1 else f"{name} {n}" for n in range(1, len(taken) + 2))
    return next(n for n in names if n not in taken)


def _steer(runs: Runs, asked: dict[str, Any]) -> None:
    run, owner, action = (str(asked.get(name, "")) for name in ("run", "owner", "action"))
    value = asked.get("value")
    values = {
        "learning_rate": {"learning_rate": value},
        "aux_weights": {"aux1_weight": value, "aux2_weight": value},
    }
    runs.steer(run, owner, action, **values.get(action, {}))


def followed(runs: Runs, asked: Any) -> dict[str, Any]:
    """What a run said, and how it stands; before it begins also how far a download is."""
    told = runs.follow(asked["run"], asked["since"], asked["owner"])
    if told["run"]["state"] == "starting":
        data = told["run"]["config"].get("data", "")
        told["run"]["doing"] = runs.offers.fetching.under_way(data)
    return told


def _answered(ask: Any) -> dict[str, Any]:
    """What is asked outside Gradio's queue; a refusal is an answer there, too."""
    try:
        return ask()
    except GnetError as error:
        return {"error": without_paths(str(error))}
    except (KeyError, TypeError):
        return {"error": "That is no question this page asks."}


def _asked(event: gr.EventData) -> dict[str, Any]:
    return event._data if isinstance(event._data, dict) else {}


def _lesson(key: Any) -> Lesson:
    if key not in LESSONS:
        raise GnetError(f"There is no lesson {cut(key)!r}; there are {', '.join(LESSONS)}.")
    return LESSONS[key]


def _described(lesson: Lesson) -> dict[str, Any]:
    """A lesson as its button shows it."""
    names = [name for name, _ in lesson.runs]
    said = {"key": lesson.key, "title": lesson.title, "line": lesson.line}
    return said | {"before": lesson.before, "runs": names}


def _spoken_time(seconds: float) -> str:
    if seconds < 1:
        return "half a second" if seconds > 0.3 else "an instant"
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
