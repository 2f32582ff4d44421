"""One line of JSON for each request, in which nothing is of a picture or of the person who asks.

An address stands there as a mark that is another one after each start: it tells which requests are
of one address, and nobody can go back from it. Of a path only the server's own words are written.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gnet import strict_json

_OWN = (
    *("", "api", "assets", "call", "component_server", "config", "data", "download", "frame"),
    *("gradio_api", "healthz", "heartbeat", "info", "join", "mcp", "network", "queue", "reset"),
    *("run", "startup-events", "static", "theme.css", "upload", "upload_progress", "v2", "zip"),
)
"""Parts of the server's addresses; whatever else stands in a path is a star in the log."""
_METHOD = re.compile(r"[a-z]+(?:[-_][a-z]+)*")


def own_words(path: str) -> str:
    """A path as it is written: names of files, runs and sessions are stars."""
    parts = path.split("/")
    kept = []
    for before, part in zip(["", *parts], parts, strict=False):
        named = before in ("call", "v2", "run", "api") and _METHOD.fullmatch(part)
        kept.append(part if part in _OWN or named else "*")
    return "/".join(kept)


def _write(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


class LoggedRequests:
    """ASGI middleware that writes a line once a request is answered."""

    def __init__(
        self,
        app: ASGIApp,
        write: Callable[[str], object] = _write,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.app, self._write, self._clock = app, write, clock
        self._key = secrets.token_bytes(16)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun, status = self._clock(), 500

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        path, method = own_words(scope["path"]), scope["method"]  # routes change the scope
        try:
            await self.app(scope, receive, noting)
        finally:
            line = {
                "time": datetime.fromtimestamp(begun, UTC).isoformat(timespec="milliseconds"),
                "address": self._mark(scope),
                "method": method if method in _METHODS else "*",
                "path": path,
                "status": status,
                "ms": round(1000 * (self._clock() - begun)),
            }
            self._write(strict_json.dumps(line))

    def _mark(self, scope: Scope) -> str:
        address = (scope.get("client") or ("",))[0].encode()
        return hashlib.blake2b(address, key=self._key, digest_size=4).hexdigest()


_METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
