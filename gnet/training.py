"""Training as an iterator of events: the same function in the page, on the command line, and
under `torchrun`.

All randomness comes from (seed, epoch, step), so a resumed run goes on as if nothing had happened.
Knows nothing of processes that watch it.
"""

from __future__ import annotations

import copy
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn
from torch import distributed as dist

from gnet.batches import batches, prefetch, steps_per_epoch
from gnet.config import HEADS, TRAINED, UNTRAINED, ModelInfo, Preprocessing
from gnet.data import Dataset, open_dataset
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
from gnet.model import GoogLeNet
from gnet.optimisation import (
    AveragedWeights,
    head_losses,
    learning_rate,
    make_optimiser,
    weighted,
)
from gnet.run_folder import BEST, LAST, RunFolder
from gnet.train_config import TrainConfig

Progress = Callable[[int, int], None]


def train(
    config: TrainConfig,
    run_dir: str | Path | None = None,
    *,
    progress: Progress | None = None,
) -> Iterator[Event]:
    """Train a network as `config` says, yielding events as they happen.

    With `run_dir` the run is kept there and can be resumed; closing the iterator then leaves a
    checkpoint behind. `progress(done, total)` counts pictures while the data set is read. Raises
    `GnetError` for what cannot be trained.
    """
    folder = RunFolder(run_dir) if run_dir is not None else None
    with _processes() as group:
        if folder and group.first:
            folder.create(config)
        yield from _Run(config, folder, group, progress).events(resumed=False)


def resume(run_dir: str | Path, *, progress: Progress | None = None) -> Iterator[Event]:
    """Go on with the run in `run_dir` from its last checkpoint; a finished run yields nothing."""
    folder = RunFolder(run_dir)
    config = folder.config()
    if is_finished(folder):
        return
    with _processes() as group:
        yield from _Run(config, folder, group, progress).events(resumed=True)


def is_finished(folder: RunFolder) -> bool:
    """Whether the run has taken all its steps."""
    return any(isinstance(e, RunEnded) and e.reason == "finished" for e in folder.events())


@dataclass(frozen=True)
class _Group:
    """The processes that train together; `rank` 0 speaks for all."""

    rank: int = 0
    world: int = 1

    @property
    def first(self) -> bool:
        return self.rank == 0

    def summed(self, values: Tensor) -> Tensor:
        if self.world > 1:
            dist.all_reduce(values)
        return values


