"""Before a run: find a good learning rate, and estimate how long the run will take.

Both take a few real steps and throw the result away. The random state and the number of threads
are restored afterwards.
"""

from __future__ import annotations

import itertools
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace

import torch

from gnet.data.batches import Batch, steps_per_epoch
from gnet.data.datasets import TUNE_SHARE, Dataset, chosen
from gnet.data.files.archives import LIMITS
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
from gnet.training.learner import Diverged, Learner, steps_each_epoch, training_batches
from gnet.training.precision import this_machine
from gnet.training.starting import first_weights, open_splits, resolved

LOWEST, HIGHEST, STEPS = 1e-5, 10.0, 60
"""The sweep: STEPS rates from LOWEST to HIGHEST, each higher by the same factor."""
MEMORY = 0.8
"""Weight of the earlier values in the smoothed loss."""
FALLEN = 0.98
"""A loss has fallen when it gets below this share of the first one."""
DIVERGED = 4.0
"""The sweep ends when the smoothed loss is this many times its lowest value."""
_MEASURED, _BATCH = 3, 64


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A sweep of learning rates and the suggested rate."""

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    """The smoothed loss (nats, all heads, weighted) of the step at each rate."""
    suggested: float
    """A third of the rate with the lowest smoothed loss, a safe distance below divergence."""


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """How long a run would take on this machine under its current load."""

    seconds_per_epoch: float
    """Average over the run, with steps, validation, checkpoints and gradient measurements."""
    pictures_per_second: float
    """Average over the run's training steps."""
    steps: int
    """Of the whole run."""


def find_rate(config: TrainConfig, progress: Progress | None = None) -> Finding:
    """Train for a few dozen steps at rates that grow exponentially; suggest one for `config`.

    The range test is Leslie Smith's (arXiv 1506.01186, section 3.3), its suggestion a third of the
    rate at the least loss. (fastai takes a tenth; with that the experiment "first run" ends at
    44 %, with a third at 91 %.) Starts from the config's own network, data, batch, optimiser and
    seed, at its last size. `progress(done, total)` counts first pictures read, then steps. Raises
    `GnetError` for what cannot be trained, and where the loss falls at no rate.
    """
    with _isolated(config):
        return _find_rate(config, progress)


def _find_rate(config: TrainConfig, progress: Progress | None) -> Finding:
    data, _, weights, config = _open(config, progress)
    learner = Learner(replace(config, schedule="constant", ema=0.0), data, STEPS, Group(), weights)
    rates: list[float] = []
    losses: list[float] = []
    mean = weight = 0.0
    with closing(prefetch(_batches(config, data, config.size))) as ready:
        for step, batch in enumerate(itertools.islice(ready, STEPS)):
            rate = LOWEST * (HIGHEST / LOWEST) ** (step / (STEPS - 1))
            learner.set(learning_rate=rate)
            try:
                loss = learner.take(batch, len(batch.labels)).loss
            except Diverged:
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
            f"The loss is NaN even at a learning rate of {LOWEST:.0e}; try a network with batch "
            "norm."
        )
    if min(losses) > FALLEN * losses[0]:
        raise GnetError(
            f"The loss did not fall at any learning rate from {LOWEST:.0e} to {rates[-1]:.2g}; try "
            "a network with batch norm."
        )
    best = rates[losses.index(min(losses))]
    return Finding(rates=tuple(rates), losses=tuple(losses), suggested=best / 3)


def estimate(
    config: TrainConfig,
    progress: Progress | None = None,
    *,
    whole: Mapping[str, int] | None = None,
) -> Estimate:
    """Time a few steps at each of the run's sizes, a short validation and a checkpoint.

    `whole`: pictures of the run by split, `train` and `val`, where `config` takes only some.
    `progress(done, total)` counts pictures read. Raises `GnetError` for what cannot be trained.
    """
    with _isolated(config):
        return _estimate(config, progress, whole)


