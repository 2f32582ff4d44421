"""The start of a run: its pictures, and a network with random or given weights.

Knows nothing of how it is trained.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from gnet.data.augmentation import THUMBNAIL
from gnet.data.datasets import Dataset, open_dataset, train_and_tune
from gnet.errors import FieldError, GnetError
from gnet.network.config import EXITS, HEADS, PROBE, TRAINED, UNTRAINED
from gnet.network.info import ModelInfo, Preprocessing
from gnet.network.model import GoogLeNet
from gnet.network.weights import load
from gnet.runs.events import RunStarted
from gnet.runs.folder import RunFolder
from gnet.runs.train_config import TrainConfig
from gnet.system.progress import Progress
from gnet.training.distillation.answers import MatchedAnswers, TeacherAnswers, match
from gnet.training.optimisation import head_weights
from gnet.training.precision import Machine, chosen_precision

_HEADS = ("aux1", "aux2", "dropout", "fc", "outputs")
_TRAINED_PARTS = {
    "heads": _HEADS,
    "heads and 5a, 5b": (*_HEADS, "inception5a", "inception5b", "last_norm", "last_relu"),
}
"""`train_only` → the trained parts of the network; "all" has no entry."""


def open_splits(config: TrainConfig, progress: Progress | None) -> tuple[Dataset, Dataset]:
    """The training set and the validation set; neither is empty."""
    if config.tune:
        data, val = train_and_tune(config.data, **_options(config, progress))
    else:
        data, val = (open_split(config, split, progress) for split in ("train", "val"))
    if len(val) == 0:
        raise GnetError("The data set has no pictures for validation; at least one is needed.")
    if config.pinned >= len(val):
        raise FieldError("pinned", config.pinned, f"whole numbers from -1 to {len(val) - 1}")
    return data, val


def open_split(config: TrainConfig, split: str, progress: Progress | None = None) -> Dataset:
    """One split of the run's data set, as the run takes it."""
    return open_dataset(config.data, split, **_options(config, progress))


def _options(config: TrainConfig, progress: Progress | None) -> dict[str, Any]:
    return {
        "classes": config.chosen_classes(),
        "per_class": config.per_class or None,
        "size": config.size,
        "seed": config.seed,
        "progress": progress,
    }


def open_answers(config: TrainConfig, data: Dataset) -> MatchedAnswers | None:
    """A teacher's answers to pictures of `data`; None where the run learns from labels alone."""
    return match(TeacherAnswers.load(config.answers), data) if config.answers else None


def first_weights(config: TrainConfig) -> GoogLeNet | None:
    """The weights in `config.start`; None where the run starts from random weights."""
    return load(config.start) if config.start else None


def resolved(
    config: TrainConfig, classes: int, weights: GoogLeNet | None, machine: Machine
) -> TrainConfig:
    """The config with what data, weights and machine decide: classes, network, precision."""
    model = weights.config if weights else config.model
    config = replace(config, model=replace(model, num_classes=classes))
    return replace(config, precision=chosen_precision(config, machine))


def first_network(
    config: TrainConfig,
    classes: tuple[str, ...],
    weights: GoogLeNet | None,
    families: tuple[str, ...] = (),
) -> GoogLeNet:
    """The network before the first step, for a `resolved` config.

    It starts with all tensors of `weights` that fit. In the last layer of each head, classes that
    the weights know keep their rows; the rows of all others are new.
    """
    torch.manual_seed(config.seed)
    info = ModelInfo(
        name=f"trained on {Path(config.data).name}",
        classes=classes,
        families=families,
        preprocessing=_for_training(Preprocessing(), config),
        heads=grown({}, heads_in_training(config)),
    )
    model = GoogLeNet(config.model, info)
    if weights:
        preprocessing = _for_training(weights.info.preprocessing, config)
        state = weights.state_dict()
        if weights.info.classes == classes:
            heads = grown(weights.info.heads, info.heads)
            info = replace(info, heads=heads, families=families or weights.info.families)
        else:
            _match_rows(state, model.state_dict(), weights.info.classes, classes)
        model.load_state_dict(state, strict=False)
        model.info = replace(info, preprocessing=preprocessing)
    return model


def _match_rows(
    state: dict[str, Tensor],
    fresh: dict[str, Tensor],
    before: tuple[str, ...],
    now: tuple[str, ...],
) -> None:
    """Give the last layers in `state` a row for each class of `now`: its own, or a fresh one."""
    known = [(row, before.index(name)) for row, name in enumerate(now) if name in before]
    for name in list(state):
        if name.startswith(("fc.", "aux1.fc2.", "aux2.fc2.")):
            old = state.pop(name)
            if name in fresh:
                state[name] = fresh[name].clone()
                for row, source in known:
                    state[name][row] = old[source]


def _for_training(preprocessing: Preprocessing, config: TrainConfig) -> Preprocessing:
    """The preprocessing of the run's pictures; with `thumbnails` 1 all of them are thumbnails."""
    thumbnail = THUMBNAIL if config.augment and config.thumbnails == 1 else 0
    return replace(preprocessing, size=config.size, thumbnail=thumbnail)


def heads_in_training(config: TrainConfig) -> dict[str, str]:
    """The heads whose loss has a weight, and their status after training.

    A head on frozen features becomes a probe.
    """
    weights = head_weights(config)
    parts = _TRAINED_PARTS.get(config.train_only)
    present = HEADS if config.model.aux else ("main",)
    return {
        head: TRAINED if parts is None or f"inception{EXITS[head]}" in parts else PROBE
        for head in present
        if weights[head] > 0
    }


def grown(before: dict[str, str], now: dict[str, str]) -> dict[str, str]:
    """The status of each head, given its status `before` and in the training `now`.

    The status never falls: a head that was trained with the network stays trained.
    """
    order = (UNTRAINED, PROBE, TRAINED)
    return {
        head: max(before.get(head, UNTRAINED), now.get(head, UNTRAINED), key=order.index)
        for head in HEADS
    }


def frozen(model: GoogLeNet, config: TrainConfig) -> list[nn.Module]:
    """The parts of the network that `train_only` does not train."""
    parts = _TRAINED_PARTS.get(config.train_only)
    if parts is None:
        return []
    return [module for name, module in model.named_children() if name not in parts]


def check_same_run(
    folder: RunFolder, begun: RunStarted, classes: tuple[str, ...], steps: int
) -> None:
    """Raise `GnetError` unless a resumed run has the classes and steps it `begun` with."""
    if (begun.classes, begun.steps) != (classes, steps):
        raise GnetError(
            f"The run in {folder.path} started with {len(begun.classes)} classes and {begun.steps} "
            f"steps and would resume with {len(classes)} classes and {steps} steps; only the same "
            "data, config and number of processes are allowed."
        )
