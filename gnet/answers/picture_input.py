"""Which picture a value of the picture input names.

A value names an uploaded file ({"path": …}) or an example
({"example": …}), and perhaps a square of it ("box": [x, y, side] in px). A file may be the very
square that a network saw ("exact": true). It comes from outside:
only files that were uploaded to this server may be named, and everything else is checked, too.
"""

import re
from pathlib import Path
from typing import Any

from gnet.answers import examples
from gnet.answers.explorer import Chosen
from gnet.data.pictures import LIMITS
from gnet.errors import GnetError
from gnet.words import cut


def picture_of(payload: Any, uploads: Path | None) -> Chosen:
    """The picture that a value of the page names; `uploads` is the folder of uploaded files."""
    if isinstance(payload, dict) and isinstance(payload.get("bytes"), int):
        # The page did not even upload it; and a client may say whatever number it likes.
        megabytes = min(payload["bytes"], 10**15) / 1e6
        raise GnetError(
            f"The picture has {megabytes:.1f} MB; allowed are up to "
            f"{LIMITS.file_bytes / 1e6:.0f} MB."
        )
    if isinstance(payload, dict) and payload.get("folder"):
        raise GnetError(f"{cut(payload['folder'])!r} is a folder; drop one picture.")
    if not isinstance(payload, dict) or not (payload.get("path") or payload.get("example")):
        raise GnetError("No picture was given; upload one or choose an example.")
    box = box_of(payload.get("box"))
    example = payload.get("example")
    if example:
        if not isinstance(example, str) or example not in examples.EXAMPLES:
            allowed = ", ".join(examples.EXAMPLES)
            raise GnetError(f"There is no example {cut(example)!r}; there are {allowed}.")
        given = examples.chosen(example)
        return Chosen(path=given.path, name=given.name, example=example, box=box)
    path = _uploaded(str(payload["path"]), uploads)
    name = str(payload.get("orig_name") or path.name)[:80]
    return Chosen(path=path, name=name, box=box, exact=payload.get("exact") is True)


def box_of(value: Any) -> tuple[float, float, float] | None:
    """The square (x, y, side) in px that a value names, if it does."""
    if value is None:
        return None
    try:
        x, y, side = (float(number) for number in value)
    except (TypeError, ValueError, OverflowError):
        raise GnetError(
            f"The square is {cut(value)!r}; allowed are three numbers x, y, side in px."
        ) from None
    return x, y, side


def _uploaded(name: str, uploads: Path | None) -> Path:
    if re.match(r"\s*[A-Za-z][A-Za-z0-9+.-]+:", name):  # one letter is a drive of Windows
        raise GnetError(
            f"The picture is the address {cut(name)!r}; this server fetches nothing, so save the "
            "picture and upload its file."
        )
    try:
        path = Path(name).resolve()
    except (OSError, ValueError):
        path = None
    if path is None or uploads is None or uploads.resolve() not in path.parents:
        raise GnetError("The picture named was not uploaded here; upload it first.")
    return path
