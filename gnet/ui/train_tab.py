"""The Train tab: a question or a form, the run as it goes, and the runs so far.

A run lives in a process and a folder of its own; the page only follows it.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import asdict
from functools import lru_cache
from typing import Any

import gradio as gr

from gnet.catalogue import is_missing
from gnet.errors import GnetError
from gnet.finder import estimate, find_rate
from gnet.offers import Offers
from gnet.presets import PRESETS, Preset
from gnet.preview import thinned
from gnet.reviews import Reviews
from gnet.run_folder import PINNED
from gnet.run_limits import RunLimits
from gnet.runs import Runs
from gnet.train_config import TrainConfig
from gnet.ui import data_tab, review_tab, train_form
from gnet.ui.asking import MODEL, QUIET, as_text, settle
from gnet.ui.components import drawing
from gnet.ui.lab import cut
from gnet.ui.speech import spoken
from gnet.ui.train_rows import after_runs, described

_MOST_LAID = 12
"""Runs of others that a page may list."""
SIDES = ("owner", "preset")
"""What is sent with the form; the page's script fills it in."""


def build(runs: Runs, reviews: Reviews, offers: Offers) -> None:
    """Put the tab's components and events where the caller stands."""

    def meant(values: Any) -> list[Any]:
        return data_tab.filled(offers, values)

    first = next(iter(PRESETS.values()))

    def fill(event: gr.EventData) -> list[Any]:
        with spoken():
            preset = _preset(_asked(event).get("key"))
            values = train_form.form_values(preset.runs[0][1])
            # Where the pictures are for the person to choose, those chosen stay.
            return [gr.skip(), *values[1:]] if preset.own_data else values

    def start(owner: str, key: str, *values: Any) -> str:
        with spoken():
            return as_text({"run": begin(runs, owner, _preset(key), meant(values))})

    def steer(event: gr.EventData) -> None:
        with spoken():
            _steer(runs, _asked(event))

    def guess(key: str, *values: Any) -> tuple[Any, str]:
        # Asked by the page itself, not by a person: a refusal is told beside the button.
        told = _answered(lambda: {"label": start_label(runs, _preset(key), meant(values))})
        trouble = told.get("error", "")
        return gr.update(value=told.get("label", "Start")), as_text({"trouble": trouble})

    def find(key: str, *values: Any) -> str:
        with spoken():
            config = admitted(runs, _preset(key), meant(values))
            return as_text(asdict(find_rate(thinned(config)[0])))

    def use(event: gr.EventData) -> Any:
        return _asked(event).get("rate")

    def follow(asked: Any) -> dict[str, Any]:
        return _answered(lambda: _followed(runs, asked))

    def listed(asked: Any) -> dict[str, Any]:
        return _answered(
            lambda: {"rows": described(runs.list(asked["owner"], asked["also"][:_MOST_LAID]))}
        )

    def pinned(asked: Any) -> dict[str, Any]:
        return _answered(lambda: {"src": pinned_picture(runs, asked["run"])})

    def after(asked: Any) -> dict[str, Any]:
        return _answered(lambda: {"after": after_runs(runs, asked["run"], asked["owner"])})

    with gr.Row(elem_id="train"):
        with gr.Column(elem_id="train-left"):
            presets = drawing("train-presets", presets=[_described(p) for p in PRESETS.values()])
            pictures = data_tab.place(offers, runs.limits.enabled)
            form = _form(first.runs[0][1], runs.limits, data_tab.known(offers), pictures)
            finder = drawing("train-find", enabled=runs.limits.enabled)
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
            bar = drawing("train-bar", server_functions=[follow, listed, after])
            drawing("train-plots")
            table = drawing("train-runs")
            review_tab.build(runs, reviews)
            drawing("train-inside", server_functions=[pinned])
    owner, key = (gr.Textbox(visible=False, label=name) for name in SIDES)

    private: dict[str, Any] = {"api_visibility": "private", **QUIET}
    presets.chosen(fill, None, form, trigger_mode="always_last", **private)
    go.click(
        start,
        [owner, key, *form],
        bar,
        js="(owner, preset, ...form) => [...gnet.train.sides(), ...form]",
        concurrency_limit=4,
        **private,
    )
    for part in (bar, table):
        steered = part.steer(steer, None, None, concurrency_limit=8, **private)
        steered.success(None, js="() => gnet.train.refresh()", api_visibility="private")
    for part in form:
        part.change(None, js="() => gnet.train.formed()", api_visibility="private")
    with_preset = "(preset, ...form) => [gnet.train.state.preset, ...form]"
    finder.estimate(
        guess,
        [key, *form],
        [go, finder],
        js=with_preset,
        trigger_mode="always_last",
        **MODEL,
        **private,
    )
    found = finder.find(find, [key, *form], finder, js=with_preset, **MODEL, **private)
    settle(found, "find")
    rate = form[[shown.name for shown in train_form.FIELDS].index("learning_rate")]
    finder.use(use, None, rate, **private)


