"""The same items, made ahead by a background thread."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Iterator
from typing import Any, NamedTuple, TypeVar

Item = TypeVar("Item")


_END = object()


class _Failure(NamedTuple):
    error: BaseException


def prefetch(
    iterator: Iterator[Item],
    depth: int = 2,
    *,
    make_queue: Callable[[int], queue.Queue[Any]] = queue.Queue,
) -> Generator[Item, None, None]:
    """The same items, made up to `depth` ahead by one background thread.

    An exception of the iterator is raised here. Closing the generator (or leaving it to the
    garbage collector) ends the thread after the item it is making.
    """
    ready = make_queue(depth)
    stop = threading.Event()

    def put(item: Any) -> None:
        while not stop.is_set():
            try:
                return ready.put(item, timeout=0.1)
            except queue.Full:
                continue

    def work() -> None:
        try:
            for item in iterator:
                put(item)
                if stop.is_set():
                    break
            put(_END)
        except BaseException as error:  # whatever it is, it belongs to the consumer
            put(_Failure(error))
        finally:
            if isinstance(iterator, Generator):
                iterator.close()

    thread = threading.Thread(target=work, name="prefetch", daemon=True)
    thread.start()
    try:
        while True:
            item = ready.get()
            if item is _END:
                return
            if isinstance(item, _Failure):
                raise item.error
            yield item
    finally:
        stop.set()
        thread.join()
