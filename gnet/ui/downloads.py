"""A run's files over http: weights, config, events, and its curves for TensorBoard.

Addresses are download/<run's id>/<what>; who knows the id may watch the run, and so may fetch it.
"""

from __future__ import annotations

import re
import shutil
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from gnet.errors import GnetError
from gnet.run_folder import CONFIG, EVENTS
from gnet.run_shelf import RunShelf, told_config
from gnet.scalars import scalars

KINDS = ("best", "last", "config", "events", "tensorboard")


def routes(runs: RunShelf | None) -> list[Route]:
    """What the server answers besides the page."""
    if runs is None:
        return []

    async def download(request: Request) -> Response:
        run_id, kind = request.path_params["run"], request.path_params["kind"]
        try:
            return await run_in_threadpool(_answer, runs, run_id, kind)
        except GnetError as error:
            return PlainTextResponse(f"{error}\n", status_code=404)

    return [Route("/download/{run}/{kind}", download, methods=["GET", "HEAD"])]


def _answer(runs: RunShelf, run_id: str, kind: str) -> Response:
    folder = runs.run_folder(run_id)
    files: dict[str, Callable[[], Path]] = {
        "best": lambda: runs.weights(run_id, "best"),
        "last": lambda: runs.weights(run_id, "last"),
        "events": lambda: folder.path / EVENTS,
    }
    name = _file_name(runs.card(run_id).name)
    if kind == "config":
        headers = {"Content-Disposition": f'attachment; filename="{name}-{CONFIG}"'}
        return JSONResponse(told_config(folder.config(), mine=False), headers=headers)
    if kind == "tensorboard":
        work = Path(tempfile.mkdtemp(prefix="gnet-scalars-"))
        remove = BackgroundTask(shutil.rmtree, work, ignore_errors=True)
        try:
            path = tensorboard_zip(folder.events(), work, name)
        except GnetError:
            shutil.rmtree(work, ignore_errors=True)
            raise
        return FileResponse(path, filename=f"{name}-{path.name}", background=remove)
    if kind not in files:
        raise GnetError(f"There is no download of that kind; there are {', '.join(KINDS)}.")
    path = files[kind]()
    if not path.is_file():
        raise GnetError("The run has said nothing yet; its events come with its first step.")
    return FileResponse(path, filename=f"{name}-{path.name}")


def tensorboard_zip(events: list, work: Path, name: str) -> Path:
    """The events' curves as a folder that TensorBoard reads, zipped; `GnetError` without it."""
    with scalars(work / name) as note:
        for event in events:
            note(event)
    path = work / "tensorboard.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted((work / name).rglob("*")):
            archive.write(file, file.relative_to(work))
    return path


def _file_name(words: str) -> str:
    """A run's name as part of a file's name."""
    return re.sub(r"[^\w-]+", "-", words.strip().lower()).strip("-")[:60] or "run"
