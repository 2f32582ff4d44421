"""Writes a file or a folder whole or not at all."""

import errno
import os
import shutil
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from gnet.errors import GnetError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
"""No room on the disk, in a quota, or for a file of that size."""

WAITS = () if os.name == "posix" else (0.02, 0.05, 0.1, 0.2, 0.4, 0.8)
"""Seconds between two tries to rename; Windows refuses while a reader has the file open."""


@contextmanager
def atomically(path: str | Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; what was written there takes `path`'s name at the end.

    A reader sees the old file or the new one, never half of one; after any failure the old file is
    as it was and the temporary one is gone. Missing folders are made.
    """
    temporary = _beside(Path(path))
    try:
        with _refusing(Path(path)):
            temporary.parent.mkdir(parents=True, exist_ok=True)
            temporary.touch(exist_ok=False)
            readers = temporary.stat().st_mode  # as for any new file; some writers change it
            yield temporary
            with open(temporary, "rb+") as file:
                os.fsync(file.fileno())
            temporary.chmod(readers)
            rename(temporary, path)
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


@contextmanager
def folder_atomically(path: str | Path) -> Iterator[Path]:
    """Give a temporary folder in the folder `path`; its files are moved up at the end.

    After any failure while they are written, nothing of them is left. Files that `path` held
    before stay, but for those of the same names.
    """
    path = Path(path)
    temporary = path / f".{uuid.uuid4().hex}.partial"  # within, as beside may be another disk
    is_new = not path.exists()
    try:
        with _refusing(path):
            temporary.mkdir(parents=True)
            yield temporary
            for made in list(temporary.iterdir()):
                _move(made, path / made.name)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        if is_new:
            with suppress(OSError):  # it holds something
                path.rmdir()


def _move(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, copy_function=rename, dirs_exist_ok=True)
    else:
        rename(source, target)


def rename(source: str | Path, target: str | Path, waits: Sequence[float] = WAITS) -> None:
    """Rename a file or folder, in place of the file `target` if there is one."""
    for seconds in waits:
        try:
            os.replace(source, target)
            return
        except PermissionError:
            time.sleep(seconds)
    os.replace(source, target)


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.{uuid.uuid4().hex}.partial")


@contextmanager
def _refusing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        remedy = "make room there, or give a path on another disk"
        if error.errno not in _FULL:
            remedy = "give a path in a folder that can be written to"
        raise GnetError(f"Cannot write {path} ({reason}); {remedy}.") from error
