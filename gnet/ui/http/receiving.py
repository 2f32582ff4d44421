"""Files of one's own over http: PUT zip/<name> and PUT network/<name> keep one and answer its id.

Gradio's own upload has one limit of size for all files, and pictures need a smaller one.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gnet.errors import GnetError
from gnet.serving.networks.own import OwnNetworks
from gnet.serving.offers import Offers
from gnet.system.paths import without_paths


class Keeper(Protocol):
    """What keeps files of one kind; each of these raises `GnetError` for what it does not take."""

    def reserve(self, name: str, size: int) -> Path:
        """Where a file of `size` bytes, 0 if that is not known, is to be written."""
        ...

    def check_received(self, path: Path, size: int) -> None:
        """Look at the number of bytes that have come so far."""
        ...

    def accept(self, path: Path) -> str:
        """The id of a file that has come whole."""
        ...

    def discard(self, path: Path) -> None:
        """Delete a file that has not come whole, or was not accepted."""
        ...


def zips(offers: Offers) -> Route:
    """Zips of pictures, answered with a key and a label."""
    return _route("zip", offers, lambda _, key: {"key": key, "label": offers.label(key)})


def networks(own: OwnNetworks) -> Route:
    """Weights files, answered with the network's id and name."""
    return _route("network", own, lambda path, net: {"net": net, "name": path.stem})


def _route(kind: str, keeper: Keeper, answer: Callable[[Path, str], dict[str, str]]) -> Route:
    async def put(request: Request) -> Response:
        try:
            claimed = request.headers.get("content-length", "")
            size = int(claimed) if claimed.isdecimal() and len(claimed) < 16 else 0
            path = await run_in_threadpool(keeper.reserve, request.path_params["name"], size)
            try:
                await _receive(request, keeper, path)
                kept = await run_in_threadpool(keeper.accept, path)
            except BaseException:
                keeper.discard(path)
                raise
            return JSONResponse(answer(path, kept))
        except GnetError as error:
            return JSONResponse({"error": without_paths(str(error))}, status_code=422)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody reads it

    return Route(f"/{kind}/{{name}}", put, methods=["PUT"])


async def _receive(request: Request, keeper: Keeper, path: Path) -> None:
    """Write the request's body to a file, as much as there is room for."""
    size = 0
    try:
        with path.open("wb") as file:
            async for part in request.stream():
                size += len(part)
                keeper.check_received(path, size)
                file.write(part)
    except OSError as error:
        raise GnetError(f"The file cannot be kept here ({error.strerror or error}).") from error