def _estimate(
    config: TrainConfig, progress: Progress | None, whole: Mapping[str, int] | None
) -> Estimate:
    data, val, weights, config = _open(config, progress)
    train_count, val_count = (whole["train"], whole["val"]) if whole else (len(data), len(val))
    steps_each_epoch(config, data, Group())  # raises if there are too few pictures
    per_epoch = steps_per_epoch(train_count, config.batch)
    learner = Learner(config, data, per_epoch * config.epochs, Group(), weights)
    sizes = config.sizes_by_epoch()
    few = chosen(val, list(range(min(_BATCH, len(val)))))
    training: dict[int, float] = {}
    validating: dict[int, float] = {}
    for size in set(sizes):
        training[size] = per_epoch * _seconds_per_step(learner, _batches(config, data, size))
        preprocessing = replace(learner.model.info.preprocessing, size=size)
        bf16 = learner.precision == "bf16"
        took = _timed(
            lambda at=preprocessing, b=bf16: evaluate(learner.eval_model, few, at, bf16=b)
        )
        validating[size] = took * val_count / len(few)
    gradients = 0.0
    if config.gradients_every:
        probe = probe_batch(data, config.size)
        took = _timed(lambda: norms_and_cosines(gradients_by_head(learner, probe)))
        gradients = took * (per_epoch // config.gradients_every)
    checkpoint = _timed(lambda: _saved(learner))
    seconds = sum(training[size] for size in sizes)
    spent = seconds + sum(
        validating[size]
        + gradients
        + checkpoint * (1 + _checkpoints_within(config, training[size], per_epoch))
        for size in sizes
    )
    return Estimate(
        seconds_per_epoch=spent / config.epochs,
        pictures_per_second=train_count * config.epochs / seconds,
        steps=learner.steps,
    )


def _checkpoints_within(config: TrainConfig, seconds: float, steps: int) -> int:
    """Checkpoints during an epoch of `seconds`, without the one at its end."""
    every = config.checkpoint_seconds
    return min(steps, int(seconds / every)) if every > 0 else steps


def _saved(learner: Learner) -> None:
    """Save the files of a checkpoint to a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="gnet-estimate-") as folder:
        run = RunFolder(folder)
        run.keep(LAST, learner.eval_model)
        save_state(run, learner.model, learner.optimiser, learner.ema, {"step": learner.step})


def _timed(work: Callable[[], object]) -> float:
    """The time of `work` in seconds."""
    begun = time.monotonic()
    work()
    return time.monotonic() - begun


@contextmanager
def _isolated(config: TrainConfig) -> Iterator[None]:
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(config.threads or threads)
        with torch.random.fork_rng(devices=[]):
            yield
    finally:
        torch.set_num_threads(threads)


def _open(
    config: TrainConfig, progress: Progress | None
) -> tuple[Dataset, Dataset, GoogLeNet | None, TrainConfig]:
    """Training set, validation set, the weights to start from, and the resolved config."""
    data, val = open_splits(config, progress)
    weights = first_weights(config)
    return data, val, weights, resolved(config, len(data.classes), weights, this_machine(Group()))


def _batches(config: TrainConfig, data: Dataset, size: int) -> Iterator[Batch]:
    """Endless batches, epoch after epoch, all at `size` px."""
    steps_each_epoch(config, data, Group())  # an empty epoch would repeat for ever
    for epoch in itertools.count():
        yield from training_batches(config, data, epoch, size, Group())


def _seconds_per_step(learner: Learner, batches: Iterator[Batch]) -> float:
    with closing(prefetch(batches)) as ready:
        begun = 0.0
        for index, batch in enumerate(itertools.islice(ready, 1 + _MEASURED)):
            learner.take(batch, len(batch.labels))
            if index == 0:  # the first step includes one-time costs
                begun = time.monotonic()
    return (time.monotonic() - begun) / _MEASURED


def thinned(config: TrainConfig, most: int = OPENED) -> tuple[TrainConfig, dict[str, int] | None]:
    """The config with about `most` training pictures, and the original numbers by split.

    For measurements of a few steps. The numbers are None where the config has few pictures anyway,
    or the built-in ones, which need no reading.
    """
    source = parse(config.data)
    if isinstance(source, BuiltIn):
        return config, None
    classes = config.chosen_classes()
    found = count_classes(source, config.seed, classes, LIMITS).classes
    limit = config.per_class
    train = sum(min(count.train, limit or count.train) for count in found)
    val = sum(min(count.val, limit or count.val) for count in found)
    if train <= most:
        return config, None
    few = replace(config, per_class=max(1, most // len(found)))
    return few, _by_split(config, train, val)


def _by_split(config: TrainConfig, train: int, val: int) -> dict[str, int]:
    """Training and validation pictures; with `tune`, a share of the first becomes the second."""
    if config.tune:
        val = round(TUNE_SHARE * train)
        train -= val
    return {"train": train, "val": val}
