"""Which arithmetic this machine trains faster in: asked by timing a step of each.

bf16 gains where the processor multiplies matrices of it, and loses everywhere else.
"""

from __future__ import annotations

import copy
import time

import torch

from gnet.network.model import GoogLeNet
from gnet.training.distributed import Group

MARGIN = 0.87
"""Share of fp32's time that bf16 must stay under. The two give different curves, so a tie must not
be decided by chance: two runs of one seed would differ."""


def faster_precision(model: GoogLeNet, size: int, batch: int, group: Group) -> str:
    """ "fp32" or "bf16", as most processes of `group` find for pictures of `size` px."""
    fp32, bf16 = (step_seconds(model, size, batch, kind) for kind in ("fp32", "bf16"))
    votes = torch.tensor([float(bf16 < MARGIN * fp32)], device=next(model.parameters()).device)
    return "bf16" if group.summed(votes).item() * 2 > group.world else "fp32"


def step_seconds(model: GoogLeNet, size: int, batch: int, precision: str) -> float:
    """Seconds of one training step, forward and backward, on a copy: the best of three."""
    trial = copy.deepcopy(model).train()
    device = next(trial.parameters()).device
    x = torch.zeros(batch, 3, size, size, device=device)
    x = x.contiguous(memory_format=torch.channels_last)
    seconds = []
    for _ in range(4):
        begun = time.monotonic()
        with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16"):
            logits = trial(x)
        total = torch.stack([z.float().mean() for z in logits if z is not None]).sum()
        total.backward()
        total.item()  # waits for a GPU
        seconds.append(time.monotonic() - begun)
    return min(seconds[1:])
