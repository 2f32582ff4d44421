"""Recordings kept in memory: by what they are of, bounded in bytes and in age."""

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from threading import Lock

from gnet.explain.account import Account
from gnet.explain.attribution.attribute import Attribution
from gnet.explain.attribution.curves import Curves
from gnet.explain.recording import Recording
from gnet.explain.worth import Worth

KEPT_SECONDS = 3600.0
"""How long a picture, and what was recorded of it, is kept at most."""
_MOST_NAMES = 1000
"""Names of keys that are kept, some 200 bytes each."""


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A recording and what was computed of its picture since."""

    recording: Recording
    digest: str
    """Of the weights that it was recorded with."""
    since: float
    """In seconds of `time.monotonic`."""
    measured: dict[str, dict[str, int]] = field(default_factory=dict)
    """Stage → branch → effective field in px, as far as anybody asked."""
    worth: list[Worth] = field(default_factory=list)
    """What each branch is worth, once anybody asked."""
    accounts: dict[tuple[str, int], Account] = field(default_factory=dict)
    """Head and class → what each branch carries of that logit, as far as anybody asked."""
    maps: dict[Hashable, tuple[Attribution, Curves]] = field(default_factory=dict)
    """Question → a map of Why and its curves: those shown last, to be saved."""


class Recordings:
    """The recordings used last; older ones go when `max_bytes` are passed, or after an hour."""

    def __init__(self, max_bytes: int = 128_000_000, max_seconds: float = KEPT_SECONDS) -> None:
        self.max_bytes = max_bytes
        self.max_seconds = max_seconds
        self.nbytes = 0
        self._kept: OrderedDict[str, Kept] = OrderedDict()
        self._keys: OrderedDict[str, str] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: str, digest: str, compute: Callable[[], Recording]) -> Kept:
        """What is kept under `key`, computed if there is nothing; `digest` is of the weights."""
        kept = self.find(key, digest)
        if kept is not None:
            return kept
        recording = compute()
        with self._lock:
            if key not in self._kept:
                self._kept[key] = Kept(recording=recording, digest=digest, since=time.monotonic())
                self.nbytes += recording.nbytes
            kept = self._kept[key]
            while self.nbytes > self.max_bytes and len(self._kept) > 1:
                self._drop(next(iter(self._kept)))
        return kept

    def find(self, key: str, digest: str) -> Kept | None:
        """What is kept under `key`, if anything is; a recording of other weights is not given."""
        self.sweep()
        with self._lock:
            kept = self._kept.get(key)
            if kept is None or kept.digest != digest:
                return None
            self._kept.move_to_end(key)
            return kept

    def name(self, name: str, key: str) -> None:
        """Let `key_of` know what `key` is of, so that nothing need be read to find it again."""
        with self._lock:
            self._keys[name] = key
            while len(self._keys) > _MOST_NAMES:
                self._keys.popitem(last=False)

    def key_of(self, name: str) -> str:
        """The key that was given this name last; empty if none was."""
        return self._keys.get(name, "")

    def sweep(self) -> None:
        """Forget what is older than `max_seconds`."""
        oldest = time.monotonic() - self.max_seconds
        with self._lock:
            for key in [key for key, kept in self._kept.items() if kept.since < oldest]:
                self._drop(key)

    def _drop(self, key: str) -> None:
        self.nbytes -= self._kept.pop(key).recording.nbytes
