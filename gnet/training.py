"""Training as an iterator of events: the same function in the page, on the command line, and
under `torchrun`.

All randomness comes from (seed, epoch, step), so a resumed run goes on as if nothing had happened.
Knows nothing of processes that watch it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn

from gnet.batches import Drawn, batches, classes_with_sharp, prefetch, steps_per_epoch
from gnet.data import Dataset, held_out, open_dataset
from gnet.errors import GnetError
from gnet.evaluation import evaluate
from gnet.events import (
    CheckpointSaved,
    EpochDone,
    Event,
    RunEnded,
    RunResumed,
    RunStarted,
    StepDone,
)
from gnet.model import Logits
from gnet.optimisation import (
    AveragedWeights,
    head_losses,
    head_weights,
    learning_rate,
    make_optimiser,
    weighted,
)
from gnet.precision import faster_precision
from gnet.processes import Group, device, joined
from gnet.progress import Progress
from gnet.run_folder import BEST, LAST, RunFolder
from gnet.starting import first_network, settled
from gnet.train_config import TrainConfig


def train(
    config: TrainConfig,
    run_dir: str | Path | None = None,
    *,
    progress: Progress | None = None,
    stop: Callable[[], bool] | None = None,
) -> Generator[Event, None, None]:
    """Train a network as `config` says, yielding events as they happen.

    With `run_dir` the run is kept there and can be resumed. Closing the iterator leaves a
    checkpoint behind; so does `stop`, asked at every step: once it says True the run ends, in
    all processes at the same step. `progress(done, total)` counts pictures while the data set is
    read. Sets torch's seed and, if the config asks for it, its threads. Raises `GnetError` for
    what cannot be trained; a folder is made only for what can.
    """
    folder = RunFolder(run_dir) if run_dir is not None else None
    if folder:
        folder.check_new()
    with joined() as group:
        run = _Run(config, folder, group, progress, stop)
        if folder and group.first:
            folder.create(run.config)
        yield from run.events([])


def resume(
    run_dir: str | Path,
    *,
    progress: Progress | None = None,
    stop: Callable[[], bool] | None = None,
) -> Generator[Event, None, None]:
    """Go on with the run in `run_dir` from its last checkpoint; a finished run yields nothing."""
    folder = RunFolder(run_dir)
    config = folder.config()
    if is_finished(folder):
        return
    with joined() as group:
        run = _Run(config, folder, group, progress, stop)
        past = run.restore(folder)
        yield from run.events([*past, RunResumed(step=run.step)])


def is_finished(folder: RunFolder) -> bool:
    """Whether the run has taken all its steps; raises `GnetError` where there is no run."""
    folder.config()
    return any(isinstance(e, RunEnded) and e.reason == "finished" for e in folder.events())


class _Run:
    """One run while it runs."""

    def __init__(
        self,
        config: TrainConfig,
        folder: RunFolder | None,
        group: Group,
        progress: Progress | None,
        stop: Callable[[], bool] | None,
    ) -> None:
        self.folder = folder if group.first else None
        self.group = group
        self.stop = stop or (lambda: False)
        self.started = time.monotonic()
        if config.threads:
            torch.set_num_threads(config.threads)
        self.data, self.val = _open_splits(config, progress)
        self.config = config = settled(config, len(self.data.classes))
        self.have_sharp = classes_with_sharp(self.data)
        self.per_epoch = steps_per_epoch(len(self.data), config.batch, group.world)
        if self.per_epoch == 0:
            raise GnetError(
                f"The training set has {len(self.data)} pictures; {2 * group.world} are the least."
            )
        self.steps = self.per_epoch * config.epochs
        self.device = device()
        model = first_network(config, self.data.classes).to(self.device)
        self.model = model.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        self.optimiser = make_optimiser(self.model, config)
        self.averaged = AveragedWeights(self.model, config.ema) if config.ema else None
        self.parallel: nn.Module = self.model
        if group.world > 1:
            if self.device.type == "cuda":  # replaces the norms in place, the network stays
                nn.SyncBatchNorm.convert_sync_batchnorm(self.model)
            self.parallel = nn.parallel.DistributedDataParallel(self.model)
        self.step = 0
        self.saved_step = 0
        self.saved_time = self.started
        self.stopping = False
        self.precision = ""
        self.epoch_steps: list[StepDone] = []
        """The events of the epoch that is under way."""
        self.judged = 0
        """Epochs that have been judged on the validation set."""
        self.scores: list[float] = []
        """The main head's validation accuracy after each epoch."""

    def restore(self, folder: RunFolder) -> list[Event]:
        """Go back to the last checkpoint, or to the start; the events until then."""
        past = folder.events()
        facts = folder.facts()
        for begun in (e for e in past if isinstance(e, RunStarted)):
            if (begun.classes, begun.steps) != (self.data.classes, self.steps):
                raise GnetError(
                    f"The run in {folder.path} began with {len(begun.classes)} classes and "
                    f"{begun.steps} steps; it would go on with {len(self.data.classes)} classes "
                    f"and {self.steps} steps, and only the same data, config and number of "
                    "processes are allowed."
                )
            self.precision = begun.precision
        if facts:
            folder.load_state(self.model, self.optimiser, self.averaged)
            self.step = self.saved_step = int(facts["step"])
        past = [e for e in past if e.step <= self.step]
        self.judged = sum(isinstance(e, EpochDone) for e in past)
        self.epoch_steps = [
            e for e in past if isinstance(e, StepDone) and e.epoch == self.judged + 1
        ]
        self.scores = [e.val_accuracy["main"] for e in past if isinstance(e, EpochDone)]
        return past

    def events(self, past: list[Event]) -> Iterator[Event]:
        """The run's events from here; `past` are those before, the resumption included."""
        config = self.config
        if not self.precision:
            self.precision = config.precision
            if config.precision == "auto":
                first_size = config.sizes_by_epoch()[0]
                self.precision = faster_precision(self.model, first_size, config.batch, self.group)
        self.saved_time = time.monotonic()
        reason = "failed"
        try:
            if past:
                yield self._noted(past[-1])
            if not any(isinstance(e, RunStarted) for e in past):
                yield self._noted(self._frame())
            yield from self._epochs()
            reason = "stopped" if self.stopping else "finished"
        except GeneratorExit:  # at a yield, where the state is that of a whole step
            reason = "stopped"
            raise
        finally:
            if reason == "stopped" and self.step > self.saved_step:
                self._save(best=False)
            ended = RunEnded(step=self.step, reason=reason, seconds=self._seconds())
            self._noted(ended)
        yield ended

    def _epochs(self) -> Iterator[Event]:
        for epoch in range(self.judged, self.config.epochs):
            with closing(self._epoch_steps(epoch)) as steps:
                for event in steps:
                    yield self._noted(event)
                    if self.stopping:
                        return
                    if time.monotonic() - self.saved_time >= self.config.checkpoint_seconds:
                        yield from self._save(best=False)
            done = self._noted(self._judge(epoch))
            assert isinstance(done, EpochDone)
            self.scores.append(done.val_accuracy["main"])
            self.judged, self.epoch_steps = epoch + 1, []
            saved = self._save(best=self._is_best(epoch))
            yield done
            yield from saved

    def _frame(self) -> RunStarted:
        return RunStarted(
            step=0,
            steps=self.steps,
            classes=self.data.classes,
            pictures={"train": len(self.data), "val": len(self.val)},
            parameters=sum(p.numel() for p in self.model.parameters()),
            precision=self.precision,
            threads=torch.get_num_threads(),
            processes=self.group.world,
        )

    def _epoch_steps(self, epoch: int) -> Generator[StepDone, None, None]:
        config = self.config
        drawn = batches(
            self.data,
            size=config.sizes_by_epoch()[epoch],
            batch=config.batch,
            seed=config.seed,
            epoch=epoch,
            balance=config.balance,
            augment=config.augment,
            thumbnails=config.thumbnails,
            vary_detail=config.vary_detail,
            first_step=self.step - epoch * self.per_epoch,
            rank=self.group.rank,
            world=self.group.world,
        )
        with closing(prefetch(drawn)) as ready:
            begun = time.monotonic()
            for drawn_batch in ready:
                event = self._take_step(epoch, drawn_batch, begun)
                self.epoch_steps.append(event)
                yield event
                begun = time.monotonic()

    def _take_step(self, epoch: int, drawn: Drawn, begun: float) -> StepDone:
        config = self.config
        count = self._whole_batch()
        # Dropout is drawn from the step, not from the run's past: so resuming needs no past.
        torch.manual_seed(_step_seed(config.seed, self.step, self.group.rank))
        rate = learning_rate(self.step, self.steps, config)
        for settings in self.optimiser.param_groups:
            settings["lr"] = rate
        self.parallel.train()
        pixels, labels = drawn.pixels.to(self.device), drawn.labels.to(self.device)
        x = self.model.info.preprocessing.normalise_bytes(pixels)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bf16"):
            logits = self.parallel(x)
        rivals = None
        if config.within_sharp:
            rivals = (self.have_sharp[None] | ~drawn.sharp[:, None]).to(self.device)
        losses = head_losses(logits, labels, config, rivals)
        # Processes average their gradients: each one's share of the whole batch's mean, times
        # the number of processes, averages to the whole batch's gradient.
        (weighted(losses, config) * (self.group.world / count)).backward()
        each, accuracy = self._shared(logits, labels, losses, count)
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)
        if self.averaged:
            self.averaged.update(self.model, self.step)
        self.step += 1
        weights = head_weights(config)
        return StepDone(
            step=self.step,
            epoch=epoch + 1,
            size=x.shape[-1],
            loss=sum(weights[head] * loss for head, loss in each.items()),
            losses=each,
            accuracy=accuracy,
            learning_rate=rate,
            pictures_per_second=count / max(time.monotonic() - begun, 1e-9),
            seconds=self._seconds(),
        )

    def _shared(
        self, logits: Logits, labels: Tensor, losses: dict[str, Tensor], count: int
    ) -> tuple[dict[str, float], dict[str, float]]:
        """Each head's mean loss and accuracy over all processes' `count` pictures.

        Whether any of them wants to stop travels along, so that all stop at the same step.
        """
        right = {head: (getattr(logits, head).argmax(1) == labels).sum() for head in losses}
        wish = torch.tensor(float(self.stop()), device=self.device)
        sums = torch.stack([v.detach().double() for v in (*losses.values(), *right.values(), wish)])
        *values, wishes = self.group.summed(sums).tolist()
        self.stopping = wishes > 0
        means = [value / count for value in values]
        return (
            dict(zip(losses, means[: len(losses)], strict=True)),
            dict(zip(losses, means[len(losses) :], strict=True)),
        )

    def _whole_batch(self) -> int:
        """Pictures of the current step over all processes."""
        taken = self.step % self.per_epoch * self.config.batch
        return min(self.config.batch, len(self.data) - taken)

    def _is_best(self, epoch: int) -> bool:
        """Whether no epoch before was as good; a larger input is a new contest, begun anew."""
        sizes = self.config.sizes_by_epoch()
        rivals = [
            s for s, size in zip(self.scores[:epoch], sizes, strict=False) if size == sizes[epoch]
        ]
        return self.scores[epoch] > max(rivals, default=-1.0)

    def _judge(self, epoch: int) -> EpochDone:
        model = self.averaged.model if self.averaged else self.model
        sizes = replace(model.info.preprocessing, size=self.config.sizes_by_epoch()[epoch])
        result = evaluate(model, self.val, sizes, bf16=self.precision == "bf16")
        steps = self.epoch_steps
        return EpochDone(
            step=self.step,
            epoch=epoch + 1,
            train_loss=_means([s.losses for s in steps]),
            train_accuracy=_means([s.accuracy for s in steps]),
            val_loss=result.losses(),
            val_accuracy=result.accuracy(),
            seconds=self._seconds(),
        )

    def _save(self, *, best: bool) -> list[Event]:
        """Keep weights and state; what is to be said of it."""
        self.saved_step, self.saved_time = self.step, time.monotonic()
        if not self.folder:
            return []
        model = self.averaged.model if self.averaged else self.model
        # The state comes last: a kill before it repeats the steps that these weights came from.
        if best:
            self.folder.keep(BEST, model)
        self.folder.keep(LAST, model)
        self.folder.save_state(
            self.model,
            self.optimiser,
            self.averaged,
            {"step": self.step, "precision": self.precision},
        )
        return [self._noted(CheckpointSaved(step=self.step, best=best))]

    def _noted(self, event: Event) -> Event:
        if self.folder:
            self.folder.append(event)
        return event

    def _seconds(self) -> float:
        return time.monotonic() - self.started


def _open_splits(config: TrainConfig, progress: Progress | None) -> tuple[Dataset, Dataset]:
    """What is trained on, and what the epochs are judged on."""

    def opened(split: str) -> Dataset:
        return open_dataset(
            config.data,
            split,
            classes=tuple(name for name in config.classes.split(",") if name),
            per_class=config.per_class or None,
            size=config.size,
            seed=config.seed,
            progress=progress,
        )

    if config.tune:
        return held_out(opened("train"))
    return opened("train"), opened("val")


def _means(rows: list[dict[str, float]]) -> dict[str, float]:
    return {head: sum(r[head] for r in rows) / len(rows) for head in rows[0]} if rows else {}


def _step_seed(seed: int, step: int, rank: int) -> int:
    return (seed * 1_000_003 + step) * 4099 + rank
