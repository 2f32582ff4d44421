"""A run's checkpoint: everything a resumed run needs, in one file without a pickle."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from gnet.network.model import GoogLeNet
from gnet.runs.folder import CONFIG, STATE, RunFolder
from gnet.system.tensor_file import Kind
from gnet.training.optimisation import EmaWeights

KIND = Kind(
    name="state",
    called=f"a state of the run that {CONFIG} beside it describes",
    remedy="start a new run",
    unmarked="facts",
)


def save_state(
    folder: RunFolder,
    model: GoogLeNet,
    optimiser: torch.optim.Optimizer,
    ema: EmaWeights | None,
    facts: dict[str, Any],
) -> None:
    """Write everything a resumed run needs to one file."""
    tensors = {f"model.{k}": v for k, v in model.state_dict().items()}
    if ema:
        tensors |= {f"averaged.{k}": v for k, v in ema.model.state_dict().items()}
    for index, values in optimiser.state_dict()["state"].items():
        tensors |= {
            f"optimiser.{index}.{key}": torch.as_tensor(value) for key, value in values.items()
        }
    KIND.write(folder.path / STATE, facts, tensors)


def load_state(
    folder: RunFolder,
    model: GoogLeNet,
    optimiser: torch.optim.Optimizer,
    ema: EmaWeights | None,
) -> None:
    """Put a saved state back into the three, in place; `GnetError` if it is not theirs."""
    with KIND.reading(folder.path / STATE) as (_, tensors):
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
    """The facts saved with the last state; None before the first."""
    if not (folder.path / STATE).exists():
        return None
    return KIND.header(folder.path / STATE)


def _below(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
