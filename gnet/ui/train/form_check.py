"""What a form asks for with a question's runs, and its messages field by field.

What the runs settle themselves (in what they differ, what bundled weights bring along) cannot be
set: the form shows what will run. Knows nothing of components.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from gnet.errors import FieldError, GnetError
from gnet.network.config import BRANCHES, ModelConfig
from gnet.network.weights import load
from gnet.runs.experiments import Experiment
from gnet.runs.train_config import TrainConfig
from gnet.serving.limits import RunLimits
from gnet.system.paths import without_paths
from gnet.ui.train.form import (
    BASIC,
    FIELDS,
    HEADS,
    MODEL,
    NETWORK,
    STARTS,
    Shown,
    differing,
    field_of,
    filled,
    form_values,
    meta_is_whole,
    to_form,
    value_of,
)
from gnet.words import listed, some

HARMLESS = (
    "seed",
    "threads",
    "checkpoint_seconds",
    "max_minutes",
    "pinned",
    "gradients_every",
)
"""Fields in which a run may differ from its question's and still answer it."""
BUILT_IN = "built-in"
_BUNDLED = "As in the bundled network."
_FAST = 1.0
"""A learning rate above this is worth a word."""
_SHOWN = {shown.name: shown for shown in FIELDS}
_NETWORK = tuple(shown.name for shown in FIELDS if shown.name.startswith(MODEL))


@dataclass(frozen=True, kw_only=True)
class Checked:
    """A form as it is filled in; fields by their names."""

    troubles: dict[str, str]
    """Field → why it cannot be so, one sentence; under "" what is wrong with the whole."""
    notes: dict[str, str]
    """Field → a word beside it: why it cannot be set, or what to expect of it."""
    locked: dict[str, Any]
    """Field that cannot be set → what it holds, as its component has it."""
    changed: tuple[str, ...]
    """Labels of the fields by which the runs are no longer the question's."""


def check(
    experiment: Experiment, values: Mapping[str, Any], limits: RunLimits | None = None
) -> Checked:
    """The messages to a form that holds `values`, by field."""
    locked, notes = _locks(experiment, values)
    troubles = _wrong(values, locked)
    notes |= {n: text for n, text in _advice(values).items() if n not in locked | troubles}
    changed: tuple[str, ...] = ()
    if not troubles:
        try:
            runs = wanted(experiment, values)
            for _, config in runs:
                _check_limits(config, limits or RunLimits(), troubles)
            changed = departures(experiment, [config for _, config in runs])
            if experiment.own_data and values["data"] == BUILT_IN:
                notes["data"] = "Upload a zip of your pictures; until then the patterns stand in."
        except GnetError as error:
            troubles |= _placed(error)
    return Checked(troubles=troubles, notes=notes, locked=locked, changed=changed)


def wanted(experiment: Experiment, values: Mapping[str, Any]) -> list[tuple[str, TrainConfig]]:
    """The question's runs with what the form holds; raises `GnetError` with the field's label.

    In what the runs differ each stays as the question has it, and where one of them begins from
    weights all have the network of those.
    """
    locked, _ = _locks(experiment, values)
    for sentence in _wrong(values, locked).values():
        raise GnetError(sentence)
    given = {**values, **locked}
    kept = differing([config for _, config in experiment.runs])
    try:
        return [(name, filled(config, given, kept)) for name, config in experiment.runs]
    except GnetError as error:
        raise GnetError(next(iter(_placed(error).values()))) from None


def form_sentence(troubles: Mapping[str, str], changed: Sequence[str]) -> str:
    """The sentence beside the start button; at each field stands what is wrong with it."""
    if troubles.get(""):
        return troubles[""]
    if troubles:
        return f"To start, correct {listed(_label(name) for name in troubles)}."
    if changed:
        return f"Changed: {some(changed, 4)}. The run no longer answers the experiment's question."
    return ""


def refusal(error: FieldError) -> str:
    """A field's error with the label that the form gives it."""
    return next(iter(_placed(error).values()))


def departures(experiment: Experiment, configs: Sequence[TrainConfig]) -> tuple[str, ...]:
    """Labels of the fields by which `configs` are no longer the question's runs."""
    harmless = {*HARMLESS, "data"} if experiment.own_data else set(HARMLESS)
    names: dict[str, None] = {}
    for (_, own), config in zip(experiment.runs, configs, strict=True):
        names |= dict.fromkeys(differing([own, config]))
    return tuple(_label(name) for name in names if name not in harmless)


