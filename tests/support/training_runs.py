"""Tiny training runs for the tests: seconds of work, the same events every time."""

from collections.abc import Sequence
from pathlib import Path

from gnet.network.config import ModelConfig
from gnet.runs.events import (
    CheckpointSaved,
    Event,
    RunContinued,
    RunEnded,
    RunPaused,
    RunResumed,
    comparable,
)
from gnet.runs.train_config import TrainConfig
from gnet.training.loop import train

BOOKKEEPING = (CheckpointSaved, RunResumed, RunPaused, RunContinued, RunEnded)
"""Events that say when a run was stopped and saved, which no two runs share."""


def tiny(*, network: dict | None = None, preset: str = "batch-norm", **changes) -> TrainConfig:
    """Two epochs of three steps on ten patterns' pictures at 32 px."""
    model = ModelConfig.preset(preset, **({"width": 0.0625} | (network or {})))
    settings = {
        "per_class": 2,
        "size": 32,
        "epochs": 2,
        "batch": 8,
        "precision": "fp32",
        "checkpoint_seconds": 3600.0,
        "seed": 3,
    }
    return TrainConfig(model=model, **(settings | changes))


def curve(events: Sequence[Event]) -> list[dict]:
    """What two runs of one seed must share, event by event."""
    return [
        {"type": type(event).__name__} | comparable(event)
        for event in events
        if not isinstance(event, BOOKKEEPING)
    ]


def run(config: TrainConfig, folder: Path | None = None) -> list[Event]:
    return list(train(config, folder))
