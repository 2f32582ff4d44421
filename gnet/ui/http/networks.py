"""Own weights files over http: PUT network/<name> checks and keeps one and answers with its id."""

from __future__ import annotations

from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gnet.errors import GnetError
from gnet.serving.networks.own import OwnNetworks
from gnet.system.paths import without_paths


def routes(own: OwnNetworks) -> list[Route]:
    """What the server answers besides the page."""

    async def put(request: Request) -> Response:
        try:
            claimed = request.headers.get("content-length", "")
            size = int(claimed) if claimed.isdecimal() and len(claimed) < 16 else 0
            path = await run_in_threadpool(own.reserve, request.path_params["name"], size)
            try:
                await _receive(request, own, path)
                net = await run_in_threadpool(own.accept, path)
            except BaseException:
                own.discard(path)
                raise
            return JSONResponse({"net": net, "name": path.stem})
        except GnetError as error:
            return JSONResponse({"error": without_paths(str(error))}, status_code=422)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody reads it

    return [Route("/network/{name}", put, methods=["PUT"])]


async def _receive(request: Request, own: OwnNetworks, path: Path) -> None:
    """Write the request's body to a file, up to the size that is allowed."""
    size = 0
    try:
        with path.open("wb") as file:
            async for part in request.stream():
                size += len(part)
                own.check_size(size)
                file.write(part)
    except OSError as error:
        raise GnetError(f"The file cannot be kept here ({error.strerror or error}).") from error
