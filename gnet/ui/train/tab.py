"""The Train tab: an experiment or a form, the run as it goes, and the runs so far.

Layout and wiring only; what its buttons do is `handlers`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from gnet.answers.learning import of_training
from gnet.runs.experiments import EXPERIMENTS, Experiment
from gnet.runs.smoothing import SMOOTHING
from gnet.serving.measuring import Measuring
from gnet.serving.offers import Offers
from gnet.serving.reviews import Reviews
from gnet.serving.runs import Runs
from gnet.ui.components import drawing
from gnet.ui.events import QUIET, answered, settle
from gnet.ui.train import data as data_tab
from gnet.ui.train import endpoints
from gnet.ui.train import form as train_form
from gnet.ui.train import review as review_tab
from gnet.ui.train.handlers import FIRST, Handlers

SIDES = ("owner", "experiment")
"""What is sent with the form; the page's script fills it in."""
PRIVATE: dict[str, Any] = {"api_visibility": "private", **QUIET}


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The tab's components that events come from or go to."""

    experiments: gr.HTML
    pictures: gr.HTML
    form: list[Any]
    """In the order of `train_form.FIELDS`."""
    finder: gr.HTML
    checker: gr.HTML
    go: gr.Button
    preview: gr.HTML
    bar: gr.HTML
    table: gr.HTML


def build(runs: Runs, reviews: Reviews, offers: Offers, measuring: Measuring) -> None:
    """Put the tab's components and events where the caller stands."""
    handlers = Handlers(runs, offers, measuring, reviews)
    with gr.Row(elem_id="train"):
        with gr.Column(elem_id="train-left"):
            left = _left(handlers)
        with gr.Column(elem_id="train-right"):
            right = _right(handlers, reviews)
    endpoints.publish(handlers)
    bind(Parts(**left, **right), handlers)


def _left(handlers: Handlers) -> dict[str, Any]:
    """Experiments, form and start button."""
    enabled, fields = handlers.runs.limits.enabled, train_form.FIELDS
    experiments = drawing(
        "train/experiments", experiments=[_described(p) for p in EXPERIMENTS.values()]
    )
    pictures = data_tab.place(handlers.offers, enabled)
    return {
        "experiments": experiments,
        "pictures": pictures,
        "form": _form(handlers, pictures),
        "finder": drawing("train/find", enabled=enabled),
        "checker": drawing(
            "train/check",
            names=[shown.name for shown in fields],
            labels=[shown.short for shown in fields],
            spans=[train_form.span_of(shown, handlers.most) for shown in fields],
        ),
        "go": gr.Button(
            "Start" if enabled else "Training is switched off here",
            variant="primary",
            elem_id="start",
            interactive=enabled,
        ),
    }


def _right(handlers: Handlers, reviews: Reviews) -> dict[str, Any]:
    """The run shown, its plots, the runs so far, and what a run came to."""
    drawing(
        "train/welcome",
        experiments=[
            {"key": p.key, "title": p.title, "line": p.line} for p in EXPERIMENTS.values()
        ],
        enabled=handlers.runs.limits.enabled,
    )
    preview = drawing("train/preview")
    bar = drawing(
        "train/bar",
        server_functions=[
            answered(handlers.follow, "run", "since", "owner"),
            answered(handlers.listed, "owner", "also"),
            answered(handlers.after, "run", "owner"),
            answered(handlers.change, "run", "owner", "action", "value"),
            answered(handlers.rename, "run", "owner", "name"),
        ],
        smoothing=SMOOTHING,
    )
    drawing("train/plots")
    drawing("train/inside", server_functions=[answered(handlers.pinned, "run")])
    table = drawing("train/runs")
    review_tab.build(handlers.runs, reviews)
    drawing("train/rates")
    drawing("train/learn", texts=of_training())
    return {"preview": preview, "bar": bar, "table": table}


def _form(handlers: Handlers, pictures: gr.HTML) -> list[Any]:
    """The components, in the order of `train_form.FIELDS`."""
    data, config = data_tab.known(handlers.offers), FIRST.runs[0][1]

    def row(fields: Any) -> list[Any]:
        return [train_form.component(shown, config, data, handlers.most) for shown in fields]

    form = row(train_form.FIELDS[:1])
    pictures.render()
    form += row(train_form.BASIC)
    form += row(train_form.HEADS)
    for title, fields in (
        ("The network", train_form.NETWORK),
        ("How it learns", train_form.LEARNING),
        ("First weights", train_form.BEGIN),
    ):
        with gr.Accordion(title, open=False, elem_classes="fold"):
            form += row(fields)
    return form


def bind(parts: Parts, handlers: Handlers) -> None:
    """Connect the components' events with what handles them."""
    owner, key = (gr.Textbox(visible=False, label=name) for name in SIDES)
    form, bar, finder, checker = parts.form, parts.bar, parts.finder, parts.checker
    latest: dict[str, Any] = {"trigger_mode": "always_last", **PRIVATE}

    parts.experiments.chosen(handlers.fill, None, [parts.experiments, *form], **latest)
    parts.go.click(
        handlers.start,
        [owner, key, *form],
        bar,
        js="(owner, experiment, ...form) => [...gnet.train.sides(), ...gnet.train.within(form)]",
        concurrency_limit=4,
        **PRIVATE,
    )
    for part in (bar, parts.table):
        steered = part.steer(handlers.steer, None, None, concurrency_limit=8, **PRIVATE)
        steered.success(None, js="() => gnet.train.refresh()", api_visibility="private")
    changes = [part.change for part in form]
    gr.on(changes, None, js="() => gnet.train.formed()", api_visibility="private")

    experiment = {
        "js": "(experiment, ...form) => [gnet.train.state.experiment, ...gnet.train.within(form)]"
    }
    checker.check(handlers.check, [key, *form], [checker, parts.go], **experiment, **latest)
    checker.lock(handlers.lock, [key, *form], form, **experiment, **latest)
    # Those who wait for their turn hold one of the server's forty threads each.
    measured: dict[str, Any] = {**experiment, "concurrency_limit": 8, **PRIVATE}
    # A new question takes back the one before: `Measuring` ends it.
    finder.estimate(
        handlers.estimate, [key, *form], [parts.go, finder], trigger_mode="multiple", **measured
    )
    settle(finder.find(handlers.find_rate, [key, *form], finder, **measured), "find")
    names = [shown.name for shown in train_form.FIELDS]
    finder.use(handlers.use_rate, None, form[names.index("learning_rate")], **PRIVATE)

    parts.pictures.uploaded(handlers.add_zips, None, form[names.index("data")], **PRIVATE).success(
        None, js="() => document.dispatchEvent(new Event('gnet-look-data'))", **PRIVATE
    )
    looked = parts.pictures.look(
        handlers.look,
        form,
        parts.preview,
        js="(...form) => gnet.train.within(form)",
        concurrency_limit=2,
        **PRIVATE,
    )
    settle(looked, "data")


def _described(experiment: Experiment) -> dict[str, Any]:
    """An experiment as its button shows it."""
    return {
        "key": experiment.key,
        "title": experiment.title,
        "line": experiment.line,
        "see": experiment.see,
        "look": experiment.look,
        "before": experiment.before,
        "own": experiment.own_data,
        "runs": [name for name, _ in experiment.runs],
    }
