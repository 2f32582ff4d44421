"""Headers that keep the page to itself: it loads nothing from elsewhere and sits in no frame."""

import os

from starlette.datastructures import MutableHeaders
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
