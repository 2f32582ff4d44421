"""The form a run is asked for with: which fields it shows, made from the configs' own ranges.

Knows nothing of runs; what the form does not show stays as the experiment has it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import Field, dataclass, fields, replace
from typing import Any

import gradio as gr

from gnet.data.catalogue import TORCHVISION
from gnet.errors import FieldError
from gnet.network.config import BRANCHES, ModelConfig
from gnet.runs.train_config import TrainConfig

MODEL = "model."
"""What stands before the name of a field of the network."""


@dataclass(frozen=True, kw_only=True)
class Shown:
    """How the form shows a config's field."""

    name: str
    label: str
    low: float | None = None
    high: float | None = None
    """A narrower range than the config's, and a slider in place of a number."""
    step: float = 1
    words: tuple[str, ...] = ()
    """What the config's choices are called, in their order."""

    @property
    def short(self) -> str:
        """The label without its unit or remark, as sentences name the field."""
        return re.split(r", | \(", self.label)[0]


BASIC = (
    Shown(name="per_class", label="Pictures per class (0 = all)", low=0, high=1000, step=20),
    Shown(name="model.width", label="Width", low=0.25, high=1, step=0.05),
    Shown(name="size", label="Input, px", low=32, high=320, step=16),
    Shown(name="epochs", label="Epochs", low=1, high=100),
    Shown(name="learning_rate", label="Learning rate"),
)
HEADS = (
    Shown(name="model.aux", label="Auxiliary heads"),
    Shown(name="aux1_weight", label="Weight of aux1", low=0, high=1, step=0.05),
    Shown(name="aux2_weight", label="Weight of aux2", low=0, high=1, step=0.05),
)
NETWORK = (
    Shown(name="model.kernel_5x5", label="“5×5” kernel", words=("5×5", "3×3")),
    Shown(name="model.left_out", label="Branches left out"),
    Shown(name="model.norm", label="Normalisation"),
    Shown(name="model.order", label="Order", words=("conv, norm, ReLU", "norm, ReLU, conv")),
    Shown(name="model.init", label="First weights", words=("He", "Xavier", "normal 0.01")),
    Shown(name="model.dropout", label="Dropout", low=0, high=0.9, step=0.05),
)
LEARNING = (
    Shown(name="optimiser", label="Optimiser", words=("Adam", "AdamW", "Muon", "SGD")),
    Shown(name="schedule", label="Schedule", words=("one cycle", "cosine", "constant")),
    Shown(name="batch", label="Pictures per step", low=8, high=256, step=8),
    Shown(name="weight_decay", label="Weight decay"),
    Shown(name="augment", label="Random crops and flips"),
    Shown(name="gradients_every", label="Steps between gradients"),
    Shown(name="seed", label="Seed"),
)
BEGIN = (
    Shown(name="start", label="Weights"),
    Shown(name="train_only", label="Train", words=("all", "the heads", "heads, 5a and 5b")),
)
_SHORT = 12
"""Letters that choices side by side have room for."""
STARTS = (("from scratch", ""), ("from the bundled network", "everyday"))
FIELDS = (Shown(name="data", label="Pictures"), *BASIC, *HEADS, *NETWORK, *LEARNING, *BEGIN)
"""Every field of the form, in the order in which their values travel."""


def known_data() -> list[tuple[str, str]]:
    """The data sets known by name: what to call them, and the name."""
    named = [(entry.label, name) for name, entry in TORCHVISION.items()]
    return [("ten patterns, built in", "built-in"), *named]


