"""Zips of pictures over http: PUT zip/<name> keeps one and answers with its key.

Gradio's own upload has one limit of size for all files, and pictures need a smaller one.
"""

from __future__ import annotations

from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gnet.errors import GnetError
from gnet.serving.offers import Offers
from gnet.system.paths import without_paths


def routes(offers: Offers) -> list[Route]:
    """What the server answers besides the page."""

    async def put(request: Request) -> Response:
        try:
            claimed = request.headers.get("content-length", "")
            size = int(claimed) if claimed.isdecimal() and len(claimed) < 16 else 0
            path = await run_in_threadpool(offers.reserve, request.path_params["name"], size)
            try:
                await _receive(request, offers, path)
            except BaseException:
                offers.discard(path)
                raise
            key = await run_in_threadpool(offers.accept, path)
            return JSONResponse({"key": key, "label": offers.label(key)})
        except GnetError as error:
            return JSONResponse({"error": without_paths(str(error))}, status_code=422)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody reads it

    return [Route("/zip/{name}", put, methods=["PUT"])]


async def _receive(request: Request, offers: Offers, path: Path) -> None:
    """Write the request's body to a file, as much as there is room for."""
    size = 0
    try:
        with path.open("wb") as file:
            async for part in request.stream():
                size += len(part)
                offers.check_received(path, size)
                file.write(part)
    except OSError as error:
        raise GnetError(f"The zip cannot be kept here ({error.strerror or error}).") from error
