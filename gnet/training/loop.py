"""Training as an iterator of events: the same function in the page, on the command line, and
under `torchrun`.

All randomness comes from (seed, epoch, step), so a resumed run continues exactly where it stopped.
Knows nothing of the processes that watch it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, closing, nullcontext, suppress
from dataclasses import replace
from pathlib import Path

import torch

from gnet.data.batches import Batch
from gnet.data.prefetch import prefetch
from gnet.data.source import lasting
from gnet.errors import GnetError
from gnet.evaluation.accuracy import Stopped
from gnet.runs.beginning import noting
from gnet.runs.events import (
    BranchesSeen,
    CheckpointSaved,
    EpochDone,
    Event,
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
from gnet.training.epochs import is_best, look, pinned_picture, steps_to_look_at, validate
from gnet.training.gradients import measure_gradients, probe_batch
from gnet.training.learner import Diverged, Learner, steps_each_epoch, training_batches
from gnet.training.precision import this_machine
from gnet.training.starting import (
    check_same_run,
    first_weights,
    open_answers,
    open_splits,
    resolved,
)
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
    `control.json`. `stop` is called at every step and during validation; once it returns True the
    run ends, in all processes at the same step. Ending it so, or closing the iterator, saves a
    checkpoint. `progress(done, total)` counts pictures while the data set is read. Sets torch's
    seed and, if the config has them, its threads. Raises `GnetError` for what cannot be trained,
    before it makes a folder.
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
    data: str | None = None,
    progress: Progress | None = None,
    stop: Callable[[], bool] | None = None,
) -> Generator[Event, None, None]:
    """Continue the run in `run_dir` from its last checkpoint; a finished run yields nothing.

    A folder with nothing but a config is a run that has not started yet. `data` is where the data
    set lies now, if it was moved.
    """
    folder = RunFolder(run_dir)
    config = folder.config()
    if folder.finished():
        return
    if data is not None:
        config = replace(config, data=lasting(data))
    with joined() as group, _held(folder, group):
        run = _Run(config, folder, group, progress, stop)
        if not folder.begun():
            if group.first:
                folder.create(run.config)
            yield from run.events([])
        else:
            past = run.restore(folder)
            if data is not None and group.first:
                folder.create(run.config)
            yield from run.events([*past, RunResumed(step=run.learner.step)])


def _held(folder: RunFolder | None, group: Group) -> AbstractContextManager[None]:
    return folder.held() if folder and group.first else nullcontext()


class _Run:
    """One run while it trains."""

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
        if self.folder and self.folder.path.exists():  # a server has made it, and waits
            progress = noting(self.folder.path, progress)
        self.data, self.val = open_splits(config, progress)
        weights, classes = first_weights(config), len(self.data.classes)
        self.config = config = resolved(config, classes, weights, this_machine(group))
        self.per_epoch = steps_each_epoch(config, self.data, group)
        steps, answers = self.per_epoch * config.epochs, open_answers(config, self.data)
        self.learner = Learner(config, self.data, steps, group, weights, answers)
        self.listener = Listener(folder and folder.path / CONTROL, group, self._must_stop)
        self.steering = Steering(self.listener, self.learner, self._log, self._save_progress)
        self.probe = probe_batch(self.data, config.size) if config.gradients_every else None
        seen = self.learner.model.info.preprocessing
        self.picture = pinned_picture(self.val, config.pinned, seen) if config.pinned >= 0 else None
        self.saved_step = 0
        self.saved_time = self.started
        self.epoch_steps: list[StepDone] = []
        """The events of the current epoch."""
        self.validated = 0
        """Number of epochs that are validated."""
        self.looks = steps_to_look_at(self.per_epoch)
        self.seen: set[int] = set()
        """Steps after which the pinned picture was recorded; 0: before the first."""
        self.seconds_before = 0.0
        """Time of the sessions before this one."""
        self.scores: list[float] = []
        """The main head's validation accuracy after each epoch."""

    def restore(self, folder: RunFolder) -> list[Event]:
        """Load the last checkpoint, or go back to the start; returns the events until then."""
        past = folder.events()
        facts = checkpoint.facts(folder)
        learner = self.learner
        for begun in (e for e in past if isinstance(e, RunStarted)):
            check_same_run(folder, begun, self.data.classes, learner.steps)
            learner.precision = begun.precision
        if facts is not None:
            if not past:
                raise GnetError(
                    f"{folder.path} holds a saved state without its events; put its events.jsonl "
                    "back or start a new run."
                )
            step = checkpoint.load_state(folder, learner.model, learner.optimiser, learner.ema)
            learner.step = self.saved_step = step
        past = [e for e in past if e.step <= learner.step]
        self.seconds_before = seconds_spent(past)
        self.validated = sum(isinstance(e, EpochDone) for e in past)
        self.seen = {e.step for e in past if isinstance(e, BranchesSeen)}
        self.epoch_steps = [
            e for e in past if isinstance(e, StepDone) and e.epoch == self.validated + 1
        ]
        self.scores = [e.val_accuracy["main"] for e in past if isinstance(e, EpochDone)]
        self.steering.restore(folder.changes())
        return past

    def events(self, past: list[Event]) -> Iterator[Event]:
        """The run's events from here on; `past` are the earlier ones, the resume included."""
        self.saved_time = time.monotonic()
        try:
            try:
                yield from self._train(past)
            except GeneratorExit:  # at a yield, so the last step is complete
                self.steering.stopping = True
                raise
            finally:
                if self.steering.stopping:
                    self._save_progress()
        except GeneratorExit:
            self._log_end("stopped")
            raise
        except Diverged as error:
            yield self._log_end("diverged", str(error))
            return
        except BaseException as error:
            with suppress(GnetError):  # on a full disk the first error says more
                self._log_end("failed", (str(error) or type(error).__name__).splitlines()[0])
            raise
        if self.steering.stopping:
            self.listener.clear_stop()
            yield self._log_end("stopped", self._limit_message())
        else:
            yield self._log_end("finished")

    def _train(self, past: list[Event]) -> Iterator[Event]:
        if past:
            yield self._log(past[-1])
        if not any(isinstance(e, RunStarted) for e in past):
            yield self._log(self._run_started())
        if self.learner.step == 0:
            yield from self._look_at_pinned(0)
        for epoch in range(self.validated, self.config.epochs):
            if not self.steering.stopping:
                yield from self._train_epoch(epoch)
            if not self.steering.stopping:
                yield from self._end_epoch(epoch)

    def _run_started(self) -> RunStarted:
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
        """The remaining steps of an epoch."""
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
        """One step, after a wait of `waited` seconds for its batch.

        Its events are logged before they are yielded, so that stopping there loses nothing.
        """
        learner, config, begun = self.learner, self.config, time.monotonic() - waited
        before = learner.step % self.per_epoch * config.batch
        count = min(config.batch, len(self.data) - before)  # in this step, over all processes
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
        events = [self._log(done)]
        if self.probe and learner.step % config.gradients_every == 0:
            events.append(self._log(measure_gradients(learner, self.probe, epoch + 1)))
        if learner.step % self.per_epoch in self.looks:
            events += self._look_at_pinned(epoch + 1)
        return events

    def _end_epoch(self, epoch: int) -> Iterator[Event]:
        """Validate an epoch and save its weights; a request to stop postpones both."""
        self.learner.check_weights()
        sizes = self.config.sizes_by_epoch()
        try:
            done = validate(
                self.learner,
                self.val,
                sizes[epoch],
                self.epoch_steps,
                seconds=self._seconds,
                stop=self.steering.stop_requested,
            )
        except Stopped:
            return
        if self.group.any(not all(map(math.isfinite, done.val_loss.values()))):
            raise Diverged("The validation loss became NaN or infinite", self.learner.step)
        self.scores.append(done.val_accuracy["main"])
        best = is_best(self.scores, sizes)
        if best and self.folder:
            self.folder.keep(BEST, self.learner.eval_model)
        events = [*self._look_at_pinned(epoch + 1), self._log(done)]
        self.validated, self.epoch_steps = epoch + 1, []
        yield from [*events, *self._save(best=best)]

    def _look_at_pinned(self, epoch: int) -> list[Event]:
        """Record the pinned picture now, in epoch `epoch`, unless that is done already."""
        step = self.learner.step
        if self.picture is None or step in self.seen:
            return []
        self.seen.add(step)
        return [self._log(look(self.learner.eval_model, self.picture, step=step, epoch=epoch))]

    def _save_progress(self) -> list[Event]:
        """Save a checkpoint if any step was taken since the last one."""
        return self._save(best=False) if self.learner.step > self.saved_step else []

    def _save(self, *, best: bool) -> list[Event]:
        """Save weights and state; returns the event."""
        learner = self.learner
        self.saved_step, self.saved_time = learner.step, time.monotonic()
        if not self.folder or not learner.finite():  # the last good checkpoint stays
            return []
        # The state comes last: if killed before, the run repeats the steps of these weights.
        self.folder.keep(LAST, learner.eval_model)
        checkpoint.save_state(
            self.folder,
            learner.model,
            learner.optimiser,
            learner.ema,
            {"step": learner.step, "precision": learner.precision},
        )
        return [self._log(CheckpointSaved(step=learner.step, best=best))]

    def _log(self, event: Event) -> Event:
        if self.folder:
            self.folder.append(event)
        return event

    def _log_end(self, reason: str, message: str = "") -> Event:
        ended = RunEnded(
            step=self.learner.step, reason=reason, seconds=self._seconds(), message=message
        )
        return self._log(ended)

    def _must_stop(self) -> bool:
        return self.stop() or bool(self._limit_message())

    def _limit_message(self) -> str:
        """The message once the run has used up its minutes, else an empty text."""
        most = self.config.max_minutes
        over = most and self.seconds_before + self._seconds() >= 60 * most
        return f"the limit of {most:g} minutes (max_minutes) is reached" if over else ""

    def _seconds(self) -> float:
        return time.monotonic() - self.started
