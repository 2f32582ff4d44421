"""Recordings kept in memory: by what they are of, bounded in bytes and in age."""

import time
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

from gnet.recording import Recording
from gnet.ui.uploads import KEPT_SECONDS


class Recordings:
    """The recordings used last; older ones go when `max_bytes` are passed, or after an hour."""

    def __init__(self, max_bytes: int = 256_000_000, max_seconds: float = KEPT_SECONDS) -> None:
        self.max_bytes = max_bytes
        self.max_seconds = max_seconds
        self.nbytes = 0
        self._kept: OrderedDict[str, tuple[Recording, float]] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: str, compute: Callable[[], Recording]) -> Recording:
        """The recording under `key`, computed if it is not there."""
        with self._lock:
            self._drop_old()
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key][0]
        recording = compute()
        with self._lock:
            if key not in self._kept:
                self._kept[key] = (recording, time.monotonic())
                self.nbytes += recording.nbytes
            while self.nbytes > self.max_bytes and len(self._kept) > 1:
                self._drop(next(iter(self._kept)))
        return recording

    def _drop_old(self) -> None:
        oldest = time.monotonic() - self.max_seconds
        for key in [key for key, (_, since) in self._kept.items() if since < oldest]:
            self._drop(key)

    def _drop(self, key: str) -> None:
        recording, _ = self._kept.pop(key)
        self.nbytes -= recording.nbytes
