"""Headers that keep the page to itself: it loads nothing from elsewhere and sits in no frame.

Pages of other sites read nothing from this server.
"""

import os
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Gradio builds templates and scripts from text, hence the two 'unsafe' words.
HEADERS = {
    "Content-Security-Policy": "; ".join(
        (
            "default-src 'self'",
            "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "media-src 'self' blob:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            "frame-ancestors 'self'",
        )
    ),
    "X-Frame-Options": "SAMEORIGIN",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


SPACE = "SPACE_ID"
"""The variable that a Hugging Face Space sets, whose page shows this one in a frame."""


def headers(*, space: bool) -> dict[str, str]:
    """The headers of every answer; on a `space` its host may frame the page, and nobody else."""
    if not space:
        return HEADERS
    policy = f"{HEADERS['Content-Security-Policy']} https://huggingface.co"
    kept = {name: value for name, value in HEADERS.items() if name != "X-Frame-Options"}
    return kept | {"Content-Security-Policy": policy}


class SafeHeaders:
    """ASGI middleware that adds `headers` to every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.headers = headers(space=SPACE in os.environ)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(self.headers)
            await send(message)

        await self.app(scope, receive, send_with_headers)


class OwnOrigin:
    """ASGI middleware in place of Gradio's own, which lets every site read under a public name.

    No answer leaves with a header that lets pages of other sites read it. Their question whether
    they may ask (a preflight) is refused; a page never sends one to its own server. What they send
    without a question, as a form does, is refused as well: browsers say where it comes from.
    """

    def __init__(self, app: ASGIApp, **_: Any) -> None:
        """What Gradio tells its own middleware besides is not needed."""
        self.app = app
        self.headers = headers(space=SPACE in os.environ)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_to_own_pages(message: Message) -> None:
            if message["type"] == "http.response.start":
                given: list[tuple[bytes, bytes]] = list(message["headers"])
                message["headers"] = [h for h in given if not h[0].lower().startswith(_SHARING)]
            await send(message)

        if scope["type"] == "http" and (_is_preflight(scope) or _is_foreign_write(scope)):
            sentence = "Pages of other sites may not ask this server."
            await PlainTextResponse(sentence, 403, self.headers)(scope, receive, send)
        else:
            await self.app(scope, receive, send_to_own_pages)


_SHARING = b"access-control-"


def _is_preflight(scope: Scope) -> bool:
    given = Headers(scope=scope)
    return scope["method"] == "OPTIONS" and "access-control-request-method" in given


def _is_foreign_write(scope: Scope) -> bool:
    written = scope["method"] not in ("GET", "HEAD", "OPTIONS")
    return written and Headers(scope=scope).get("sec-fetch-site") == "cross-site"


def share_with_nobody() -> None:
    """Have Gradio put `OwnOrigin` into the servers it makes from now on.

    Gradio puts its own middleware around all that `launch` is given, so only its place will do.
    """
    from gradio import routes

    routes.CustomCORSMiddleware = OwnOrigin  # pyright: ignore[reportPrivateImportUsage]
