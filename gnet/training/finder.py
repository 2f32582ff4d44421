"""What is good to know before a run: a learning rate to begin with, and how long it will take.

A few real steps are taken and forgotten: nothing is left behind, and random state and number of
threads are afterwards what they were.
"""

from __future__ import annotations

import itertools
import math
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace

import torch

from gnet.data.archives import LIMITS
from gnet.data.batches import Batch, steps_per_epoch
from gnet.data.datasets import TUNE_SHARE, Dataset, chosen
from gnet.data.prefetch import prefetch
from gnet.data.preview import OPENED, count_classes
from gnet.data.source import BuiltIn, parse
from gnet.errors import GnetError
from gnet.evaluation.accuracy import evaluate
from gnet.network.model import GoogLeNet
from gnet.runs.folder import LAST, RunFolder
from gnet.runs.train_config import TrainConfig
from gnet.system.progress import Progress
from gnet.training.checkpoint import save_state
from gnet.training.distributed import Group
from gnet.training.gradients import gradients_by_head, norms_and_cosines, probe_batch
from gnet.training.learner import Learner, steps_each_epoch, training_batches
from gnet.training.precision import this_machine
from gnet.training.starting import first_weights, open_splits, settled

LOWEST, HIGHEST, STEPS = 1e-5, 10.0, 60
"""The sweep: rates from the first to the second, each step the same factor above the one before."""
MEMORY = 0.8
"""Of the smoothed loss: share of the past in each new value."""
FALLEN = 0.98
"""A loss that stays above this share of the first one has not fallen."""
DIVERGED = 4.0
"""The sweep ends where the smoothed loss is this many times its least value."""
_MEASURED, _BATCH = 3, 64


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A sweep of learning rates and what it suggests."""

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    """The smoothed loss (nats, all heads, weighted) of the step at each rate."""
    suggested: float
    """A third of the rate at which the smoothed loss was least: far enough from where it rises."""


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """How long a run would take on this machine as busy as it is now."""

    seconds_per_epoch: float
    """On average over the run: steps, validation, checkpoints and looks at gradients."""
    pictures_per_second: float
    """In training, on average over the run."""
    steps: int
    """Of the whole run."""


def find_rate(config: TrainConfig, progress: Progress | None = None) -> Finding:
    """Train for a few dozen steps at rates that grow exponentially; suggest one for `config`.

    The range test is Leslie Smith's (arXiv 1506.01186, section 3.3), its suggestion a third of the
    rate at the least loss. (fastai takes a tenth; with that the lesson "first run" ends at 44 %,
    with a third at 91 %.) Starts from the config's own network, data, batch, optimiser and seed, at
    its last size. `progress(done, total)` counts first pictures read, then steps. Raises
    `GnetError` for what cannot be trained, and where the loss falls at no rate.
    """
    with _apart(config):
        return _find_rate(config, progress)


def _find_rate(config: TrainConfig, progress: Progress | None) -> Finding:
    data, _, weights, config = _opened(config, progress)
    learner = Learner(replace(config, schedule="constant", ema=0.0), data, STEPS, Group(), weights)
    rates: list[float] = []
    losses: list[float] = []
    mean = weight = 0.0
    with closing(prefetch(_batches(config, data, config.size))) as ready:
        for step, batch in enumerate(itertools.islice(ready, STEPS)):
            rate = LOWEST * (HIGHEST / LOWEST) ** (step / (STEPS - 1))
            learner.set(learning_rate=rate)
            loss = learner.take(batch, len(batch.labels)).loss
            if not math.isfinite(loss):
                break
            mean, weight = MEMORY * mean + (1 - MEMORY) * loss, MEMORY * weight + 1 - MEMORY
            rates.append(rate)
            losses.append(mean / weight)
            if losses[-1] > DIVERGED * min(losses):
                break
            if progress:
                progress(step + 1, STEPS)
    if not rates:
        raise GnetError(
            f"The loss is no number at a learning rate of {LOWEST:g} already; a network that can "
            "be trained is needed, with batch norm say."
        )
    if min(losses) > FALLEN * losses[0]:
        raise GnetError(
            f"The loss fell at no rate from {LOWEST:g} to {rates[-1]:.2g}, so none can be "
            "suggested; a network that can be trained is needed, with batch norm say."
        )
    best = rates[losses.index(min(losses))]
    return Finding(rates=tuple(rates), losses=tuple(losses), suggested=best / 3)


def estimate(
    config: TrainConfig,
    progress: Progress | None = None,
    *,
    whole: Mapping[str, int] | None = None,
) -> Estimate:
    """Take a few steps at each of the run's sizes, validate a little, save once, reckon the rest.

    `whole`: pictures of the run by split, `train` and `val`, where `config` takes only some.
    `progress(done, total)` counts pictures read. Raises `GnetError` for what cannot be trained.
    """
    with _apart(config):
        return _estimate(config, progress, whole)


def _estimate(
    config: TrainConfig, progress: Progress | None, whole: Mapping[str, int] | None
) -> Estimate:
    data, val, weights, config = _opened(config, progress)
    learnt, validated = (whole["train"], whole["val"]) if whole else (len(data), len(val))
    steps_each_epoch(config, data, Group())  # raises where there are too few
    per_epoch = steps_per_epoch(learnt, config.batch)
    learner = Learner(config, data, per_epoch * config.epochs, Group(), weights)
    sizes = config.sizes_by_epoch()
    few = chosen(val, list(range(min(_BATCH, len(val)))))
    training: dict[int, float] = {}
    validating: dict[int, float] = {}
    for size in set(sizes):
        training[size] = per_epoch * _seconds_per_step(learner, _batches(config, data, size))
        preprocessing = replace(learner.model.info.preprocessing, size=size)
        bf16 = learner.precision == "bf16"
        took = _timed(lambda at=preprocessing, b=bf16: evaluate(learner.shown, few, at, bf16=b))
        validating[size] = took * validated / len(few)
    looking = 0.0
    if config.gradients_every:
        probe = probe_batch(data, config.size)
        took = _timed(lambda: norms_and_cosines(gradients_by_head(learner, probe)))
        looking = took * (per_epoch // config.gradients_every)
    checkpoint = _timed(lambda: _saved(learner))
    seconds = sum(training[size] for size in sizes)
    spent = seconds + sum(
        validating[size]
        + looking
        + checkpoint * (1 + _checkpoints_within(config, training[size], per_epoch))
        for size in sizes
    )
    return Estimate(
        seconds_per_epoch=spent / config.epochs,
        pictures_per_second=learnt * config.epochs / seconds,
        steps=learner.steps,
    )


def _checkpoints_within(config: TrainConfig, seconds: float, steps: int) -> int:
    """How often an epoch of so many seconds of training is saved before its end."""
    every = config.checkpoint_seconds
    return min(steps, int(seconds / every)) if every > 0 else steps


def _saved(learner: Learner) -> None:
    """Keep what a run keeps, for a moment."""
    with tempfile.TemporaryDirectory(prefix="gnet-estimate-") as folder:
        run = RunFolder(folder)
        run.keep(LAST, learner.shown)
        save_state(run, learner.model, learner.optimiser, learner.ema, {"step": learner.step})


def _timed(work: Callable[[], object]) -> float:
    """The seconds it takes."""
    begun = time.monotonic()
    work()
    return time.monotonic() - begun


@contextmanager
def _apart(config: TrainConfig) -> Iterator[None]:
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(config.threads or threads)
        with torch.random.fork_rng(devices=[]):
            yield
    finally:
        torch.set_num_threads(threads)


def _opened(
    config: TrainConfig, progress: Progress | None
) -> tuple[Dataset, Dataset, GoogLeNet | None, TrainConfig]:
    """Training set, validation set, the weights to begin from, and the config they settle."""
    data, val = open_splits(config, progress)
    weights = first_weights(config)
    return data, val, weights, settled(config, len(data.classes), weights, this_machine(Group()))


def _batches(config: TrainConfig, data: Dataset, size: int) -> Iterator[Batch]:
    """Batches without end, of as many epochs as it takes, all at `size` px."""
    steps_each_epoch(config, data, Group())  # none at all would be looked for for ever
    for epoch in itertools.count():
        yield from training_batches(config, data, epoch, size, Group())


def _seconds_per_step(learner: Learner, batches: Iterator[Batch]) -> float:
    with closing(prefetch(batches)) as ready:
        begun = 0.0
        for taken, batch in enumerate(itertools.islice(ready, 1 + _MEASURED)):
            learner.take(batch, len(batch.labels))
            if taken == 0:  # the first one pays for what is made once
                begun = time.monotonic()
    return (time.monotonic() - begun) / _MEASURED


def thinned(config: TrainConfig, most: int = OPENED) -> tuple[TrainConfig, dict[str, int] | None]:
    """A run on about `most` of its training pictures, and the whole run's pictures by split.

    None where it takes no more than those anyway. For what is measured on a few steps. The
    built-in pictures are drawn and stay as they are.
    """
    source = parse(config.data)
    if isinstance(source, BuiltIn):
        return config, None
    classes = config.chosen_classes()
    found, _ = count_classes(source, config.seed, classes, LIMITS)
    limit = config.per_class
    train = sum(min(learnt, limit or learnt) for _, learnt, _ in found)
    val = sum(min(held, limit or held) for _, _, held in found)
    if train <= most:
        return config, None
    few = replace(config, per_class=max(1, most // len(found)))
    return few, _by_split(config, train, val)


def _by_split(config: TrainConfig, train: int, val: int) -> dict[str, int]:
    """Pictures to train and to validate on; with `tune` a share of the first is the second."""
    if config.tune:
        val = round(TUNE_SHARE * train)
        train -= val
    return {"train": train, "val": val}
