"""The page itself goes over the wire compressed; its text is most of what a visit loads."""

from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send


class CompressedPage:
    """ASGI middleware that compresses the page, for browsers that say they can read it.

    Files, streams and answers go as they are: Gradio compresses its scripts, pictures are small.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.compressing = GZipMiddleware(app, compresslevel=5)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        page = scope["type"] == "http" and scope["path"].endswith("/")
        await (self.compressing if page else self.app)(scope, receive, send)
