"""Speed of one picture's forward: ours by ONNX Runtime, or torch, against torchvision's bare one.

Both sides have the same weights and get the same picture. Ours also gives what a recording needs:
the nine modules' inputs and outputs and three heads.
"""

from __future__ import annotations

import statistics
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torchvision
from torch import Tensor, nn

from gnet.data.datasets import open_dataset
from gnet.inference.forward import forward
from gnet.inference.session import Session, difference
from gnet.network.config import HEADS, TRAINED, ModelConfig
from gnet.network.costs import layer_costs
from gnet.network.folding import fold
from gnet.network.info import ModelInfo
from gnet.network.model import GoogLeNet
from gnet.system.progress import Progress

GOALS = {224: 3.5, 144: 2.5}
"""The ratio to reach by size in px: torchvision's own, and the bundled network's."""
THREADS = (1, 2)
TIMES = 10
"""Forwards of each side in a round, one after the other."""
LEAD_IN = 2
"""Forwards before them that are not counted. After another side's forwards its threads still spin
for some milliseconds, and the caches hold its weights."""
SIDE = 1024
"""Rows and columns of the matrices whose product shows what the processor can do."""


def bench_forward(*, rounds: int = 5, progress: Progress | None = None) -> dict[str, Any]:
    """Ratios of medians over `rounds` times `TIMES` forwards of each side, by size and threads.

    `max_error` is the largest difference from torch's forward of the same network; `of_product` is
    the rate of multiply-adds by that of torch's product of two matrices of `SIDE` × `SIDE`. Where
    it is near 1, only fewer multiply-adds or less precise ones could be faster.
    """
    result: dict[str, Any] = {}
    for size in GOALS:
        theirs, model, pictures = networks(size)
        folded, pixels = fold(model), pictures[:1]
        expected = forward(folded, pixels)
        for count in THREADS:
            with threads(count):
                session = Session(folded, size)
                taken = _in_turns(theirs, session, pixels, rounds)
                error = difference(session(pixels), expected)
            reference, mine, product = map(statistics.median, taken)
            macs = sum(cost.macs for cost in layer_costs(folded, size))
            result[f"forward_{size}_{count}"] = {
                "ratio": reference / mine,
                "size": size,
                "threads": count,
                "milliseconds": 1000 * mine,
                "torchvision_milliseconds": 1000 * reference,
                "runs_on": session.runs_on,
                "max_error": error,
                "of_product": macs / mine / (SIDE**3 / product),
                "goal": GOALS[size],
            }
            if progress:
                progress(len(result), len(GOALS) * len(THREADS))
    return result


def _in_turns(
    theirs: nn.Module, session: Session, pixels: Tensor, rounds: int
) -> tuple[list[float], list[float], list[float]]:
    """Seconds of torchvision's forwards, of ours, and of products of two matrices."""
    inputs = session.model.info.preprocessing.normalise(pixels)
    matrix = torch.ones(SIDE, SIDE)
    calls = (lambda: theirs(inputs), lambda: session(pixels), lambda: matrix @ matrix)
    taken: tuple[list[float], list[float], list[float]] = ([], [], [])
    with torch.no_grad():
        for _ in range(rounds):
            for call, seconds in zip(calls, taken, strict=True):
                for _ in range(LEAD_IN):
                    call()
                seconds += [_seconds(call) for _ in range(TIMES)]
    return taken


def table(result: dict[str, Any]) -> str:
    """The result as lines for a terminal."""
    return "\n".join(
        f"{'forward':<10}  {row['ratio']:5.2f} times torchvision's bare forward at {row['size']} "
        f"px on {row['threads']} thread{'s' * (row['threads'] != 1)} "
        f"({row['milliseconds']:.1f} ms by {row['runs_on']} against "
        f"{row['torchvision_milliseconds']:.1f} ms; largest error {row['max_error']:.1e}; "
        f"{row['of_product']:.2f} of a matrix product's rate; goal {row['goal']})"
        for row in result.values()
    )


def networks(
    size: int, classes: int = 1000
) -> tuple[torchvision.models.GoogLeNet, GoogLeNet, Tensor]:
    """torchvision's network and ours of the same weights, and `patterns` of `size` px."""
    torch.manual_seed(0)
    theirs = torchvision_network(classes)
    pictures = patterns(size)
    config = ModelConfig.preset("torchvision", num_classes=classes)
    model = GoogLeNet(config, ModelInfo(heads=dict.fromkeys(HEADS, TRAINED)))
    settle(theirs, model.info.preprocessing.normalise(pictures))
    model.load_state_dict(theirs.state_dict())
    return theirs, model, pictures


def torchvision_network(classes: int) -> torchvision.models.GoogLeNet:
    """torchvision's network with heads, He-initialised so that all layers carry signal."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # about its own slow initialisation
        network = torchvision.models.GoogLeNet(
            num_classes=classes, aux_logits=True, init_weights=False
        )
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
    return network


def patterns(size: int) -> Tensor:
    """A picture of each built-in class, (10, 3, size, size) in [0, 1]."""
    return torch.stack(open_dataset("built-in", "val", per_class=1, size=size).pictures) / 255


def settle(network: nn.Module, inputs: Tensor) -> None:
    """Give the norms the statistics of `inputs`: without them random weights saturate the heads."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None  # the plain mean over the batches seen
    with torch.no_grad():
        network.train()(inputs)
    network.eval()


@contextmanager
def threads(count: int) -> Iterator[None]:
    """torch computes with `count` threads within, and with as many as before afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _seconds(call: Callable[[], Any]) -> float:
    begun = time.perf_counter()
    call()
    return time.perf_counter() - begun
