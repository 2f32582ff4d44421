"""The network a run begins with: drawn at random, or taken over from weights.

Knows nothing of how it is trained.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from gnet.config import HEADS, TRAINED, UNTRAINED, ModelInfo, Preprocessing
from gnet.model import GoogLeNet
from gnet.optimisation import head_weights
from gnet.train_config import TrainConfig
from gnet.weights import load


def settled(config: TrainConfig, classes: int) -> TrainConfig:
    """The config with what the data set and the first weights decide filled in: the network."""
    model = load(config.start).config if config.start else config.model
    return replace(config, model=replace(model, num_classes=classes))


def first_network(config: TrainConfig, classes: tuple[str, ...]) -> GoogLeNet:
    """The network before the first step, for a config that is `settled`.

    With `config.start` all tensors that fit are taken over; the last layer of each head is new
    unless the weights were trained on the very same classes.
    """
    torch.manual_seed(config.seed)
    model = GoogLeNet(config.model, _info(config, classes))
    if config.start:
        begun = load(config.start)
        model.info = replace(
            model.info, preprocessing=replace(begun.info.preprocessing, size=config.size)
        )
        state = begun.state_dict()
        if begun.info.classes != classes:
            last = ("fc.", "aux1.fc2.", "aux2.fc2.")
            state = {name: value for name, value in state.items() if not name.startswith(last)}
        model.load_state_dict(state, strict=False)
    return model


def _info(config: TrainConfig, classes: tuple[str, ...]) -> ModelInfo:
    weights = head_weights(config)
    has = ("main",) if not config.model.aux else HEADS
    return ModelInfo(
        name=f"trained on {Path(config.data).name}",
        classes=classes,
        preprocessing=Preprocessing(size=config.size),
        heads={h: TRAINED if h in has and weights[h] > 0 else UNTRAINED for h in HEADS},
    )
