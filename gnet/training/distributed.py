"""The distributed group (DDP): the processes that train one network, started by `torchrun`.

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
    """This process's place in the distributed group (DDP): its rank, of `world` processes."""

    rank: int = 0
    world: int = 1

    @property
    def first(self) -> bool:
        """Whether this process writes the run's files."""
        return self.rank == 0

    def summed(self, values: Tensor) -> Tensor:
        """`values` summed over all processes, in place."""
        if self.world > 1:
            dist.all_reduce(values)
        return values

    def any(self, true: bool) -> bool:
        """Whether it is true in any process; all must call this together."""
        return bool(self.summed(torch.tensor(float(true), device=device())) > 0)


@contextmanager
def joined() -> Iterator[Group]:
    """Join the distributed group if `torchrun` started this process; else a group of one."""
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
    """The device of this process: its own GPU if there is one, else the CPU."""
    if not torch.cuda.is_available():
        return torch.device("cpu")
    return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