def component(
    shown: Shown, config: TrainConfig, data: list[tuple[str, str]], most: Mapping[str, int]
) -> Any:
    """The Gradio component for a field, with its value in `config`; `most`: a server's limits."""
    value = allowed(shown, to_form(shown.name, value_of(config, shown.name)), most)
    meta = field_of(shown.name).metadata
    common: dict[str, Any] = {"label": shown.label, "value": value, "interactive": True}
    common |= {"elem_id": f"form-{shown.name.replace('.', '-').replace('_', '-')}"}
    if shown.name == "data":
        return gr.Dropdown(data, filterable=False, **common)
    if shown.name == "start":
        return gr.Dropdown(list(STARTS), filterable=False, **common)
    if shown.name == "model.left_out":
        return gr.CheckboxGroup([(b.replace("x", "×"), b) for b in BRANCHES], **common)
    if isinstance(value, bool):
        return gr.Checkbox(**common)
    if choices := meta["choices"]:
        pairs = list(zip(shown.words or choices, choices, strict=True))
        if len("".join(word for word, _ in pairs)) < _SHORT:
            return gr.Radio(pairs, **common)
        return gr.Dropdown(pairs, filterable=False, **common)
    if span := span_of(shown, most):
        return gr.Slider(*span, step=shown.step, **common)
    return gr.Number(step=1 if meta_is_whole(shown.name) else 0.0001, **common)


def span_of(shown: Shown, most: Mapping[str, int]) -> tuple[float, float] | None:
    """From where to where a slider goes; None for what is none. `most`: a server's limits."""
    if shown.low is None or shown.high is None:
        return None
    return shown.low, max(shown.low, min(shown.high, most.get(shown.name) or shown.high))


def allowed(shown: Shown, value: Any, most: Mapping[str, int]) -> Any:
    """A value to fill in, made small enough for its slider."""
    span = span_of(shown, most)
    return value if span is None else min(value, span[1])


def field_of(name: str) -> Field[Any]:
    """The config's field that a name of the form stands for."""
    kind = ModelConfig if name.startswith(MODEL) else TrainConfig
    return next(f for f in fields(kind) if f.name == name.removeprefix(MODEL))


def meta_is_whole(name: str) -> bool:
    """Whether the field takes whole numbers only."""
    return field_of(name).type in ("int", int)


def value_of(config: TrainConfig, name: str) -> Any:
    """A field's value in a config."""
    return getattr(config.model if name.startswith(MODEL) else config, name.removeprefix(MODEL))


def to_form(name: str, value: Any) -> Any:
    """A config's value as its component holds it."""
    if name == "model.left_out":
        return [branch for branch in value.split(",") if branch]
    return value


def form_values(config: TrainConfig) -> dict[str, Any]:
    """What the components hold for `config`, by field."""
    return {shown.name: to_form(shown.name, value_of(config, shown.name)) for shown in FIELDS}


def named(values: Sequence[Any]) -> dict[str, Any]:
    """The components' values, as Gradio hands them over in the order of `FIELDS`, by field."""
    return dict(zip((shown.name for shown in FIELDS), values, strict=True))


def filled(base: TrainConfig, values: Mapping[str, Any], kept: Sequence[str] = ()) -> TrainConfig:
    """`base` with what the form holds, but for the fields in `kept`; raises `GnetError`."""
    changes: dict[str, Any] = {}
    network: dict[str, Any] = {}
    for shown in FIELDS:
        if shown.name in values and shown.name not in kept:
            place = network if shown.name.startswith(MODEL) else changes
            place[shown.name.removeprefix(MODEL)] = _from_form(shown, values[shown.name])
    return replace(base, model=replace(base.model, **network), **changes)


def _from_form(shown: Shown, value: Any) -> Any:
    if shown.name == "model.left_out":
        given = value if isinstance(value, list) else []
        return ",".join(branch for branch in BRANCHES if branch in given)
    kind = field_of(shown.name).type
    if kind in ("str", str):
        if value is None:
            raise FieldError(shown.name.removeprefix(MODEL), None, "the choices listed")
        return str(value)
    if meta_is_whole(shown.name) and isinstance(value, float) and value.is_integer():
        return int(value)
    if kind in ("float", float) and type(value) is int:  # JSON has no 0.0
        return float(value)
    return value


def differing(configs: Sequence[TrainConfig]) -> list[str]:
    """The names of all fields, shown or not, in which these configs differ."""
    names = [f.name for f in fields(TrainConfig) if f.name != "model"]
    names += [MODEL + f.name for f in fields(ModelConfig)]
    return [name for name in names if len({repr(value_of(c, name)) for c in configs}) > 1]
