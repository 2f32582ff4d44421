"""How far the start of a run is, before its first event: written by training, read by a server.

Knows nothing of what else is in a run's folder.
"""

from __future__ import annotations

import json
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from gnet import strict_json
from gnet.errors import GnetError
from gnet.system.atomic import atomically
from gnet.system.paths import regular
from gnet.system.progress import Progress

BEGINNING = "beginning.json"
SPLITS = ("train", "val")
"""In the order in which they are read."""
EVERY = 0.2
"""Seconds between two notes."""


@dataclass(frozen=True, kw_only=True)
class Beginning:
    """Pictures of a split that are read by now; `total` 0: not known."""

    split: str
    """train, and val after it."""
    done: int
    total: int


def noting(folder: Path, progress: Progress | None) -> Progress:
    """A progress that also notes in the folder how many pictures are read.

    Each split is counted anew: a count that does not rise is that of the next one.
    """
    latest, split, before = -EVERY, SPLITS[0], 0

    def note(done: int, total: int) -> None:
        nonlocal latest, split, before
        split, before = SPLITS[-1] if done <= before else split, done
        if progress:
            progress(done, total)
        if time.monotonic() - latest >= EVERY or done == total:
            latest = time.monotonic()
            # A full disk is told by the first event, which must not be lost.
            with suppress(GnetError), atomically(folder / BEGINNING) as temporary:
                record = asdict(Beginning(split=split, done=done, total=total))
                temporary.write_text(strict_json.dumps(record), encoding="utf-8")

    return note


def read_beginning(folder: Path) -> Beginning | None:
    """The latest note in a folder; None where there is none."""
    try:
        record = json.loads(regular(folder / BEGINNING).read_text(encoding="utf-8"))
        split, done, total = record["split"], record["done"], record["total"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    whole = all(isinstance(n, int) and not isinstance(n, bool) and n >= 0 for n in (done, total))
    known = whole and split in SPLITS
    return Beginning(split=split, done=done, total=total) if known else None
