"""Downloads data sets known by name in the background, each once, and reports the progress."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from pathlib import Path

from gnet.data import catalogue
from gnet.data.catalogue import TORCHVISION
from gnet.data.source import Source, is_missing, parse

EVERY = 0.5
"""Seconds between two reports."""
_COUNTED_EVERY = 1.0
"""Seconds between two counts of the bytes: an archive being unpacked is many files."""


class Fetching:
    """The downloads of one server; safe to call from several threads."""

    def __init__(
        self,
        *,
        fetch: Callable[[str, str], object] = catalogue.fetch,
        bytes_so_far: Callable[[str], int] = catalogue.bytes_so_far,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fetch = fetch
        self._bytes_so_far = bytes_so_far
        self._clock = clock
        self._lock = threading.Lock()
        self._running: dict[str, Future[None]] = {}
        self._counted: dict[str, tuple[float, str]] = {}

    def fetch(self, spec: str | Path | Source, every: float = EVERY) -> Iterator[str]:
        """Download a data set if it is missing; yields a sentence on the progress meanwhile.

        All callers share one download of a data set. Raises GnetError.
        """
        source = parse(spec)
        if not is_missing(source):
            return
        key = source.name
        with self._lock:
            future = self._running.get(key)
            if future is None:
                future = self._running[key] = Future()
                args = (key, future)
                threading.Thread(
                    target=self._download, args=args, name=f"fetch {key}", daemon=True
                ).start()
        while True:
            yield self._sentence(key)
            wait([future], every)
            if future.done():
                return future.result()

    def progress(self, spec: str | Path | Source) -> str:
        """A sentence on a data set's download, by any process; empty if the data set is here.

        The bytes are counted at most once a second.
        """
        source = parse(spec)
        if not is_missing(source):
            return ""
        with self._lock:
            counted, sentence = self._counted.get(source.name, (-_COUNTED_EVERY, ""))
            if self._clock() - counted >= _COUNTED_EVERY:
                sentence = self._sentence(source.name)
                self._counted[source.name] = self._clock(), sentence
            return sentence

    def _sentence(self, key: str) -> str:
        so_far = self._bytes_so_far(key) / 1e6
        return f"Downloading {TORCHVISION[key].label}: {so_far:.0f} MB so far"

    def _download(self, key: str, future: Future[None]) -> None:
        try:
            self._fetch(key, "train")
        except BaseException as error:  # the callers that wait get it
            future.set_exception(error)
        else:
            future.set_result(None)
        finally:
            with self._lock:
                self._running.pop(key, None)