@contextmanager
def _processes() -> Iterator[_Group]:
    """Join the other processes when `torchrun` started this one; alone otherwise."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield _Group()
        return
    dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    try:
        yield _Group(dist.get_rank(), dist.get_world_size())
    finally:
        dist.destroy_process_group()


def _device() -> torch.device:
    if not torch.cuda.is_available():
        return torch.device("cpu")
    return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))


class _Run:
    """One run while it runs."""

    def __init__(
        self,
        config: TrainConfig,
        folder: RunFolder | None,
        group: _Group,
        progress: Progress | None,
    ) -> None:
        self.folder = folder if group.first else None
        self.group = group
        self.source = folder
        if config.threads:
            torch.set_num_threads(config.threads)
        self.data, self.val = _open_splits(config, progress)
        config = replace(config, model=replace(config.model, num_classes=len(self.data.classes)))
        self.config = config
        self.per_epoch = steps_per_epoch(len(self.data), config.batch, group.world)
        if self.per_epoch == 0:
            raise GnetError(f"The training set has {len(self.data)} pictures; 2 are the least.")
        self.steps = self.per_epoch * config.epochs
        self.device = _device()
        torch.manual_seed(config.seed)
        model = GoogLeNet(config.model, _info(config, self.data)).to(self.device)
        self.model = model.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        self.optimiser = make_optimiser(self.model, config)
        self.averaged = AveragedWeights(self.model, config.ema) if config.ema else None
        self.parallel: nn.Module = self.model
        if group.world > 1:
            if self.device.type == "cuda":  # replaces the norms in place, the network stays
                nn.SyncBatchNorm.convert_sync_batchnorm(self.model)
            self.parallel = nn.parallel.DistributedDataParallel(self.model)
        self.step = 0
        self.precision = ""
        self.epoch_steps: list[StepDone] = []
        self.best = -1.0
        self.started = time.monotonic()

    def events(self, *, resumed: bool) -> Iterator[Event]:
        facts = self.source.facts() if resumed and self.source else None
        if facts:
            self._restore(facts)
        self.precision = self.precision or self._precision()
        if resumed:
            yield self._noted(RunResumed(step=self.step))
        if self.step == 0:
            yield self._noted(self._frame())
        saved = time.monotonic()
        reason = "stopped"
        try:
            for epoch in range(self.step // self.per_epoch, self.config.epochs):
                for event in self._epoch_steps(epoch):
                    yield self._noted(event)
                    if self.step == (epoch + 1) * self.per_epoch:
                        break  # an epoch's end is saved once it has been judged
                    if time.monotonic() - saved >= self.config.checkpoint_seconds:
                        yield from self._save(best=False)
                        saved = time.monotonic()
                done = self._judge(epoch)
                yield self._noted(done)
                score = done.val_accuracy["main"]
                yield from self._save(best=score > self.best)
                self.best = max(score, self.best)
                self.epoch_steps = []
                saved = time.monotonic()
            reason = "finished"
        finally:
            # Between the last step of an epoch and its judgement there is nothing new to keep:
            # resuming takes the steps since the last checkpoint again.
            if reason == "stopped" and self.step % self.per_epoch:
                for _ in self._save(best=False):
                    pass
            ended = RunEnded(step=self.step, reason=reason, seconds=self._seconds())
            self._noted(ended)
        yield ended

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

    def _epoch_steps(self, epoch: int) -> Iterator[StepDone]:
        config = self.config
        drawn = prefetch(
            batches(
                self.data,
                size=config.sizes_by_epoch()[epoch],
                batch=config.batch,
                seed=config.seed,
                epoch=epoch,
                balance=config.balance,
                augment=config.augment,
                blur=config.blur,
                first_step=self.step % self.per_epoch,
                rank=self.group.rank,
                world=self.group.world,
            )
        )
        try:
            for pixels, labels in drawn:
                event = self._take_step(epoch, pixels, labels)
                self.epoch_steps.append(event)
                yield event
        finally:
            drawn.close()  # pyright: ignore[reportAttributeAccessIssue]

    def _take_step(self, epoch: int, pixels: Tensor, labels: Tensor) -> StepDone:
        begun = time.monotonic()
        config = self.config
        count = self._whole_batch()
        # Dropout is drawn from the step, not from the run's past: so resuming needs no past.
        torch.manual_seed(_step_seed(config.seed, self.step, self.group.rank))
        rate = learning_rate(self.step, self.steps, config)
        for settings in self.optimiser.param_groups:
            settings["lr"] = rate
        self.parallel.train()
        pixels, labels = pixels.to(self.device), labels.to(self.device)
        x = self.model.info.preprocessing.normalise(pixels.float() / 255)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bf16"):
            logits = self.parallel(x)
        losses = head_losses(logits, labels, config)
        # Processes average their gradients: each one's share of the whole batch's mean, times
        # the number of processes, averages to the whole batch's gradient.
        (weighted(losses, config) * (self.group.world / count)).backward()
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)
        if self.averaged:
            self.averaged.update(self.model, self.step)
        self.step += 1
        heads = list(losses)
        right = [(getattr(logits, h).argmax(1) == labels).sum() for h in heads]
        sums = torch.stack(
            [losses[h].detach().double() for h in heads] + [r.double() for r in right]
        )
        means = (self.group.summed(sums) / count).tolist()
        each = dict(zip(heads, means[: len(heads)], strict=True))
        total = weighted({h: torch.tensor(v, dtype=torch.float64) for h, v in each.items()}, config)
        return StepDone(
            step=self.step,
            epoch=epoch + 1,
            size=x.shape[-1],
            loss=total.item(),
            losses=each,
            accuracy=dict(zip(heads, means[len(heads) :], strict=True)),
            learning_rate=rate,
            pictures_per_second=count / max(time.monotonic() - begun, 1e-9),
            seconds=self._seconds(),
        )

    def _whole_batch(self) -> int:
        """Pictures of the current step over all processes."""
        taken = self.step % self.per_epoch * self.config.batch
        return min(self.config.batch, len(self.data) - taken)

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

    def _save(self, *, best: bool) -> Iterator[Event]:
        if not self.folder:
            return
        model = self.averaged.model if self.averaged else self.model
        self.folder.save_state(
            self.model,
            self.optimiser,
            self.averaged,
            {"step": self.step, "precision": self.precision},
        )
        self.folder.keep(LAST, model)
        if best:
            self.folder.keep(BEST, model)
        yield self._noted(CheckpointSaved(step=self.step, best=best))

    def _restore(self, facts: dict) -> None:
        assert self.source
        self.source.load_state(self.model, self.optimiser, self.averaged)
        self.step, self.precision = int(facts["step"]), str(facts["precision"])
        past = [e for e in self.source.events() if e.step <= self.step]
        epoch = self.step // self.per_epoch + 1
        self.epoch_steps = [e for e in past if isinstance(e, StepDone) and e.epoch == epoch]
        scores = [e.val_accuracy["main"] for e in past if isinstance(e, EpochDone)]
        self.best = max(scores, default=-1.0)

    def _precision(self) -> str:
        """What the config asks for; `auto` times a step of each and takes the faster."""
        if self.config.precision != "auto":
            return self.config.precision
        size = self.config.sizes_by_epoch()[0]
        times = {p: step_seconds(self.model, size, self.config.batch, p) for p in ("fp32", "bf16")}
        faster = torch.tensor([float(times["bf16"] < times["fp32"])])
        return "bf16" if self.group.summed(faster).item() * 2 > self.group.world else "fp32"

    def _noted(self, event: Event) -> Event:
        if self.folder:
            self.folder.append(event)
        return event

    def _seconds(self) -> float:
        return time.monotonic() - self.started


def step_seconds(model: GoogLeNet, size: int, batch: int, precision: str) -> float:
    """Seconds of one training step (forward and backward, s) on a copy, after one to warm up."""
    trial = copy.deepcopy(model).train()
    device = next(trial.parameters()).device
    x = torch.zeros(batch, 3, size, size, device=device)
    x = x.contiguous(memory_format=torch.channels_last)
    seconds = 0.0
    for _ in range(2):
        begun = time.monotonic()
        with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16"):
            logits = trial(x)
        torch.stack([z.float().mean() for z in logits if z is not None]).sum().backward()
        seconds = time.monotonic() - begun
    return seconds


def _open_splits(config: TrainConfig, progress: Progress | None) -> tuple[Dataset, Dataset]:
    train_set, val_set = (
        open_dataset(
            config.data,
            split,
            per_class=config.per_class or None,
            size=config.size,
            seed=config.seed,
            progress=progress,
        )
        for split in ("train", "val")
    )
    return train_set, val_set


def _info(config: TrainConfig, data: Dataset) -> ModelInfo:
    weights = {"main": 1.0, "aux1": config.aux1_weight, "aux2": config.aux2_weight}
    has = ("main",) if not config.model.aux else HEADS
    return ModelInfo(
        name=f"trained on {Path(config.data).name}",
        classes=data.classes,
        preprocessing=Preprocessing(size=config.size),
        heads={h: TRAINED if h in has and weights[h] > 0 else UNTRAINED for h in HEADS},
    )


def _means(rows: list[dict[str, float]]) -> dict[str, float]:
    return {head: sum(r[head] for r in rows) / len(rows) for head in rows[0]} if rows else {}


def _step_seed(seed: int, step: int, rank: int) -> int:
    return (seed * 1_000_003 + step) * 4099 + rank
