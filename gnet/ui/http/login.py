"""One name and password for the whole server, asked for by the browser itself (HTTP Basic).

Every address needs it but the one that tells whether the server is well. It travels readably, so a
server that others can reach needs https in front of it.
"""

from __future__ import annotations

import base64
import binascii
import secrets

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from gnet.ui.http.health import ADDRESS

OPEN = (ADDRESS, "/gradio_api/startup-events")
"""Addresses without a password; the second is what Gradio asks of itself while it starts."""
ASKED = {"WWW-Authenticate": 'Basic realm="gnet", charset="UTF-8"'}


class Login:
    """ASGI middleware that answers 401 until `NAME:PASSWORD` comes with a request."""

    def __init__(self, app: ASGIApp, login: str) -> None:
        self.app = app
        self.login = login.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in OPEN or self._knows(scope):
            await self.app(scope, receive, send)
            return
        answer = PlainTextResponse("This server asks for a name and a password.", 401, ASKED)
        await answer(scope, receive, send)

    def _knows(self, scope: Scope) -> bool:
        given = dict(scope["headers"]).get(b"authorization", b"")
        kind, _, token = given.partition(b" ")
        try:
            said = base64.b64decode(token, validate=True)
        except binascii.Error:
            return False
        return kind.lower() == b"basic" and secrets.compare_digest(said, self.login)
