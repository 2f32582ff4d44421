"""A stamp tells a file or folder from what it was before, without reading its contents."""

from __future__ import annotations

import os
from pathlib import Path
from stat import S_ISDIR

Stamp = tuple[int, ...]
"""Equal as long as the file or folder is the same; () where there is none."""


def stamp_of(path: str | Path) -> Stamp:
    """The stamp of a file (its time, inode and size) or of a folder with the folders in it.

    A folder's stamp changes when a file in it comes or goes, not when a file is written to.
    """
    try:
        about = os.stat(path)
        if not S_ISDIR(about.st_mode):
            return about.st_mtime_ns, about.st_ino, about.st_size
        times = [os.stat(folder).st_mtime_ns for folder, _, _ in os.walk(path)]
        return len(times), max(times, default=about.st_mtime_ns)
    except OSError:
        return ()
