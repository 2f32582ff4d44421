"""Training time in fp32 and bf16 on this machine, beside the choice of `precision: auto`."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from gnet.network.config import ModelConfig
from gnet.network.model import GoogLeNet
from gnet.runs.train_config import TrainConfig
from gnet.training.distributed import Group, device
from gnet.training.precision import chosen_precision, this_machine

BATCH = 16
CASES = ((0.25, 32), (0.25, 64), (0.5, 64), (1.0, 64), (1.0, 128))
"""(width, side of the input in px)."""


@dataclass(frozen=True, kw_only=True)
class Timing:
    """One network's training step in both arithmetics."""

    width: float
    size: int
    fp32: float
    bf16: float
    """Seconds of a step on `BATCH` pictures, the best of three."""
    auto: str
    """The precision that `precision: auto` takes here."""


def timings(cases: Sequence[tuple[float, int]]) -> Iterator[Timing]:
    """The steps of each case, timed one after the other."""
    machine = this_machine(Group())
    for width, size in cases:
        config = ModelConfig(width=width, num_classes=10)
        run = TrainConfig(model=config, size=size, precision="auto")
        model = GoogLeNet(config).to(device())
        yield Timing(
            width=width,
            size=size,
            fp32=step_seconds(model, size, "fp32"),
            bf16=step_seconds(model, size, "bf16"),
            auto=chosen_precision(run, machine),
        )


def step_seconds(model: GoogLeNet, size: int, precision: str, batch: int = BATCH) -> float:
    """Seconds of one training step, forward and backward: the best of three after a first one."""
    model.train().to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    at = next(model.parameters()).device
    x = torch.zeros(batch, 3, size, size, device=at).contiguous(memory_format=torch.channels_last)
    seconds = []
    for _ in range(4):
        begun = time.monotonic()
        with torch.autocast(at.type, torch.bfloat16, enabled=precision == "bf16"):
            logits = model(x)
        total = torch.stack([z.float().mean() for z in logits if z is not None]).sum()
        total.backward()
        total.item()  # waits for a GPU
        seconds.append(time.monotonic() - begun)
    return min(seconds[1:])


def table(found: Sequence[Timing]) -> str:
    """The timings in Markdown."""
    lines = [
        f"| width | px | fp32, ms a step of {BATCH} | bf16, ms | fp32's time / bf16's | auto |",
        "|---|---|---|---|---|---|",
    ]
    for t in found:
        gain = f"{t.fp32 / t.bf16:.2f}"
        lines.append(
            f"| {t.width:g} | {t.size} | {1e3 * t.fp32:.0f} | {1e3 * t.bf16:.0f} | {gain} "
            f"| {t.auto} |"
        )
    return "\n".join(lines)
