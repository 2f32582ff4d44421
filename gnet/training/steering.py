"""Follows what is requested of a run: pause, single step, new settings, stop.

Knows nothing of data, epochs or files.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import astuple, replace
from pathlib import Path

import torch

from gnet.errors import GnetError
from gnet.runs.control import SETTINGS, Requests, read_requests, write_requests
from gnet.runs.events import Event, RunContinued, RunPaused, SettingsChanged
from gnet.system.stamps import Stamp, stamp_of
from gnet.training.distributed import Group, device
from gnet.training.learner import Learner

LISTEN_EVERY = 0.1
"""Seconds between two looks for a request while a run is paused."""


class Steering:
    """What was requested of a run so far, and what it made of that."""

    def __init__(
        self,
        listener: Listener,
        learner: Learner,
        note: Callable[[Event], Event],
        rest: Callable[[], Iterable[Event]],
    ) -> None:
        """`note` is told each event; `rest` is called whenever the run begins to wait."""
        self.listener = listener
        self.learner = learner
        self.note = note
        self.rest = rest
        self.stopping = False
        """Whether the run is to end here."""
        self._paused = False
        self._single_steps: int | None = None
        """Single steps that were taken, of all that were asked for; None before the first look."""
        self._planned: list[SettingsChanged] = []
        """Changes that a resumed run has yet to make again."""

    def restore(self, changes: list[SettingsChanged]) -> None:
        """Take up the changes made before the learner's step; plan those that were made after."""
        for change in changes:
            if change.step <= self.learner.step:
                self.learner.set(**_settings(change))
            else:
                self._planned.append(change)

    def follow(self) -> Iterator[Event]:
        """Do what is requested; ends when the next step is to be taken, or none any more."""
        while True:
            requests = self.listener.hear()
            self.stopping = requests.stop
            if (
                self._single_steps is None
                or not requests.pause
                or requests.steps < self._single_steps
            ):
                self._single_steps = requests.steps
            yield from self._set(requests)
            if self.stopping or not requests.pause or requests.steps > self._single_steps:
                break
            if not self._paused:
                self._paused = True
                yield self.note(RunPaused(step=self.learner.step))
            yield from self.rest()
            time.sleep(LISTEN_EVERY)
        if requests.pause:
            self._single_steps += 1
        elif self._paused:
            self._paused = False
            yield self.note(RunContinued(step=self.learner.step))

    def asked_to_stop(self) -> bool:
        """Whether somebody requests the run to end; all processes must ask together."""
        self.stopping = self.listener.hear().stop
        return self.stopping

    def _set(self, requests: Requests) -> Iterator[Event]:
        """Change the settings where somebody requests it, or did so at this step before.

        A new request overrules what was still to be repeated.
        """
        if self._planned and self._planned[0].step <= self.learner.step:
            yield self._changed(self._planned.pop(0))
        latest = _settings(self._planned[-1] if self._planned else self.learner.config)
        requested = {
            name: value for name, value in _settings(requests).items() if value is not None
        }
        if latest | requested != latest:
            self._planned.clear()
            yield self._changed(SettingsChanged(step=self.learner.step, **(latest | requested)))

    def _changed(self, change: SettingsChanged) -> Event:
        self.learner.set(**_settings(change))
        return self.note(change)


def _settings(holder: object) -> dict[str, float]:
    return {name: getattr(holder, name) for name in SETTINGS}


class Listener:
    """Hears what is requested of a run: the same in all its processes, at the same moment."""

    def __init__(self, path: Path | None, group: Group, stop: Callable[[], bool]) -> None:
        """`path` is read by the first process only; `stop` is asked in each."""
        self.path = path if group.first else None
        self.group = group
        self.stop = stop
        self._read = Requests()
        self._seen: Stamp = ()

    def hear(self) -> Requests:
        """What is requested by now; all processes must ask together. Cheap where nothing is new."""
        own = self._look()
        numbers = [math.nan if value is None else float(value) for value in astuple(own)]
        if not self.group.first:
            numbers = [0.0] * len(numbers)
        requests = torch.tensor(
            [*numbers, float(self.stop())], dtype=torch.float64, device=device()
        )
        pause, steps, stop, *settings, signalled = self.group.summed(requests).tolist()
        named = dict(zip(SETTINGS, (None if math.isnan(v) else v for v in settings), strict=True))
        return Requests(pause=pause > 0, steps=round(steps), stop=stop + signalled > 0, **named)

    def used_up(self) -> None:
        """Take back a request to stop that was followed, and the pause before it: a run that is
        resumed is to go on."""
        if self.path and self._look().stop:
            write_requests(self.path, replace(self._look(), pause=False, stop=False))

    def _look(self) -> Requests:
        """The file's requests; those before while it is not readable."""
        if self.path:
            seen = stamp_of(self.path)
            if seen != self._seen:
                with suppress(GnetError):
                    self._read = read_requests(self.path)
                    self._seen = seen
        return self._read