def _locks(
    experiment: Experiment, given: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, str]]:
    """The fields that cannot be set: what they hold, and a word why."""
    configs = [config for _, config in experiment.runs]
    kept = [name for name in differing(configs) if name in _SHOWN]
    first = form_values(configs[0])
    locked = {name: first[name] for name in kept}
    notes = {name: _each(name, experiment) for name in kept}

    def lock(names: Sequence[str], holds: Mapping[str, Any], why: str) -> None:
        for name in names:
            if name not in locked:
                locked[name] = holds[name]
                notes.update({name: why} if why else {})

    starts = [config.start for config in configs] if "start" in kept else [given["start"]]
    begins = [start for start in starts if start and start in dict(STARTS).values()]
    if begins:
        network = TrainConfig(model=_network(begins[0]))
        shown = {name: to_form(name, value_of(network, name)) for name in _NETWORK}
        for part in (BASIC, HEADS, NETWORK):  # one word for each part of the form
            names = [field.name for field in part if field.name in _NETWORK]
            lock(names[:1], shown, _BUNDLED)
            lock(names[1:], shown, "")
    else:
        lock(("train_only",), {"train_only": "all"}, "All: it begins from scratch.")
    if "5x5" in (locked.get("model.left_out", given["model.left_out"]) or ()):
        lock(("model.kernel_5x5",), given, "The branch is left out.")
    return locked, notes


@cache
def _network(start: str) -> ModelConfig:
    """The network that named weights bring along."""
    return load(start).config


def _each(name: str, experiment: Experiment) -> str:
    """How the question's runs have a field, in their order."""
    values = [_word(name, value_of(config, name)) for _, config in experiment.runs]
    return f"Each run has its own: {' · '.join(values)}."


def _word(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    choices = field_of(name).metadata["choices"]
    if name == "start":
        return "bundled network" if value else "scratch"
    if _SHOWN[name].words and value in choices:
        return _SHOWN[name].words[choices.index(value)]
    return str(value).replace("x", "×") or "none"


def _wrong(values: Mapping[str, Any], locked: Mapping[str, Any]) -> dict[str, str]:
    """Field → why what it holds is nothing it can hold."""
    return {
        shown.name: sentence
        for shown in FIELDS
        if shown.name not in locked and (sentence := _refusal(shown, values[shown.name]))
    }


def _refusal(shown: Shown, value: Any) -> str:
    """Why a field cannot hold `value`; empty if it can."""
    if shown.name == "model.left_out" and isinstance(value, list) and {*BRANCHES} <= {*value}:
        return f"{shown.label}: all four were given; at least one must stay."
    if shown.name == "train_only":  # allowed or not only together with `start`
        return ""
    try:
        filled(TrainConfig(), {shown.name: value})
    except FieldError as error:
        return _sentence(shown, error.given, _span(shown) or error.allowed)
    except GnetError as error:
        return without_paths(str(error))
    return ""


def _span(shown: Shown) -> str:
    """What a slider allows, which is less than a config does; empty for what is none."""
    if shown.low is None or shown.high is None:
        return ""
    kind = "whole numbers" if meta_is_whole(shown.name) else "numbers"
    return f"{kind} from {shown.low:g} to {shown.high:g}"


def _sentence(shown: Shown, given: Any, allowed: str) -> str:
    words = "nothing" if given is None else f"{given:.10g}" if _is_number(given) else repr(given)
    return f"{_label(shown.name)}: {words} was given; allowed are {allowed}."


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _advice(values: Mapping[str, Any]) -> dict[str, str]:
    """Field → what to expect of a value that is allowed and rarely useful."""
    rate = values["learning_rate"]
    if isinstance(rate, int | float) and rate > _FAST:
        return {"learning_rate": f"Above {_FAST:g} hardly any network learns."}
    return {"learning_rate": "At 0 nothing is learnt."} if rate == 0 else {}


def _check_limits(config: TrainConfig, limits: RunLimits, troubles: dict[str, str]) -> None:
    if not limits.enabled:
        return
    try:
        limits.check_memory(config)
    except GnetError as error:
        troubles["batch"] = str(error)
        return
    try:
        limits.admitted(config)
    except GnetError as error:
        troubles |= _placed(error)


def _placed(error: GnetError) -> dict[str, str]:
    """An error's sentence at the field it is about and with its label; else under ""."""
    if isinstance(error, FieldError):
        for name in (error.field, MODEL + error.field):
            if name in _SHOWN:
                return {name: without_paths(_sentence(_SHOWN[name], error.given, error.allowed))}
    return {"": without_paths(str(error))}


def _label(name: str) -> str:
    if name not in _SHOWN:
        return name.removeprefix(MODEL).replace("_", " ")
    return _SHOWN[name].short
