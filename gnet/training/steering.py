"""Follows the requests to a run: pause, single step, new settings, stop.

Knows nothing of data, epochs or files.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import astuple, replace
from pathlib import Path
from time import sleep

import torch

from gnet.errors import GnetError
from gnet.runs.control import SETTINGS, Requests, read_requests, write_requests
from gnet.runs.events import Event, RequestRefused, RunContinued, RunPaused, SettingsChanged
from gnet.system.stamps import Stamp, stamp_of
from gnet.training.distributed import Group, device
from gnet.training.learner import Learner

LISTEN_EVERY = 0.1
"""Seconds between two checks for requests while a run is paused."""


class Steering:
    """Follows the requests to one run, and remembers which ones it has followed."""

    def __init__(
        self,
        listener: Listener,
        learner: Learner,
        log: Callable[[Event], Event],
        save: Callable[[], Iterable[Event]],
    ) -> None:
        """`log` writes down each event; `save` saves the run when it begins to wait."""
        self.listener = listener
        self.learner = learner
        self.log = log
        self.save = save
        self.stopping = False
        """Whether the run must stop now."""
        self._paused = False
        self._single_steps: int | None = None
        """Requested single steps that were taken; None before the first check."""
        self._planned: list[SettingsChanged] = []
        """Changes that a resumed run still has to repeat."""

    def restore(self, changes: list[SettingsChanged]) -> None:
        """Apply the changes made until the learner's step; plan to repeat the later ones."""
        for change in changes:
            if change.step <= self.learner.step:
                self.learner.set(**_settings(change))
            else:
                self._planned.append(change)

    def follow(self) -> Iterator[Event]:
        """Follow the requests; returns when the next step may be taken, or the run must stop."""
        while True:
            requests = self.listener.read()
            if refusal := self.listener.refusal():
                yield self.log(RequestRefused(step=self.learner.step, message=refusal))
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
                yield self.log(RunPaused(step=self.learner.step))
            yield from self.save()
            sleep(LISTEN_EVERY)
        if requests.pause:
            self._single_steps += 1
        elif self._paused:
            self._paused = False
            yield self.log(RunContinued(step=self.learner.step))

    def stop_requested(self) -> bool:
        """Whether a stop is requested; all processes must call this together."""
        self.stopping = self.listener.read().stop
        return self.stopping

    def _set(self, requests: Requests) -> Iterator[Event]:
        """Apply newly requested settings, and changes that a resumed run must repeat at this step.

        A new request replaces the changes that are still to be repeated.
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
        return self.log(change)


def _settings(holder: object) -> dict[str, float]:
    return {name: getattr(holder, name) for name in SETTINGS}


class Listener:
    """Reads the requests to a run, so that all its processes get the same ones at the same time."""

    def __init__(self, path: Path | None, group: Group, stop: Callable[[], bool]) -> None:
        """`path` is read by the first process only; `stop` is called in each process."""
        self.path = path if group.first else None
        self.group = group
        self.stop = stop
        self._latest = Requests()
        self._seen: Stamp = ()
        self._refusal = ""

    def read(self) -> Requests:
        """The current requests; all processes must call this together. Cheap if nothing is new."""
        own = self._from_file()
        numbers = [math.nan if value is None else float(value) for value in astuple(own)]
        if not self.group.first:
            numbers = [0.0] * len(numbers)
        requests = torch.tensor(
            [*numbers, float(self.stop())], dtype=torch.float64, device=device()
        )
        pause, steps, stop, *settings, signalled = self.group.summed(requests).tolist()
        named = dict(zip(SETTINGS, (None if math.isnan(v) else v for v in settings), strict=True))
        return Requests(pause=pause > 0, steps=round(steps), stop=stop + signalled > 0, **named)

    def refusal(self) -> str:
        """Why the file's latest content was refused; told once for each change of the file."""
        refusal, self._refusal = self._refusal, ""
        return refusal

    def clear_stop(self) -> None:
        """Remove a followed request to stop, and a pause, so that a resumed run goes on."""
        if self.path and self._from_file().stop:
            write_requests(self.path, replace(self._from_file(), pause=False, stop=False))

    def _from_file(self) -> Requests:
        """The requests in the file; the previous ones where it holds what no run can follow."""
        if self.path:
            seen = stamp_of(self.path)
            if seen != self._seen and not _is_empty(self.path):
                self._seen = seen
                try:
                    self._latest = read_requests(self.path)
                    self._refusal = ""
                except GnetError as error:
                    self._refusal = str(error)
        return self._latest


def _is_empty(path: Path) -> bool:
    """Whether the file has no content yet: a shell empties it before it writes."""
    try:
        return path.stat().st_size == 0
    except OSError:
        return False
