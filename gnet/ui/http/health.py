"""Whether the server is well, for whatever starts it again: /healthz."""

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

import gnet

ADDRESS = "/healthz"


def routes() -> list[Route]:
    """The address; it runs no network and names nothing but the version."""

    async def health(_: Request) -> JSONResponse:
        return JSONResponse({"status": "ok", "version": gnet.__version__})

    return [Route(ADDRESS, health, methods=["GET", "HEAD"])]
