"""A run's checkpoint: everything a resumed run needs, in one file without a pickle."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from gnet.errors import GnetError
from gnet.network.model import GoogLeNet
from gnet.runs.folder import CONFIG, STATE, RunFolder
from gnet.system.tensor_file import Kind
from gnet.training.muon import Muon
from gnet.training.optimisation import EmaWeights
from gnet.words import cut

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
) -> int:
    """Put a saved state back into the three, in place, and return the steps it had taken.

    Raises `GnetError` if it is not theirs.
    """
    with KIND.reading(folder.path / STATE) as (header, tensors):
        step = header.get("step")
        if type(step) is not int or step < 0:
            raise GnetError(f"{STATE} does not say after which step it was saved; {KIND.remedy}.")
        model.load_state_dict(_below("model.", tensors))
        if ema:
            ema.model.load_state_dict(_below("averaged.", tensors))
        state = _optimiser_state(_below("optimiser.", tensors), optimiser)
        groups = optimiser.state_dict()["param_groups"]
        optimiser.load_state_dict({"state": state, "param_groups": groups})
        return step


def facts(folder: RunFolder) -> dict[str, Any] | None:
    """The facts saved with the last state; None before the first."""
    if not (folder.path / STATE).exists():
        return None
    return KIND.header(folder.path / STATE)


def _optimiser_state(
    tensors: dict[str, Tensor], optimiser: torch.optim.Optimizer
) -> dict[int, dict[str, Tensor]]:
    """Index of a parameter → what the optimiser keeps of it; raises `GnetError` where it is not so.

    A parameter without a gradient so far, as one of a head of weight 0, has nothing.
    """
    parameters = [p for group in optimiser.param_groups for p in group["params"]]
    by_name = {str(index): (index, like) for index, like in enumerate(parameters)}
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        given, _, key = name.partition(".")
        index, like = by_name.get(given, (-1, None))
        wanted = {} if like is None else _kept_of(like, optimiser)
        if like is None or key not in wanted:
            raise _damaged(f"{name!r}, which {type(optimiser).__name__} does not keep")
        if value.shape != wanted[key]:
            raise _damaged(f"{name!r} in the shape {[*value.shape]} and not {[*wanted[key]]}")
        if not value.is_floating_point():
            raise _damaged(f"{name!r} in whole numbers")
        if value.shape == like.shape:
            # Fused optimisers walk through memory: moments need their parameter's strides.
            value = torch.empty_like(like, requires_grad=False).copy_(value)
        state.setdefault(index, {})[key] = value
    for index, values in state.items():
        if missing := sorted(_kept_of(parameters[index], optimiser).keys() - values):
            raise _damaged(f"'{index}.{missing[0]}' not at all")
    return state


def _kept_of(parameter: Tensor, optimiser: torch.optim.Optimizer) -> dict[str, torch.Size]:
    """What an optimiser of `make_optimiser` keeps of a parameter, and its shape."""
    if isinstance(optimiser, Muon) and parameter.dim() == 4:
        return {"momentum_buffer": torch.Size((len(parameter), parameter[0].numel()))}
    if isinstance(optimiser, torch.optim.SGD):
        return {"momentum_buffer": parameter.shape}
    return {"step": torch.Size(()), "exp_avg": parameter.shape, "exp_avg_sq": parameter.shape}


def _damaged(what: str) -> GnetError:
    return GnetError(f"{STATE} holds of the optimiser {cut(what, 200)}; {KIND.remedy}.")


def _below(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
