"""Training as an iterator of events: the same function in the page, on the command line, and
under `torchrun`.

All randomness comes from (seed, epoch, step), so a resumed run goes on as if nothing had happened.
Knows nothing of processes that watch it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, closing, nullcontext, suppress
from pathlib import Path

import torch

from gnet.data.batches import Batch
from gnet.data.prefetch import prefetch
from gnet.errors import GnetError
from gnet.evaluation.accuracy import Stopped
from gnet.runs.events import (
    BranchesSeen,
    CheckpointSaved,
    EpochDone,
    Event,
    GradientsMeasured,
    RunEnded,
    RunResumed,
    RunStarted,
    StepDone,
    seconds_spent,
)
from gnet.runs.folder import BEST, CONTROL, LAST, RunFolder
from gnet.runs.train_config import TrainConfig
from gnet.system.progress import Progress
from gnet.training import checkpoint
from gnet.training.distributed import Group, joined
from gnet.training.epochs import is_best, look, pinned_picture, validate
from gnet.training.gradients import gradients_by_head, norms_and_cosines, probe_batch
from gnet.training.learner import Learner, steps_each_epoch, training_batches
from gnet.training.precision import this_machine
from gnet.training.starting import first_weights, open_answers, open_splits, settled
from gnet.training.steering import Listener, Steering


def train(
    config: TrainConfig,
    run_dir: str | Path | None = None,
    *,
    progress: Progress | None = None,
    stop: Callable[[], bool] | None = None,
) -> Generator[Event, None, None]:
    """Train a network as `config` says, yielding events as they happen.

    With `run_dir` the run is kept there, can be resumed, and follows the requests in its
    `control.json`. Closing the iterator leaves a checkpoint behind. So does `stop`: it is called
    at every step and during validation, and once it returns True the run ends, in all processes at
    the same step. `progress(done, total)` counts pictures while the data set is read. Sets torch's
    seed and, if the config asks for it, its threads. Raises `GnetError` for what cannot be trained;
    a folder is made only for what can.
    """
    folder = RunFolder(run_dir) if run_dir is not None else None
    if folder:
        folder.check_new()
    with joined() as group:
        run = _Run(config, folder, group, progress, stop)
        with _held(folder, group):
            if folder and group.first:
                folder.check_new()  # another process may have been faster
                folder.create(run.config)
            yield from run.events([])


def resume(
    run_dir: str | Path,
    *,
    progress: Progress | None = None,
    stop: Callable[[], bool] | None = None,
) -> Generator[Event, None, None]:
    """Go on with the run in `run_dir` from its last checkpoint; a finished run yields nothing.

    A folder that holds nothing but a config is a run that has yet to begin.
    """
    folder = RunFolder(run_dir)
    config = folder.config()
    if is_finished(folder):
        return
    with joined() as group, _held(folder, group):
        run = _Run(config, folder, group, progress, stop)
        if not folder.begun():
            if group.first:
                folder.create(run.config)
            yield from run.events([])
        else:
            past = run.restore(folder)
            yield from run.events([*past, RunResumed(step=run.learner.step)])


def is_finished(folder: RunFolder) -> bool:
    """Whether the run has taken all its steps; raises `GnetError` where there is no run."""
    folder.config()
    return any(isinstance(e, RunEnded) and e.reason == "finished" for e in folder.events())


def _held(folder: RunFolder | None, group: Group) -> AbstractContextManager[None]:
    return folder.held() if folder and group.first else nullcontext()


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
        self.started = time.monotonic()
        self.stop = stop or (lambda: False)
        if config.threads:
            torch.set_num_threads(config.threads)
        self.data, self.val = open_splits(config, progress)
        weights, classes = first_weights(config), len(self.data.classes)
        self.config = config = settled(config, classes, weights, this_machine(group))
        self.per_epoch = steps_each_epoch(config, self.data, group)
        steps, answers = self.per_epoch * config.epochs, open_answers(config, self.data)
        self.learner = Learner(config, self.data, steps, group, weights, answers)
        self.listener = Listener(folder and folder.path / CONTROL, group, self._out_of_patience)
        self.steering = Steering(self.listener, self.learner, self._noted, self._rest)
        self.probe = probe_batch(self.data, config.size) if config.gradients_every else None
        seen = self.learner.model.info.preprocessing
        self.picture = pinned_picture(self.val, config.pinned, seen) if config.pinned >= 0 else None
        self.saved_step = 0
        self.saved_time = self.started
        self.epoch_steps: list[StepDone] = []
        """The events of the epoch that is under way."""
        self.validated = 0
        """Epochs that have been validated."""
        self.seen: set[int] = set()
        """Epochs after which the pinned picture was looked at; 0: before the first step."""
        self.seconds_before = 0.0
        """What the sessions before this one took."""
        self.scores: list[float] = []
        """The main head's validation accuracy after each epoch."""

    def restore(self, folder: RunFolder) -> list[Event]:
        """Go back to the last checkpoint, or to the start; the events until then."""
        past = folder.events()
        facts = checkpoint.facts(folder)
        learner = self.learner
        for begun in (e for e in past if isinstance(e, RunStarted)):
            if (begun.classes, begun.steps) != (self.data.classes, learner.steps):
                raise GnetError(
                    f"The run in {folder.path} began with {len(begun.classes)} classes and "
                    f"{begun.steps} steps; it would go on with {len(self.data.classes)} classes "
                    f"and {learner.steps} steps, and only the same data, config and number of "
                    "processes are allowed."
                )
            learner.precision = begun.precision
        if facts:
            if not past:
                raise GnetError(
                    f"{folder.path} holds a saved state without the events that led to it; put its "
                    "events.jsonl back or start a new run."
                )
            checkpoint.load_state(folder, learner.model, learner.optimiser, learner.ema)
            learner.step = self.saved_step = int(facts["step"])
        past = [e for e in past if e.step <= learner.step]
        self.seconds_before = seconds_spent(past)
        self.validated = sum(isinstance(e, EpochDone) for e in past)
        self.seen = {e.epoch for e in past if isinstance(e, BranchesSeen)}
        self.epoch_steps = [
            e for e in past if isinstance(e, StepDone) and e.epoch == self.validated + 1
        ]
        self.scores = [e.val_accuracy["main"] for e in past if isinstance(e, EpochDone)]
        self.steering.restore(folder.changes())
        return past

    def events(self, past: list[Event]) -> Iterator[Event]:
        """The run's events from here; `past` are those before, the resumption included."""
        self.saved_time = time.monotonic()
        try:
            try:
                yield from self._life(past)
            except GeneratorExit:  # at a yield, where the state is that of a whole step
                self.steering.stopping = True
                raise
            finally:
                if self.steering.stopping:
                    self._rest()
        except GeneratorExit:
            self._ended("stopped")
            raise
        except BaseException as error:
            with suppress(GnetError):  # where the disk is full the first sentence says more
                self._ended("failed", (str(error) or type(error).__name__).splitlines()[0])
            raise
        if self.steering.stopping:
            self.listener.used_up()
            yield self._ended("stopped", self._limit())
        else:
            yield self._ended("finished")

    def _life(self, past: list[Event]) -> Iterator[Event]:
        if past:
            yield self._noted(past[-1])
        if not any(isinstance(e, RunStarted) for e in past):
            yield self._noted(self._frame())
        yield from self._look_at_pinned(0)
        for epoch in range(self.validated, self.config.epochs):
            if not self.steering.stopping:
                yield from self._train_epoch(epoch)
            if not self.steering.stopping:
                yield from self._end_epoch(epoch)

    def _frame(self) -> RunStarted:
        if self.folder and self.picture is not None:
            self.folder.keep_pinned(self.picture)
        return RunStarted(
            step=0,
            steps=self.learner.steps,
            classes=self.data.classes,
            pictures={"train": len(self.data), "val": len(self.val)},
            parameters=sum(p.numel() for p in self.learner.model.parameters()),
            precision=self.learner.precision,
            threads=torch.get_num_threads(),
            processes=self.group.world,
        )

    def _train_epoch(self, epoch: int) -> Iterator[Event]:
        """The steps of an epoch that are still to be taken."""
        first = self.learner.step - epoch * self.per_epoch
        size = self.config.sizes_by_epoch()[epoch]
        answers = self.learner.answers
        batches = training_batches(
            self.config, self.data, epoch, size, self.group, answers, first_step=first
        )
        with closing(prefetch(batches)) as ready:
            begun = time.monotonic()
            for batch in ready:
                waited = time.monotonic() - begun
                yield from self.steering.follow()
                if self.steering.stopping:
                    return
                yield from self._take_step(epoch, batch, waited)
                if time.monotonic() - self.saved_time >= self.config.checkpoint_seconds:
                    yield from self._save(best=False)
                begun = time.monotonic()

    def _take_step(self, epoch: int, batch: Batch, waited: float) -> list[Event]:
        """One step, for whose pictures the run `waited` seconds.

        All of it is noted before it is yielded, so that stopping there loses nothing.
        """
        learner, config, begun = self.learner, self.config, time.monotonic() - waited
        before = learner.step % self.per_epoch * config.batch
        count = min(config.batch, len(self.data) - before)  # of the step, over all processes
        taken = learner.take(batch, count)
        done = StepDone(
            step=learner.step,
            epoch=epoch + 1,
            size=taken.size,
            loss=taken.loss,
            losses=taken.losses,
            accuracy=taken.accuracy,
            learning_rate=taken.learning_rate,
            pictures_per_second=count / max(time.monotonic() - begun, 1e-9),
            seconds=self._seconds(),
        )
        self.epoch_steps.append(done)
        events = [self._noted(done)]
        if self.probe and learner.step % config.gradients_every == 0:
            norms, cosines = norms_and_cosines(gradients_by_head(learner, self.probe))
            measured = GradientsMeasured(
                step=learner.step, epoch=epoch + 1, norms=norms, cosines=cosines
            )
            events.append(self._noted(measured))
        return events

    def _end_epoch(self, epoch: int) -> Iterator[Event]:
        """Validate an epoch and keep its weights; a request to stop leaves that for later."""
        sizes = self.config.sizes_by_epoch()
        try:
            done = validate(
                self.learner,
                self.val,
                sizes[epoch],
                self.epoch_steps,
                seconds=self._seconds,
                stop=self.steering.asked_to_stop,
            )
        except Stopped:
            return
        self.scores.append(done.val_accuracy["main"])
        best = is_best(self.scores, sizes)
        if best and self.folder:
            self.folder.keep(BEST, self.learner.shown)
        events = [*self._look_at_pinned(epoch + 1), self._noted(done)]
        self.validated, self.epoch_steps = epoch + 1, []
        yield from [*events, *self._save(best=best)]

    def _look_at_pinned(self, epoch: int) -> list[Event]:
        """What the pinned picture shows after `epoch` epochs, unless that was done already."""
        if (
            self.picture is None
            or epoch in self.seen
            or self.learner.step != epoch * self.per_epoch
        ):
            return []
        self.seen.add(epoch)
        step = self.learner.step
        return [self._noted(look(self.learner.shown, self.picture, step=step, epoch=epoch))]

    def _rest(self) -> list[Event]:
        """Nothing that was done is lost from here on."""
        return self._save(best=False) if self.learner.step > self.saved_step else []

    def _save(self, *, best: bool) -> list[Event]:
        """Keep weights and state; what is to be said of it."""
        learner = self.learner
        self.saved_step, self.saved_time = learner.step, time.monotonic()
        if not self.folder:
            return []
        # The state comes last: a kill before it repeats the steps that these weights came from.
        self.folder.keep(LAST, learner.shown)
        checkpoint.save_state(
            self.folder,
            learner.model,
            learner.optimiser,
            learner.ema,
            {"step": learner.step, "precision": learner.precision},
        )
        return [self._noted(CheckpointSaved(step=learner.step, best=best))]

    def _noted(self, event: Event) -> Event:
        if self.folder:
            self.folder.append(event)
        return event

    def _ended(self, reason: str, message: str = "") -> Event:
        ended = RunEnded(
            step=self.learner.step, reason=reason, seconds=self._seconds(), message=message
        )
        return self._noted(ended)

    def _out_of_patience(self) -> bool:
        return self.stop() or bool(self._limit())

    def _limit(self) -> str:
        """What is to be said once the run has taken all the time it may."""
        most = self.config.max_minutes
        over = most and self.seconds_before + self._seconds() >= 60 * most
        return f"the limit of {most:g} minutes (max_minutes) is reached" if over else ""

    def _seconds(self) -> float:
        return time.monotonic() - self.started
