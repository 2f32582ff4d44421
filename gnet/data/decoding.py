"""Many pictures → tensors in memory: on two threads, in order, within bounds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch
from PIL import Image

from gnet.data.files.archives import Limits
from gnet.data.pictures import as_tensor
from gnet.errors import GnetError
from gnet.system.progress import Progress

Item = TypeVar("Item")

SMALLEST_SIDE = 8
"""Pictures with a shorter side (px) teach nothing and are skipped."""
_THREADS, _CHUNK = 2, 64


def usable(image: Image.Image) -> torch.Tensor | str:
    """A picture as a tensor, or the reason why it is skipped."""
    if min(image.size) < SMALLEST_SIDE:
        return f"smaller than {SMALLEST_SIDE} px"
    return as_tensor(image)


def decode_all(
    decode: Callable[[Item], torch.Tensor | str],
    items: Sequence[Item],
    progress: Progress | None,
    limits: Limits,
) -> Iterable[torch.Tensor | str]:
    """Decode on two threads (Pillow lets go of the interpreter's lock), in order."""

    def several(start: int) -> list[torch.Tensor | str]:
        return [decode(item) for item in items[start : start + _CHUNK]]

    done = held = 0
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="decode") as pool:
        try:
            for results in pool.map(several, range(0, len(items), _CHUNK)):
                held += sum(r.numel() for r in results if not isinstance(r, str))
                if held > limits.held_bytes:
                    raise too_much(limits)
                done += len(results)
                yield from results
                if progress is not None:
                    progress(done, len(items))
        finally:
            pool.shutdown(cancel_futures=True)


def too_much(limits: Limits) -> GnetError:
    """The error for more pictures than memory may hold."""
    return GnetError(
        f"The pictures need more than the {limits.held_bytes / 1e9:.0f} GB of memory allowed; "
        "use a smaller size or fewer pictures per class."
    )
