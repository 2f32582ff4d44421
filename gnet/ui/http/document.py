"""The page's HTML on its way to the browser: with lines of our own at its head, and compressed.

Its text is most of what a visit loads.
"""

from starlette.datastructures import MutableHeaders
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

GIVEN = b'<link rel="manifest" href="/manifest.json" />'
"""As it stands in Gradio's page. Without a link to an icon a browser asks for `/favicon.ico`."""
RELATIVE = b'<link rel="icon" href="favicon.ico" /><link rel="manifest" href="manifest.json" />'


class CompressedPage:
    """ASGI middleware that compresses the page, for browsers that say they can read it.

    Files, streams and answers go as they are: Gradio compresses its scripts, pictures are small.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.compressing = GZipMiddleware(app, compresslevel=5)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await (self.compressing if is_page(scope) else self.app)(scope, receive, send)


class OwnHead:
    """ASGI middleware for the page's head: links that hold under any path, and a first script.

    Gradio's own link to its manifest begins at the server's root. What Gradio takes as a page's
    head is put there by its scripts, too late to change what they start.
    """

    def __init__(self, app: ASGIApp, script: str) -> None:
        self.app = app
        self.lines = RELATIVE + f"<script>{script}</script>".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not is_page(scope):
            await self.app(scope, receive, send)
            return
        start: Message = {}

        async def send_changed(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)  # it goes with the body, which may become longer
                return
            if start:
                body = message.get("body", b"")
                if GIVEN in body and not message.get("more_body"):
                    message["body"] = body.replace(GIVEN, self.lines)
                    MutableHeaders(scope=start)["content-length"] = str(len(message["body"]))
                await send(dict(start))
                start.clear()
            await send(message)

        await self.app(scope, receive, send_changed)


def is_page(scope: Scope) -> bool:
    """Whether a request asks for the page itself."""
    return scope["type"] == "http" and scope["path"].endswith("/")
