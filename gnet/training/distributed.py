"""The processes that train one network together, as `torchrun` starts them.

Knows nothing of networks or data.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor
from torch import distributed as dist


@dataclass(frozen=True, kw_only=True)
class Group:
    """This process among those that train together; `rank` 0 speaks for all."""

    rank: int = 0
    world: int = 1

    @property
    def first(self) -> bool:
        return self.rank == 0

    def summed(self, values: Tensor) -> Tensor:
        """`values` added up over all processes, in place."""
        if self.world > 1:
            dist.all_reduce(values)
        return values


@contextmanager
def joined() -> Iterator[Group]:
    """Join the others when `torchrun` started this process; a group of one otherwise."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield Group()
        return
    if torch.cuda.is_available():
        torch.cuda.set_device(device())
    dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    try:
        yield Group(rank=dist.get_rank(), world=dist.get_world_size())
    finally:
        dist.destroy_process_group()


def device() -> torch.device:
    """What this process computes on: its own GPU where there is one, else the CPU."""
    if not torch.cuda.is_available():
        return torch.device("cpu")
    return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
