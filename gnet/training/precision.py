"""Chooses fp32 or bf16 for `precision: auto`, by a rule on the machine, the width and the size.

Nothing is timed, so one config always gets the same answer on one machine.

The rule was measured (docs/experiments.md, "Arithmetic"; measure again by
`python -m gnet precision`):
- A CPU with instructions for products of bf16 (AVX512_BF16, or AMX, which multiplies matrices):
  bf16 where width × size reaches `LEAST_WORK`. A step of AVX512_BF16 is then 1.3 to 1.7 times as
  fast as in fp32; at width 0.25 and 32 or 64 px, a product of 8 or 16, the two are about even.
- A CPU without them: fp32. bf16 has 0.4 to 0.7 times its speed with AVX-512, 0.1 to 0.5 with AVX2.
- Other processors, where nothing was measured: fp32.
- A GPU: bf16 where it supports it natively.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

import torch

from gnet.runs.train_config import TrainConfig
from gnet.training.distributed import Group, device

LEAST_WORK = 32.0
"""Least width × size (px) for bf16 on a CPU that supports it."""


@dataclass(frozen=True, kw_only=True)
class Machine:
    """The properties of a machine that decide."""

    gpu: bool = False
    bf16: bool = False
    """Whether it has instructions for products of bf16."""


def chosen_precision(config: TrainConfig, machine: Machine) -> str:
    """ "fp32" or "bf16", from the config or by the rule above."""
    if config.precision != "auto":
        return config.precision
    enough = machine.gpu or config.model.width * config.size >= LEAST_WORK
    return "bf16" if machine.bf16 and enough else "fp32"


def this_machine(group: Group) -> Machine:
    """This machine; bf16 counts only if all processes of the distributed group support it."""
    gpu = device().type == "cuda"
    own = torch.cuda.is_bf16_supported(including_emulation=False) if gpu else _cpu_has_bf16()
    votes = torch.tensor([float(own)], device=device())
    return Machine(gpu=gpu, bf16=group.summed(votes).item() == group.world)


def _cpu_has_bf16() -> bool:
    """Whether oneDNN, torch's library for CPUs, has instructions for bf16 and may use them.

    Its environment variable can limit it to older instructions.
    """
    limit = os.environ.get("ONEDNN_MAX_CPU_ISA", os.environ.get("DNNL_MAX_CPU_ISA", "ALL")).upper()
    if not any(name in limit for name in ("ALL", "DEFAULT", "BF16", "FP16", "AMX", "AVX10")):
        return False
    known = getattr(torch.cpu, "get_capabilities", dict)()  # torch 2.9, on aarch64, has no such
    return bool(known.get("avx512_bf16") or known.get("amx_bf16"))
