"""Work that tells how far it is, and that its viewer can end: one thread each, none left behind."""

from __future__ import annotations

from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from threading import Event, Lock
from typing import Any

from gnet.errors import FieldError
from gnet.words import cut

_STEP = 0.01
"""What must be done more before it is told again."""
_LONGEST = 64


class CancelledError(Exception):
    """The viewer has ended the work."""


Heard = Callable[[float], None]


def telling(
    work: Callable[[Heard], dict[str, Any]], end: Event | None = None
) -> Generator[dict[str, Any], None, None]:
    """How far `work` is, as {"done": fraction}, and then its answer.

    It runs in a thread of its own. Once `end` is set, or nobody listens any more, it ends at its
    next sign of life, and the thread with it.
    """
    end = end or Event()
    told: SimpleQueue[float | None] = SimpleQueue()
    last = -_STEP

    def heard(done: float) -> None:
        nonlocal last
        if end.is_set():
            raise CancelledError
        if done - last >= _STEP:
            last = done
            told.put(done)

    with ThreadPoolExecutor(max_workers=1) as pool:
        try:
            answer = pool.submit(work, heard)
            answer.add_done_callback(lambda _: told.put(None))
            while (done := told.get()) is not None:
                yield {"done": round(done, 3)}
            yield answer.result()
        finally:
            end.set()


class Jobs:
    """The work under way, by the ticket that its viewer chose."""

    def __init__(self) -> None:
        self._ends: dict[str, Event] = {}
        self._lock = Lock()

    def run(
        self, ticket: Any, work: Callable[[Heard], dict[str, Any]]
    ) -> Generator[dict[str, Any], None, None]:
        """As `telling`; for work that its viewer ended the last answer is {"cancelled": True}."""
        name, end = check_ticket(ticket), Event()
        with self._lock:
            self._ends[name] = end
        try:
            yield from telling(work, end)
        except CancelledError:
            yield {"cancelled": True}
        finally:
            with self._lock:
                if self._ends.get(name) is end:
                    del self._ends[name]

    def cancel(self, ticket: Any) -> bool:
        """End the work of this ticket; False where none is under way."""
        with self._lock:
            end = self._ends.get(check_ticket(ticket))
        if end is not None:
            end.set()
        return end is not None

    def __len__(self) -> int:
        return len(self._ends)


def check_ticket(ticket: Any) -> str:
    """The ticket, a short text; raises `FieldError` for anything else."""
    if not isinstance(ticket, str) or not 0 < len(ticket) <= _LONGEST:
        raise FieldError("ticket", cut(ticket), f"texts of 1 to {_LONGEST} letters")
    return ticket
