"""Writes a file whole or not at all."""

import errno
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gnet.errors import GnetError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
"""No room on the disk, in a quota, or for a file of that size."""


@contextmanager
def atomically(path: str | Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; what was written there takes `path`'s name at the end.

    A reader sees the old file or the new one, never half of one; after any failure the old file is
    as it was and the temporary one is gone. Missing folders are made.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.touch(exist_ok=False)
        readers = temporary.stat().st_mode  # as for any new file; some writers change it
        yield temporary
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        temporary.chmod(readers)
        os.replace(temporary, path)
    except OSError as error:
        reason = error.strerror or str(error)
        remedy = "make room there, or give a path on another disk"
        if error.errno not in _FULL:
            remedy = "give a path in a folder that can be written to"
        raise GnetError(f"Cannot write {path} ({reason}); {remedy}.") from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
