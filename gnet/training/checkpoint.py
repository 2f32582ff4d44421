"""A run's checkpoint: all that a resumed run needs, in one file without a pickle."""

from __future__ import annotations

import json
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from gnet.errors import GnetError
from gnet.network.model import GoogLeNet
from gnet.runs.folder import CONFIG, STATE, RunFolder
from gnet.system.atomic import atomically
from gnet.training.optimisation import EmaWeights


def save_state(
    folder: RunFolder,
    model: GoogLeNet,
    optimiser: torch.optim.Optimizer,
    ema: EmaWeights | None,
    facts: dict[str, Any],
) -> None:
    """Write all that a resumed run needs, as one file."""
    tensors = {f"model.{k}": v for k, v in model.state_dict().items()}
    if ema:
        tensors |= {f"averaged.{k}": v for k, v in ema.model.state_dict().items()}
    for index, values in optimiser.state_dict()["state"].items():
        tensors |= {
            f"optimiser.{index}.{key}": torch.as_tensor(value) for key, value in values.items()
        }
    contiguous = {name: value.contiguous() for name, value in tensors.items()}
    with atomically(folder.path / STATE) as temporary:
        save_file(contiguous, temporary, metadata={"facts": json.dumps(facts)})


def load_state(
    folder: RunFolder,
    model: GoogLeNet,
    optimiser: torch.optim.Optimizer,
    ema: EmaWeights | None,
) -> None:
    """Put a saved state back into the three, in place; `GnetError` if it is not theirs."""
    try:
        _load_state(folder, model, optimiser, ema)
    except (SafetensorError, OSError, RuntimeError, KeyError, IndexError, ValueError) as error:
        raise GnetError(
            f"{folder.path / STATE} is not a state of the run that {CONFIG} beside it describes; "
            "start a new run."
        ) from error


def _load_state(
    folder: RunFolder,
    model: GoogLeNet,
    optimiser: torch.optim.Optimizer,
    ema: EmaWeights | None,
) -> None:
    tensors = load_file(folder.path / STATE)
    model.load_state_dict(_below("model.", tensors))
    if ema:
        ema.model.load_state_dict(_below("averaged.", tensors))
    state: dict[int, dict[str, Tensor]] = {}
    parameters = [p for group in optimiser.param_groups for p in group["params"]]
    for name, value in _below("optimiser.", tensors).items():
        index, _, key = name.partition(".")
        like = parameters[int(index)]
        if value.shape == like.shape:
            # Fused optimisers walk through memory: moments need their parameter's strides.
            value = torch.empty_like(like, requires_grad=False).copy_(value)
        state.setdefault(int(index), {})[key] = value
    groups = optimiser.state_dict()["param_groups"]
    optimiser.load_state_dict({"state": state, "param_groups": groups})


def facts(folder: RunFolder) -> dict[str, Any] | None:
    """What was noted with the last saved state, or None before the first."""
    if not (folder.path / STATE).exists():
        return None
    try:
        with safe_open(folder.path / STATE, "pt") as file:
            return json.loads(file.metadata()["facts"])
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise GnetError(f"{folder.path / STATE} is not a saved state of a run.") from error


def _below(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
