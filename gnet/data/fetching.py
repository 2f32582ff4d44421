"""Fetches data sets known by name in the background, each once, and tells how far it is."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, wait

from gnet.data.catalogue import TORCHVISION, bytes_so_far, fetch, is_missing

EVERY = 0.5
"""Seconds between two sentences."""
_COUNTED_EVERY = 1.0
"""Seconds for which a count of bytes stands: an archive being unpacked is many files."""
_lock = threading.Lock()
_counted: dict[str, tuple[float, str]] = {}
_under_way: dict[str, Future[None]] = {}


def fetched(name: str, every: float = EVERY) -> Iterator[str]:
    """Have a data set on this machine when this ends; sentences on how far it is until then.

    Whoever asks while it is being fetched waits for the same download. Does nothing for what is
    there or is no name of a data set. Raises GnetError.
    """
    if not is_missing(name):
        return
    key = name.lower()
    with _lock:
        future = _under_way.get(key)
        if future is None:
            future = _under_way[key] = Future()
            args = (key, future)
            threading.Thread(target=_fetch, args=args, name=f"fetch {key}", daemon=True).start()
    while True:
        yield _sentence(key)
        wait([future], every)
        if future.done():
            return future.result()


def under_way(name: str) -> str:
    """How far the download of a data set is, whichever process is at it; empty if none is missing.

    However many ask, the bytes are counted once a second.
    """
    key = name.lower()
    if not is_missing(key):
        return ""
    with _lock:
        counted, sentence = _counted.get(key, (-_COUNTED_EVERY, ""))
        if time.monotonic() - counted >= _COUNTED_EVERY:
            sentence = _sentence(key)
            _counted[key] = time.monotonic(), sentence
        return sentence


def _sentence(key: str) -> str:
    return f"Downloading {TORCHVISION[key].label}: {bytes_so_far(key) / 1e6:.0f} MB so far"


def _fetch(key: str, future: Future[None]) -> None:
    try:
        fetch(key, "train")
    except BaseException as error:  # whatever it is, it belongs to who waits
        future.set_exception(error)
    else:
        future.set_result(None)
    finally:
        with _lock:
            _under_way.pop(key, None)
