"""A run's files over http: weights, config, events, and its curves for TensorBoard.

Addresses are download/<run's id>/<what>; who knows the id may watch the run, and so may fetch it.
"""

from __future__ import annotations

import json
import tempfile
import threading
import zipfile
from collections.abc import Callable, Collection, Iterator
from functools import lru_cache
from pathlib import Path
from typing import IO
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import (
    FileResponse,
    JSONResponse,
    PlainTextResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Route

from gnet import strict_json
from gnet.errors import GnetError
from gnet.runs.folder import CONFIG, EVENTS, RunFolder
from gnet.runs.scalars import scalars
from gnet.serving.shelf import RunShelf, public_config
from gnet.serving.story import without_folders
from gnet.system.paths import file_stem, regular, without_paths
from gnet.system.stamps import stamp_of

KINDS = ("best", "last", "config", "events", "tensorboard")
_TENSORBOARD = "tensorboard.zip"
_one_zip = threading.Lock()
_PART = 1 << 20
"""Bytes of events that are sent at a time."""


def routes(runs: RunShelf | None) -> list[Route]:
    """What the server answers besides the page."""
    if runs is None:
        return []

    async def download(request: Request) -> Response:
        run_id, kind = request.path_params["run"], request.path_params["kind"]
        try:
            return await run_in_threadpool(_answer, runs, run_id, kind)
        except GnetError as error:
            sentence = without_paths(str(error), runs.folder)
            return PlainTextResponse(f"{sentence}\n", status_code=404)
        except OSError as error:  # a zip needs room on the disk while it is made
            reason = error.strerror or "its disk is not usable"
            sentence = f"The server cannot make that file ({reason}); try again later."
            return PlainTextResponse(f"{sentence}\n", status_code=507)

    return [Route("/download/{run}/{kind}", download, methods=["GET", "HEAD"])]


def _answer(runs: RunShelf, run_id: str, kind: str) -> Response:
    folder = runs.run_folder(run_id)
    files: dict[str, Callable[[], Path]] = {
        "best": lambda: runs.weights(run_id, "best"),
        "last": lambda: runs.weights(run_id, "last"),
    }
    name = _file_name(runs.card(run_id).name)
    if kind == "config":
        headers = _saved_as(f"{name}-{CONFIG}")
        return JSONResponse(public_config(folder.config()), headers=headers)
    if kind == "tensorboard":
        untrained = runs.describe(run_id, runs.card(run_id), "")["untrained"]
        with _one_zip:  # who asks meanwhile is given the same
            content = _tensorboard(folder.path, stamp_of(folder.path / EVENTS), name, *untrained)
        headers = _saved_as(f"{name}-{_TENSORBOARD}")
        return Response(content, media_type="application/zip", headers=headers)
    if kind == "events":
        return StreamingResponse(
            told_events(folder.path / EVENTS),
            media_type="application/jsonl",
            headers=_saved_as(f"{name}-{EVENTS}"),
        )
    if kind not in files:
        raise GnetError(f"There is no download of that kind; there are {', '.join(KINDS)}.")
    path = files[kind]()
    return FileResponse(path, filename=f"{name}-{path.name}")


def told_events(path: Path) -> Iterator[bytes]:
    """The lines of a run's events as they stand, messages without the server's paths."""
    try:
        file = regular(path).open("rb")
    except OSError as error:
        raise GnetError("The run has no events yet; they come with its first step.") from error
    return _parts(file, path)


def _parts(file: IO[bytes], path: Path) -> Iterator[bytes]:
    with file:
        while lines := file.readlines(_PART):
            yield b"".join(_told_line(line, path) for line in lines)


def _told_line(line: bytes, path: Path) -> bytes:
    if not any(word in line for word in (b'"message"', b"NaN", b"Infinity")):
        return line
    try:
        return strict_json.dumps(without_folders(json.loads(line), path)).encode() + b"\n"
    except (ValueError, AttributeError):  # damaged: its content is unknown
        return b"\n"


@lru_cache(maxsize=8)
def _tensorboard(folder: Path, _: object, name: str, *untrained: str) -> bytes:
    """A run's curves as a zip; made anew when its events are others, as the second one tells."""
    with tempfile.TemporaryDirectory(prefix="gnet-scalars-") as work:
        return tensorboard_zip(RunFolder(folder).events(), Path(work), name, untrained).read_bytes()


def tensorboard_zip(events: list, work: Path, name: str, untrained: Collection[str] = ()) -> Path:
    """The events' curves as a folder that TensorBoard reads, zipped; `GnetError` without it."""
    with scalars(work / name, untrained) as note:
        for event in events:
            note(event)
    path = work / _TENSORBOARD
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted((work / name).rglob("*")):
            archive.write(file, file.relative_to(work))
    return path


def _saved_as(name: str) -> dict[str, str]:
    """The header that names a download, for letters of any script."""
    if name.isascii():
        return {"Content-Disposition": f'attachment; filename="{name}"'}
    return {"Content-Disposition": f"attachment; filename*=utf-8''{quote(name)}"}


def _file_name(words: str) -> str:
    """A run's name as part of a file's name."""
    return file_stem(words.lower(), 60, "run")
