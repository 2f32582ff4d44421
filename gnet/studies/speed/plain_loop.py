"""A plain torchvision loop as its users write it, in this process or in one of its own.

A process of its own trains when it is asked to, so that turns can alternate. It is started without
the large memory pages that this program asks for.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torchvision.transforms import v2

from gnet import strict_json
from gnet.data.datasets import Dataset, open_dataset
from gnet.errors import GnetError
from gnet.network.info import ModelInfo
from gnet.studies.speed.bench_forward import torchvision_network
from gnet.system.processes import TUNABLES, launch

CLASSES = 10
COMMAND = (sys.executable, "-m", __name__)
TURN, END = "turn\n", "end\n"
"""What the process of its own is told."""


@dataclass(frozen=True, kw_only=True)
class Turns:
    """The work of one turn: the same for every side."""

    size: int
    """Side of the pictures in px."""
    per_class: int
    batch: int
    lead_in: int
    """Steps that are not timed: the other side's turn emptied the caches."""
    steps: int
    """Steps that are timed."""

    def pictures(self) -> Dataset:
        """The built-in pictures, in memory."""
        return open_dataset("built-in", "train", per_class=self.per_class, size=self.size)

    def rate(self, loop: Iterator[int]) -> float:
        """Pictures/s of one turn of `loop`, which yields each step's number of pictures."""
        for _ in range(self.lead_in):
            next(loop)
        begun = time.perf_counter()
        pictures = sum(next(loop) for _ in range(self.steps))
        return pictures / (time.perf_counter() - begun)


def plain_loop(turns: Turns, data: Dataset, workers: int) -> Iterator[int]:
    """Train torchvision's network as its users do: fp32, contiguous, a DataLoader."""
    info = ModelInfo().preprocessing
    loader = torch.utils.data.DataLoader(
        _Pictures(data, turns.size, info.mean, info.std),
        batch_size=turns.batch,
        shuffle=True,
        drop_last=True,
        num_workers=workers,
        persistent_workers=workers > 0,
    )
    network = torchvision_network(CLASSES).train()
    optimiser = torch.optim.AdamW(network.parameters(), lr=2e-3, weight_decay=0.02)
    while True:
        for x, labels in loader:
            main, aux2, aux1 = network(x)
            loss = F.cross_entropy(main, labels) + 0.3 * (
                F.cross_entropy(aux1, labels) + F.cross_entropy(aux2, labels)
            )
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            yield len(labels)


class _Pictures(torch.utils.data.Dataset):
    """The same pictures for the plain loop, cropped and flipped one by one."""

    def __init__(self, data: Dataset, size: int, mean: Any, std: Any) -> None:
        self.data = data
        self.change = v2.Compose(
            [
                v2.RandomResizedCrop(size, scale=(0.35, 1.0), antialias=True),
                v2.RandomHorizontalFlip(),
                v2.ToDtype(torch.float32, scale=True),
                v2.Normalize(mean, std),
            ]
        )

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        return self.change(self.data.pictures[index]), self.data.labels[index]


class OwnProcess:
    """The plain loop in a process of its own, which waits between its turns."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def rate(self) -> float:
        """Pictures/s of one turn; raises `GnetError` where the process has ended."""
        assert self._process.stdin and self._process.stdout
        try:
            self._process.stdin.write(TURN)
            self._process.stdin.flush()
            return float(self._process.stdout.readline())
        except (BrokenPipeError, ValueError):
            raise GnetError("The plain loop's own process ended; its error is above.") from None

    def end(self) -> None:
        """Have it end, if it has not yet.

        It is told so: to close its input is not enough while a process that was forked meanwhile,
        as workers of a loop in this process are, holds that open.
        """
        assert self._process.stdin
        with suppress(BrokenPipeError):  # it has ended by itself
            self._process.stdin.write(END)
            self._process.stdin.close()


@contextmanager
def own_process(
    turns: Turns, workers: int, command: Sequence[str] = COMMAND
) -> Iterator[OwnProcess]:
    """Start it with this process's threads and niceness; it ends with the `with`."""
    request = asdict(turns) | {"workers": workers, "threads": torch.get_num_threads()}
    process = launch(
        [*command, strict_json.dumps(request)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=None,
        niceness=os.nice(0) if hasattr(os, "nice") else 0,
        variables={TUNABLES: ""},
    )
    with process:
        other = OwnProcess(process)
        try:
            other.rate()  # its start and one turn that does not count, before anything is timed
            yield other
        finally:
            other.end()


def answer(workers: int, threads: int, **turns: int) -> None:
    """Print a turn's rate for each line of standard input until one says that it is the end."""
    torch.set_num_threads(threads)
    work = Turns(**turns)
    loop = plain_loop(work, work.pictures(), workers)
    for line in sys.stdin:
        if line == END:
            break
        print(work.rate(loop), flush=True)


if __name__ == "__main__":
    answer(**json.loads(sys.argv[1]))
