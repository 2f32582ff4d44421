"""How much one person and one address may ask in a minute: answers that are computed, uploads.

For answers a person is a session, which a browser names itself; for uploads, which name none, a
browser, known by a cookie. Both can be made up, so an address is counted, too. Who may ask 60 a
minute may ask 60 at once, and then one each second. Frames have a line of their own and wait there.
"""

from __future__ import annotations

import ipaddress
import math
import re
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gnet.ui.http.document import is_page

SESSION = "gnet.session"
"""Where a checked call's session stands in its ASGI scope."""
PERSON = "gnet-person"
"""The cookie that the page gives to a browser without one: a random name, for counting alone."""
_COMPUTED = re.compile(r".*/(?:gradio_api/(?:queue/join|(?:call(?:/v2)?|run|api)/[^/]+)|mcp)/?")
_UPLOAD = re.compile(r".*/(?:upload|(?:zip|network)/[^/]+)/?")
_MOST_KEYS = 10_000
"""Persons and addresses that are remembered of each kind, some 200 bytes each."""
MINUTE = 60.0


@dataclass(frozen=True, kw_only=True)
class RateLimits:
    """Requests in a minute; 0 means no limit."""

    answers: int = 600
    """Computed answers of one person."""
    address_answers: int = 3000
    """Computed answers of one address: a class may stand behind one."""
    uploads: int = 60
    """Uploads of one person."""
    address_uploads: int = 300
    """Uploads of one address."""
    proxies: int = 0
    """Proxies in front whose word for a viewer's address counts."""


class Bucket:
    """Counts requests by a key: each key may make `most` at once, and as many each minute."""

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.most, self._clock = most, clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        """Key → requests left, and when that was."""
        self._lock = Lock()

    def take(self, key: str) -> float:
        """Count one request; the seconds to wait first where there is none left, else 0."""
        if not self.most:
            return 0.0
        now, each = self._clock(), MINUTE / self.most
        with self._lock:
            left, since = self._left.pop(key, (float(self.most), now))
            left = min(float(self.most), left + (now - since) / each)
            admitted = left >= 1
            self._left[key] = (left - admitted, now)
            while len(self._left) > _MOST_KEYS:
                self._left.popitem(last=False)
        return 0.0 if admitted else (1 - left) * each


class LimitedRates:
    """ASGI middleware that answers 429 to requests over the limits, and says when to come again."""

    def __init__(
        self, app: ASGIApp, limits: RateLimits, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.app, self.limits = app, limits
        self._answers = Bucket(limits.answers, clock)
        self._address_answers = Bucket(limits.address_answers, clock)
        self._uploads = Bucket(limits.uploads, clock)
        self._address_uploads = Bucket(limits.address_uploads, clock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if self.limits.uploads and is_page(scope) and not _person(scope):
            send = _naming_person(send)
        await (self._refusal(scope) or self.app)(scope, receive, send)

    def _refusal(self, scope: Scope) -> JSONResponse | None:
        path, method = scope["path"], scope["method"]
        address = address_of(scope, self.limits.proxies)
        if method in ("POST", "PUT") and _UPLOAD.fullmatch(path):
            what = "uploads"
            counted = ((self._uploads, _person(scope)), (self._address_uploads, address))
        elif method == "POST" and _COMPUTED.fullmatch(path):
            what = "answers"
            counted = ((self._answers, _session(scope)), (self._address_answers, address))
        else:
            return None
        for whose, (bucket, key) in zip(("person", "address"), counted, strict=True):
            if seconds := math.ceil(bucket.take(key)) if key else 0:
                return _refused(f"{bucket.most} {what} a minute to one {whose}", seconds)
        return None


def _refused(allowed: str, seconds: int) -> JSONResponse:
    sentence = f"This server allows {allowed}; try again in {seconds} s."
    told = {"error": sentence, "detail": sentence}  # Gradio's scripts read the second
    return JSONResponse(told, 429, {"Retry-After": str(seconds)})


def _session(scope: Scope) -> str:
    session = scope.get(SESSION)
    return session[:100] if isinstance(session, str) else ""


def _person(scope: Scope) -> str:
    return cookie_parser(Headers(scope=scope).get("cookie", "")).get(PERSON, "")[:100]


def _naming_person(send: Send) -> Send:
    """Sends the page with a new name for its browser, which holds until that is closed."""

    async def send_named(message: Message) -> None:
        if message["type"] == "http.response.start":
            cookie = f"{PERSON}={secrets.token_hex(8)}; HttpOnly; SameSite=Lax"
            MutableHeaders(scope=message).append("set-cookie", cookie)
        await send(message)

    return send_named


def address_of(scope: Scope, proxies: int) -> str:
    """The address that a request comes from; of IPv6 the network, which is one customer's.

    `proxies`: how many in front are trusted to name it.
    """
    client = scope.get("client")
    address = client[0] if client else ""
    told = Headers(scope=scope).getlist("x-forwarded-for")
    hops = [hop.strip() for line in told for hop in line.split(",") if hop.strip()]
    if proxies and hops:
        address = hops[-min(proxies, len(hops))]
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return address[:100]
    if known.version == 6 and known.ipv4_mapped is None:
        return str(ipaddress.ip_network((known, 64), strict=False))
    return str(known)
