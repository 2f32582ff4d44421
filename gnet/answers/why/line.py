"""Whose turn it is to have something long computed that began by itself: in the order of asking.

Who waits asks again now and then and holds no place in the page's queue meanwhile, so a class that
clicks about cannot fill it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

from gnet.answers.why.jobs import check_ticket

PLACES = 2
"""Begun at once: one is computed, the next is on its way."""
PATIENCE = 10.0
"""Seconds after which one that has not asked again has left."""
MOST = 500
"""Tickets in line; more are told that as many are before them."""


@dataclass
class _Waiting:
    asked: float
    begun: bool = False


class Line:
    """Tickets in the order in which they first asked."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._tickets: dict[str, _Waiting] = {}
        self._lock = Lock()

    def ask(self, ticket: object) -> int:
        """How many must end before this ticket may begin; 0: it may begin now."""
        name, now = check_ticket(ticket), self._clock()
        with self._lock:
            for gone in [n for n, w in self._tickets.items() if self._has_left(w, now)]:
                del self._tickets[gone]
            if name not in self._tickets and len(self._tickets) >= MOST:
                return MOST
            waiting = self._tickets.setdefault(name, _Waiting(asked=now))
            waiting.asked = now
            return self._before(name)

    def begin(self, ticket: object) -> bool:
        """Whether the work of this ticket begins: not before its turn, and not once it has left."""
        name = check_ticket(ticket)
        with self._lock:
            if name not in self._tickets or self._before(name):
                return False
            self._tickets[name].begun = True
            return True

    def leave(self, ticket: object) -> None:
        """The work of this ticket has ended, or is not wanted any more."""
        with self._lock:
            self._tickets.pop(check_ticket(ticket), None)

    def __len__(self) -> int:
        return len(self._tickets)

    def _before(self, name: str) -> int:
        return max(0, list(self._tickets).index(name) + 1 - PLACES)

    def _has_left(self, waiting: _Waiting, now: float) -> bool:
        return not waiting.begun and now - waiting.asked > PATIENCE
