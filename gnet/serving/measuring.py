"""Measurements before a run: each in a niced process of its own, one at a time, with a deadline.

Beside a run they would be wrong and slow it down, so there are none then. Knows nothing of pages.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import IO, Any

from gnet.errors import GnetError
from gnet.runs.train_config import TrainConfig
from gnet.system.processes import environment, give_way
from gnet.system.stamps import stamp_of

COMMAND = (sys.executable, "-m", "gnet")
ESTIMATE, FIND_RATE = "estimate", "find-rate"
DEADLINES = {ESTIMATE: 60.0, FIND_RATE: 180.0}
"""Seconds that each may take."""
EVERY = 0.5
"""Seconds between two signs of life to who asked."""
_LOOKS = 0.05
_MOST_WAITING, _KEPT, _SENTENCE = 30, 64, 400

Answers = Generator[dict[str, Any] | None, None, None]
"""None every now and then while it is waited for, then the answer; closing it ends everything."""


@dataclass(eq=False)
class _Ask:
    """Somebody's question, in line or at work."""

    what: str
    who: str
    outdated: bool = field(default=False)


class Measuring:
    """A server's measurements; several threads may ask."""

    def __init__(
        self,
        running: Callable[[], int],
        *,
        command: Sequence[str] = COMMAND,
        deadlines: dict[str, float] | None = None,
    ) -> None:
        """`running` says how many runs are under way."""
        self._running = running
        self._command = command
        self._deadlines = DEADLINES | (deadlines or {})
        self._lock = threading.Lock()
        self._line: list[_Ask] = []
        self._known: OrderedDict[tuple, dict[str, Any]] = OrderedDict()
        self._process: subprocess.Popen[str] | None = None
        atexit.register(self.stop)

    def ask(self, what: str, config: TrainConfig, who: str) -> Answers:
        """What `python -m gnet estimate` or `find-rate` has to say of a run, as its record.

        Whoever asks once more takes back what they asked before: that ends without an answer.
        Raises `GnetError` beside a run for what was not measured before, past the deadline, and for
        what cannot be trained.
        """
        key = (what, config, stamp_of(config.data))
        with self._lock:
            known = self._known.get(key)
        if known is not None:
            yield known
            return
        with self._in_line(_Ask(what, who)) as mine:
            yield from self._turn(mine)
            if mine.outdated:
                return
            with self._lock:  # somebody before may have asked the same
                known = self._known.get(key)
            if known is not None:
                yield known
                return
            quiet = _is_quiet()
            answer = yield from self._measured(mine, config)
            if answer is None:
                return
            if quiet:
                with self._lock:
                    self._known[key] = answer
                    while len(self._known) > _KEPT:
                        self._known.popitem(last=False)
            yield answer

    def stop(self) -> None:
        """End the process that is at work, if there is one."""
        process = self._process
        if process is not None and process.poll() is None:
            process.kill()

    @contextmanager
    def _in_line(self, mine: _Ask) -> Iterator[_Ask]:
        with self._lock:
            for other in self._line:
                other.outdated |= (other.what, other.who) == (mine.what, mine.who)
            if len(self._line) >= _MOST_WAITING:
                raise GnetError(
                    f"{_MOST_WAITING} measurements are waiting already, which are as many as are "
                    "allowed; ask again in a minute."
                )
            self._line.append(mine)
        try:
            yield mine
        finally:
            with self._lock:
                self._line.remove(mine)

    def _turn(self, mine: _Ask) -> Generator[None, None, None]:
        """Until those who asked before have their answers."""
        said = 0.0
        while not mine.outdated and self._line[0] is not mine:
            if time.monotonic() - said > EVERY:
                yield None
                said = time.monotonic()
            time.sleep(_LOOKS)

    def _measured(
        self, mine: _Ask, config: TrainConfig
    ) -> Generator[None, None, dict[str, Any] | None]:
        """The answer of a process of its own; None where nobody waits for it any more."""
        self._check_quiet()
        with tempfile.TemporaryFile("w+", errors="replace") as said, self._begun(mine, said) as at:
            begun = time.monotonic()
            assert at.stdin
            with suppress(BrokenPipeError):
                at.stdin.write(json.dumps(config.to_json()) + "\n")
                at.stdin.flush()
            while at.poll() is None:
                self._check_quiet()
                if time.monotonic() - begun > self._deadlines[mine.what]:
                    raise GnetError(
                        f"Measuring took longer than {self._deadlines[mine.what]:.0f} s and was "
                        "ended; a smaller input, width or number of pictures a step is faster."
                    )
                yield None
                looked = time.monotonic()
                while at.poll() is None and time.monotonic() - looked < EVERY:
                    if mine.outdated:
                        return None
                    time.sleep(_LOOKS)
            said.seek(0)
            return _answer(at.returncode, said.read())

    @contextmanager
    def _begun(self, mine: _Ask, said: IO[str]) -> Iterator[subprocess.Popen[str]]:
        """The process at work; it is killed where it has not ended by itself."""
        try:
            process = subprocess.Popen(
                [*self._command, mine.what, "--stdin", "--json"],
                stdin=subprocess.PIPE,  # it ends when the server does, which closes this
                stdout=said,
                stderr=subprocess.STDOUT,
                text=True,
                env=environment(),
                start_new_session=True,
            )
        except OSError as error:
            raise GnetError(
                f"No process could be started to measure it ({error.strerror}); ask again later."
            ) from error
        self._process = process
        give_way(process.pid)
        try:
            yield process
        finally:
            process.kill()
            process.wait()
            if process.stdin:
                with suppress(BrokenPipeError):
                    process.stdin.close()
            self._process = None

    def _check_quiet(self) -> None:
        if self._running():
            raise GnetError(
                "A run is training here, and what is measured beside it would be wrong; ask again "
                "when it has ended."
            )


def _answer(code: int, said: str) -> dict[str, Any]:
    """The record told by a process that ended with `code`; raises `GnetError` for any other end."""
    last = (said.strip().splitlines() or [""])[-1]
    if code == 0:
        with suppress(ValueError):
            return json.loads(last)
    if code == 2:
        raise GnetError(last.removeprefix("gnet: ")[:_SENTENCE])
    if code < 0:
        raise GnetError(
            "Measuring was ended from outside, as happens where memory runs out; choose a smaller "
            "input, width or number of pictures a step."
        )
    raise GnetError(f"Measuring met an error it does not know: {last[:200]}")


def _is_quiet() -> bool:
    """Whether so little else was computed in the last minute that a figure is worth keeping."""
    if not hasattr(os, "getloadavg"):
        return True
    with suppress(OSError):
        return os.getloadavg()[0] < (os.cpu_count() or 1)
    return True
