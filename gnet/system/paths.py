"""Paths as people write them, as viewers see them, and file names that every system allows."""

from __future__ import annotations

import errno
import re
import stat
from pathlib import Path

_QUOTED = re.compile(r"""(['"])(?:~\w*|[A-Za-z]:)?[\\/](?:(?!\1).)*[\\/]((?:(?!\1).)*)\1""")
"""A path in quotation marks, which may hold spaces."""
_BARE = re.compile(
    r"""(?<![\w/\\.:~<>])(?:~\w*|[A-Za-z]:)?[\\/](?:[^\s/\\'"]+[\\/])*([^\s/\\'"]+)"""
)

_DEVICE = re.compile(r"con|prn|aux|nul|(?:com|lpt)[0-9¹²³]", re.IGNORECASE)
"""Names that Windows keeps for devices, whatever follows behind a dot."""


def expanded(path: str | Path) -> Path:
    """The path with its ~ replaced; it stays as it is where there is no such home."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)


def regular(path: str | Path) -> Path:
    """The path of a file that may be opened to be read.

    A pipe or a device would be waited for, so anything but a file is an `OSError` that says so.
    """
    path = Path(path)
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, "it is a folder", str(path))
    if not stat.S_ISREG(mode):
        kind = "pipe" if stat.S_ISFIFO(mode) else "socket" if stat.S_ISSOCK(mode) else "device"
        raise OSError(errno.EINVAL, f"it is a {kind}", str(path))
    return path


def file_stem(name: str, longest: int, otherwise: str, *, also: str = "") -> str:
    """A name as a file's name before its dot, which every system allows.

    Letters and digits of any script, `_` and `-` and the signs in `also`; `otherwise` where none
    are left.
    """
    stem = re.sub(rf"[^\w{re.escape(also)}-]+", "-", name).strip("- ")[:longest].rstrip()
    return f"{stem}_" if _DEVICE.fullmatch(stem) else stem or otherwise


def without_paths(text: str, *folders: Path) -> str:
    """The text with each path cut down to its last name.

    Of relative paths only those in `folders` are known, which also may hold spaces.
    """
    known = {str(way) for f in folders for way in (f, f.absolute(), f.resolve())} - {"."}
    for name in sorted(known, key=len, reverse=True):
        text = re.sub(rf"(?<![\w/\\]){re.escape(name)}[/\\]", "/", text)
    text = _QUOTED.sub(lambda found: found[1] + found[2] + found[1], text)
    return _BARE.sub(r"\1", text)
