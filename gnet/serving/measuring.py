"""Measurements before a run (`estimate`, `find-rate`): one at a time, each in a child process.

A measurement has a deadline. There are none while a run trains: they would be wrong and slow it
down. Knows nothing of pages.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from gnet.errors import GnetError
from gnet.runs.train_config import TrainConfig
from gnet.system.processes import Child
from gnet.system.stamps import stamp_of

COMMAND = (sys.executable, "-m", "gnet")
ESTIMATE, FIND_RATE = "estimate", "find-rate"
DEADLINES = {ESTIMATE: 60.0, FIND_RATE: 180.0}
"""Seconds that each may take."""
EVERY = 0.5
"""Seconds between two signs of life."""
MOST_WAITING = 30
_KEPT, _LONGEST = 64, 400

Answers = Generator[dict[str, Any] | None, None, None]
"""None every now and then, then the answer; closing the generator ends the measurement."""


@dataclass(eq=False)
class _Question:
    """A measurement in line or under way."""

    kind: str
    owner: str
    outdated: bool = False
    child: Child | None = None

    def take_back(self) -> None:
        """End it without an answer."""
        self.outdated = True
        if self.child:
            self.child.end()


class Measuring:
    """A server's measurements; several threads may ask."""

    def __init__(
        self,
        running: Callable[[], int],
        *,
        command: Sequence[str] = COMMAND,
        deadlines: dict[str, float] | None = None,
        every: float = EVERY,
        most_waiting: int = MOST_WAITING,
        clock: Callable[[], float] = time.monotonic,
        load: Callable[[], float] | None = None,
    ) -> None:
        """`running` counts the runs under way, `load` the busy processes of the last minute."""
        self._running = running
        self._command = command
        self._deadlines = DEADLINES | (deadlines or {})
        self._every = every
        self._most_waiting = most_waiting
        self._clock = clock
        self._load = load or _load
        self._changed = threading.Condition()
        self._line: list[_Question] = []
        self._known: OrderedDict[tuple, dict[str, Any]] = OrderedDict()

    def ask(self, kind: str, config: TrainConfig, owner: str) -> Answers:
        """The record that `python -m gnet estimate` or `find-rate` prints for a run.

        A second question of the same kind by the same owner takes back the first, which ends
        without an answer. Raises `GnetError` while a run trains, unless the answer is known, past
        the deadline, and for a config that cannot be trained.
        """
        key = (kind, config, stamp_of(config.data))
        if key in self._known:
            yield self._known[key]
            return
        with self._in_line(_Question(kind, owner)) as question:
            while not self._is_next(question):
                yield None
            if question.outdated:
                return
            answer = self._known.get(key)  # an earlier question may have been the same
            if answer is None:
                quiet = self._load() < (os.cpu_count() or 1)
                answer = yield from self._measured(question, config)
                if answer and quiet:
                    self._keep(key, answer)
            if answer is not None:
                yield answer

    @contextmanager
    def _in_line(self, question: _Question) -> Iterator[_Question]:
        with self._changed:
            for other in self._line:
                if (other.kind, other.owner) == (question.kind, question.owner):
                    other.take_back()
            self._changed.notify_all()
            if len(self._line) >= self._most_waiting:
                raise GnetError(
                    f"{self._most_waiting} measurements are waiting already, the most that are "
                    "allowed; ask again in a minute."
                )
            self._line.append(question)
        try:
            yield question
        finally:
            with self._changed:
                self._line.remove(question)
                self._changed.notify_all()

    def _is_next(self, question: _Question) -> bool:
        """Whether its turn comes soon, or it is taken back."""
        with self._changed:
            return self._changed.wait_for(
                lambda: question.outdated or self._line[0] is question, self._every
            )

    def _measured(
        self, question: _Question, config: TrainConfig
    ) -> Generator[None, None, dict[str, Any] | None]:
        """The answer of a child process; None if the question was taken back."""
        self._check_no_run()
        deadline = self._deadlines[question.kind]
        begun = self._clock()
        with self._begun(question, config) as child:
            while not child.ended(self._every):
                self._check_no_run()
                if self._clock() - begun > deadline:
                    raise GnetError(
                        f"Measuring took longer than {deadline:.0f} s and was ended; choose a "
                        "smaller input, width or batch."
                    )
                yield None
            return None if question.outdated else _answer(child)

    @contextmanager
    def _begun(self, question: _Question, config: TrainConfig) -> Iterator[Child]:
        request = json.dumps(config.to_json()) + "\n"
        try:
            child = Child([*self._command, question.kind, "--asked", "--json"], request=request)
        except OSError as error:
            raise GnetError(
                f"No process could be started to measure it ({error.strerror}); ask again later."
            ) from error
        with child:
            with self._changed:
                question.child = child
                if question.outdated:
                    child.end()
            yield child

    def _keep(self, key: tuple, answer: dict[str, Any]) -> None:
        with self._changed:
            self._known[key] = answer
            while len(self._known) > _KEPT:
                self._known.popitem(last=False)

    def _check_no_run(self) -> None:
        if self._running():
            raise GnetError(
                "A run is training here, so a measurement would be wrong; ask again when it has "
                "ended."
            )


def _answer(child: Child) -> dict[str, Any]:
    """The record that an ended child printed; raises `GnetError` if it failed."""
    code, last = child.code or 0, child.last_line
    if code == 0:
        with suppress(ValueError):
            return json.loads(last)
    if code == 2:
        raise GnetError(last.removeprefix("gnet: ")[:_LONGEST])
    if code < 0:
        raise GnetError(
            "Measuring was ended from outside, as happens when memory runs out; choose a smaller "
            "input, width or batch."
        )
    raise GnetError(f"Measuring ended with an unexpected error: {last[:200]}")


def _load() -> float:
    """Busy processes on average over the last minute; 0 where the system does not count them."""
    with suppress(OSError, AttributeError):
        return os.getloadavg()[0]
    return 0.0
