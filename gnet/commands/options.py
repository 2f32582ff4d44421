"""Command-line options made from the fields of the configs, so that a range exists once."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import Field, fields
from typing import Any

from gnet.errors import GnetError
from gnet.explain.attribution.options import PLACE, RECORDS, every_option
from gnet.network.config import PRESETS, ModelConfig
from gnet.runs.train_config import TrainConfig
from gnet.words import listed

PRESET = "batch-norm"
_DECIDED_BY_DATA = ("num_classes",)
_YES_NO = {True: "yes", False: "no"}
_WRITTEN = {"stage": "module"}
"""Options of a method that are written otherwise than their field."""
_METAVARS = {bool: "yes|no", int: "N", float: "NUMBER", str: "TEXT"}


def add_train_options(parser: argparse.ArgumentParser, only: Sequence[str] = ()) -> None:
    """One option for each field of `TrainConfig`, or for those named in `only`."""
    group = parser.add_argument_group("the run")
    for f in fields(TrainConfig):
        if f.name != "model" and (not only or f.name in only):
            _add(group, f, default=_told(f.default))


def add_model_options(parser: argparse.ArgumentParser) -> None:
    """`--preset`, and one option for each field of `ModelConfig` that changes it."""
    group = parser.add_argument_group("the network")
    group.add_argument(
        "--preset", metavar="CHOICE", help=f"start from {', '.join(PRESETS)} (default {PRESET})"
    )
    for f in fields(ModelConfig):
        if f.name not in _DECIDED_BY_DATA:
            _add(group, f, default="default: the preset's")


def add_method_options(parser: argparse.ArgumentParser) -> None:
    """One option for each option of an attribution method."""
    group = parser.add_argument_group("the method")
    for name, f in every_option().items():
        if name not in PLACE:
            _add(group, f, default=f"{_told(f.default)}; {', '.join(_having(name))}")


def method_options(arguments: argparse.Namespace) -> dict[str, Any]:
    """The options given for a method, by name."""
    given = {name: getattr(arguments, name) for name in every_option()}
    return {
        name: value if name in PLACE else _read(name, value, every_option()[name].default)
        for name, value in given.items()
        if value is not None
    }


def check_method_options(arguments: argparse.Namespace) -> None:
    """Raise `GnetError` for an option that the method does not take; it says which ones do."""
    record = RECORDS.get(arguments.method)
    if record is None:
        return  # what there is instead is said where the method is looked up
    for name in every_option():
        value = getattr(arguments, name)
        if value is None or name in {f.name for f in fields(record)}:
            continue
        if (name, value) == ("branch", "all"):
            continue  # grad-cam of every branch, checked where it is drawn
        option = "--" + _WRITTEN.get(name, name.replace("_", "-"))
        having = _having(name)
        raise GnetError(
            f"{option} {value} was given with {arguments.method}, which does not take it; "
            f"{listed(having)} {'does' if len(having) == 1 else 'do'}."
        )


def train_config(arguments: argparse.Namespace) -> TrainConfig:
    """The run that the options ask for; raises `GnetError` for values out of range."""
    given = getattr(arguments, "preset", None)
    model = ModelConfig.preset(given or PRESET, **_given(ModelConfig, arguments))
    return TrainConfig(model=model, **_given(TrainConfig, arguments))


def given_options(arguments: argparse.Namespace) -> list[str]:
    """The options above that were given, as they are written."""
    names = ["preset", *(f.name for config in (TrainConfig, ModelConfig) for f in fields(config))]
    present = [name for name in names if getattr(arguments, name, None) is not None]
    return [f"--{name.replace('_', '-')}" for name in present]


def _having(option: str) -> list[str]:
    """The methods that take an option."""
    return [name for name, one in RECORDS.items() if option in {f.name for f in fields(one)}]


def _given(config: type, arguments: argparse.Namespace) -> dict[str, Any]:
    values = {f.name: getattr(arguments, f.name, None) for f in fields(config)}
    return {
        name: _read(name, text, getattr(config, name, None))
        for name, text in values.items()
        if text is not None
    }


def _read(name: str, text: str, default: Any) -> Any:
    """The value a field's text stands for, by the type of its default."""
    kind = type(default)
    if kind is bool:
        if text.lower() not in ("yes", "no"):
            raise GnetError(f"{name} is {text!r}; allowed are yes and no.")
        return text.lower() == "yes"
    try:
        return kind(text)
    except ValueError:
        numbers = "whole numbers" if kind is int else "numbers"
        raise GnetError(f"{name} is {text!r}; allowed are {numbers}.") from None


def _told(default: Any) -> str:
    """What a field has when nothing is given, as the help says it."""
    if default == "":
        return "empty by default"
    return f"default {_YES_NO[default]}" if isinstance(default, bool) else f"default {default}"


def _add(group: Any, f: Field, *, default: str) -> None:
    meta = f.metadata
    allowed, stands_for = "", _METAVARS[type(f.default)]
    if meta.get("choices"):
        allowed, stands_for = ": " + ", ".join(str(c) for c in meta["choices"]), "CHOICE"
    elif meta.get("min") is not None:
        allowed = f", {meta['min']:,} to {meta['max']:,}"
    text = f"{meta['help']}{allowed} ({default})".replace("%", "%%")
    group.add_argument(f"--{f.name.replace('_', '-')}", dest=f.name, metavar=stands_for, help=text)