def _form(
    config: TrainConfig, limits: RunLimits, data: list[tuple[str, str]], pictures: gr.HTML
) -> list[Any]:
    """The components, in the order of `train_form.FIELDS`."""
    most = {"epochs": limits.max_epochs, "size": limits.max_size}

    def row(fields: Any) -> list[Any]:
        return [train_form.component(shown, config, data, most) for shown in fields]

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


def begin(runs: Runs, owner: str, preset: Preset, values: Any) -> str:
    """Start the preset's runs with what the form holds; the id of the first.

    Fields in which the preset's runs differ stay as each of them has it.
    """
    configs = [config for _, config in preset.runs]
    kept = train_form.differing(configs)
    wanted = [(name, train_form.filled(config, values, kept)) for name, config in preset.runs]
    taken = {row["name"] for row in runs.list(owner)}
    ids = []
    for name, config in wanted:
        ids.append(runs.start(config, name=_free(name, taken), owner=owner, preset=preset.key))
    return ids[0]


def admitted(runs: Runs, preset: Preset, values: Any) -> TrainConfig:
    """The preset's first run with what the form holds, as far as this server allows it.

    Raises `GnetError` where its pictures would have to be downloaded first.
    """
    config = train_form.filled(preset.runs[0][1], values)
    if is_missing(config.data):
        raise GnetError(
            f"The pictures of {config.data} are not on this machine; a run downloads them first."
        )
    return runs.limits.admitted(config, runs.folder)


def start_label(runs: Runs, preset: Preset, values: Any) -> str:
    """What the button says: how long an epoch takes here, measured on a few steps."""
    seconds = _seconds_per_epoch(admitted(runs, preset, values))
    return f"Start: about {_spoken_time(seconds)} an epoch"


@lru_cache(maxsize=64)
def _seconds_per_epoch(config: TrainConfig) -> float:
    few, times = thinned(config)  # the server need not hold a whole zip
    return times * estimate(few).seconds_per_epoch


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


def _followed(runs: Runs, asked: Any) -> dict[str, Any]:
    return runs.follow(asked["run"], asked["since"], asked["owner"])


def _answered(ask: Any) -> dict[str, Any]:
    """What is asked outside Gradio's queue; a refusal is an answer there, too."""
    try:
        return ask()
    except GnetError as error:
        return {"error": str(error)}
    except (KeyError, TypeError):
        return {"error": "That is no question this page asks."}


def _asked(event: gr.EventData) -> dict[str, Any]:
    return event._data if isinstance(event._data, dict) else {}


def _preset(key: Any) -> Preset:
    if key not in PRESETS:
        raise GnetError(f"There is no preset {cut(key)!r}; there are {', '.join(PRESETS)}.")
    return PRESETS[key]


def _described(preset: Preset) -> dict[str, Any]:
    """A preset as its button shows it."""
    names = [name for name, _ in preset.runs]
    said = {"key": preset.key, "title": preset.title, "line": preset.line}
    return said | {"before": preset.before, "runs": names}


def _spoken_time(seconds: float) -> str:
    if seconds < 1:
        return "half a second" if seconds > 0.3 else "an instant"
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
