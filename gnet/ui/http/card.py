"""The bundled weights' model card over http, as plain text at /model-card."""

from starlette.responses import FileResponse
from starlette.routing import Route

from gnet.system.assets import ASSETS


def routes() -> list[Route]:
    """The card's address; the page's glossary links to it."""

    async def card(_: object) -> FileResponse:
        return FileResponse(ASSETS / "everyday.md", media_type="text/plain; charset=utf-8")

    return [Route("/model-card", card, methods=["GET", "HEAD"])]
