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
from collections.abc import Callable, Collection
from contextlib import suppress
from datetime import UTC, datetime

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gnet import strict_json
from gnet.ui.http.rates import address_of

_OWN = (
    *("", "api", "assets", "call", "component_server", "config", "data", "download", "frame"),
    *("gradio_api", "healthz", "heartbeat", "info", "join", "mcp", "network", "queue", "reset"),
    *("run", "startup-events", "static", "theme.css", "upload", "upload_progress", "v2", "zip"),
)
"""Parts of the server's addresses; whatever else stands in a path is a star in the log."""
_ENDPOINT = re.compile(r"(.*?/gradio_api/(?:call(?:/v2)?|run|api)/)([^/]+)")


def own_words(path: str, endpoints: Collection[str]) -> str:
    """A path as it is written: names of files, runs and sessions are stars.

    `endpoints` are the names by which the page's methods are called.
    """
    path, file, _ = path.partition("/file=")
    kept = [part if part in _OWN else "*" for part in path.split("/")]
    named = _ENDPOINT.match(path)
    if named and named[2] in endpoints:
        kept[named[1].count("/")] = named[2]
    return "/".join([*kept, "*"] if file else kept)


def _endpoints(scope: Scope) -> set[str]:
    """The names by which the methods of the page that is served are called."""
    return {str(method.api_name) for method in scope["app"].get_blocks().fns.values()}


def _write(line: str) -> None:
    with suppress(OSError, ValueError):  # nobody reads stderr any more
        print(line, file=sys.stderr, flush=True)


class LoggedRequests:
    """ASGI middleware that writes a line once a request is answered."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        proxies: int = 0,
        write: Callable[[str], object] = _write,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        """`proxies`: how many in front are trusted to name a viewer's address."""
        self.app, self._proxies = app, proxies
        self._write, self._clock, self._now = write, clock, now
        self._key = secrets.token_bytes(16)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun, at, status = self._clock(), self._now(), 500

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        # Routes change the scope.
        path, method = own_words(scope["path"], _endpoints(scope)), scope["method"]
        try:
            await self.app(scope, receive, noting)
        finally:
            line = {
                "time": datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds"),
                "address": self._mark(scope),
                "method": method if method in _METHODS else "*",
                "path": path,
                "status": status,
                "ms": round(1000 * (self._clock() - begun)),
            }
            self._write(strict_json.dumps(line))

    def _mark(self, scope: Scope) -> str:
        address = address_of(scope, self._proxies).encode()
        return hashlib.blake2b(address, key=self._key, digest_size=4).hexdigest()


_METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
