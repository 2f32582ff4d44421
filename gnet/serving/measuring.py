"""Measurements before a run (`estimate`, `find-rate`): one at a time, each in a child process.

Each measurement has a deadline. None is made while a run trains: its result would be wrong, and it
would slow the run down. Knows nothing of pages.
"""

from __future__ import annotations

import itertools
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

from gnet import strict_json
from gnet.errors import GnetError
from gnet.runs.train_config import TrainConfig
from gnet.system.processes import Child
from gnet.system.stamps import stamp_of

COMMAND = (sys.executable, "-m", "gnet")
ARGUMENTS = ("--stdin", "--json")
"""Read the settings from standard input, print one line of JSON."""
ESTIMATE, FIND_RATE = "estimate", "find-rate"
DEADLINES = {ESTIMATE: 60.0, FIND_RATE: 180.0}
"""The deadline of each kind in seconds."""
EVERY = 0.5
"""Seconds between two `None` answers while the caller waits."""
MOST_WAITING = 30
GRACE = 20.0
"""Seconds after which a request whose caller does not go on with it lets the next one pass."""
_KEPT, _LONGEST, _OWNERS = 64, 400, 1000

Answers = Generator[dict[str, Any] | None, None, None]
"""`None` now and then while it measures, then the answer; closing it ends the measurement."""


@dataclass(eq=False)
class _Request:
    """A request for a measurement, waiting or being measured."""

    kind: str
    owner: str
    turn: int
    cancelled: bool = False
    child: Child | None = None
    seen: float = 0.0
    """When its caller last went on with it, by the measurements' clock."""

    def cancel(self) -> None:
        """End the measurement without an answer."""
        self.cancelled = True
        if self.child:
            self.child.end()


class Measuring:
    """The measurements of one server; safe to call from several threads."""

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
        """`running` counts the runs that train, `load` the busy processes of the last minute."""
        self._running = running
        self._command = command
        self._deadlines = DEADLINES | (deadlines or {})
        self._every = every
        self._most_waiting = most_waiting
        self._clock = clock
        self._load = load or _load
        self._changed = threading.Condition()
        self._line: list[_Request] = []
        self._turns = itertools.count()
        self._latest: OrderedDict[tuple[str, str], int] = OrderedDict()
        """Kind and owner → the turn of the latest request."""
        self._known: OrderedDict[tuple, dict[str, Any]] = OrderedDict()

    def turn(self) -> int:
        """A place in the order of requests; take it when a request arrives."""
        return next(self._turns)

    def ask(
        self, kind: str, config: TrainConfig, owner: str, *, turn: int | None = None
    ) -> Answers:
        """The record that `python -m gnet estimate` or `find-rate` prints for a run.

        A later request of the same kind by the same owner cancels those before it, which end
        without an answer, whichever gets here first; `turn` is by default its place now.

        Raises `GnetError` past the deadline and for a config that cannot be trained; also while a
        run trains, unless the answer is known.
        """
        request = _Request(kind, owner, self.turn() if turn is None else turn)
        key = (kind, config, stamp_of(config.data))
        if key in self._known and self._is_latest(request):
            yield self._known[key]
            return
        with self._in_line(request):
            while not self._is_next(request):
                yield None
            if request.cancelled:
                return
            answer = self._known.get(key)  # an earlier request may have been the same
            if answer is None:
                quiet = self._load() < (os.cpu_count() or 1)
                answer = yield from self._measured(request, config)
                if answer and quiet:
                    self._keep(key, answer)
            if answer is not None:
                yield answer

    @contextmanager
    def _in_line(self, request: _Request) -> Iterator[None]:
        request.cancelled = not self._is_latest(request)
        with self._changed:
            for other in self._line:
                same = (other.kind, other.owner) == (request.kind, request.owner)
                if same and other.turn < request.turn:
                    other.cancel()
            self._changed.notify_all()
            if len(self._line) >= self._most_waiting:
                raise GnetError(
                    f"{self._most_waiting} measurements are waiting already, the most that are "
                    "allowed; try again in a minute."
                )
            request.seen = self._clock()
            self._line.append(request)
        try:
            yield
        finally:
            with self._changed:
                if request in self._line:
                    self._line.remove(request)
                self._changed.notify_all()

    def _is_latest(self, request: _Request) -> bool:
        """Whether its owner has made no later request of its kind; notes it if so."""
        of = (request.kind, request.owner)
        with self._changed:
            if self._latest.get(of, request.turn) > request.turn:
                return False
            self._latest[of] = request.turn
            self._latest.move_to_end(of)
            while len(self._latest) > _OWNERS:
                self._latest.popitem(last=False)
            return True

    def _is_next(self, request: _Request) -> bool:
        """Wait a moment; whether it is the first in line, or cancelled."""
        with self._changed:
            request.seen = self._clock()
            # A page that was closed may leave its request neither asked further nor closed.
            for lost in [one for one in self._line if request.seen - one.seen > GRACE]:
                lost.cancel()
                self._line.remove(lost)
            return self._changed.wait_for(
                lambda: request.cancelled or self._line[0] is request, self._every
            )

    def _measured(
        self, request: _Request, config: TrainConfig
    ) -> Generator[None, None, dict[str, Any] | None]:
        """The answer of a child process; None if the request was cancelled."""
        self._check_no_run()
        deadline = self._deadlines[request.kind]
        begun = self._clock()
        with self._begun(request, config) as child:
            while not child.ended(self._every):
                self._check_no_run()
                if self._clock() - begun > deadline:
                    raise GnetError(
                        f"The measurement took longer than {deadline:.0f} s and was stopped; "
                        "choose a smaller input, width or batch."
                    )
                yield None
                request.seen = self._clock()
            return None if request.cancelled else _answer(child)

    @contextmanager
    def _begun(self, request: _Request, config: TrainConfig) -> Iterator[Child]:
        settings = strict_json.dumps(config.to_json()) + "\n"
        try:
            child = Child([*self._command, request.kind, *ARGUMENTS], request=settings)
        except OSError as error:
            raise GnetError(
                f"No process could be started to measure it ({error.strerror}); try again later."
            ) from error
        with child:
            with self._changed:
                request.child = child
                if request.cancelled:
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
                "A run is training here, so a measurement would be wrong; try again when it has "
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
            "The measurement was killed, which happens when memory runs out; choose a smaller "
            "input, width or batch."
        )
    raise GnetError(f"The measurement ended with an unexpected error: {last[:200]}")


def _load() -> float:
    """Busy processes on average over the last minute; 0 where the system does not count them."""
    with suppress(OSError, AttributeError):
        return os.getloadavg()[0]
    return 0.0
