"""What one person and one address may ask in a minute, by a clock that is given."""

import json
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Receive, Scope, Send

from gnet.ui.http import rates
from gnet.ui.http.rates import PERSON, SESSION, Bucket, LimitedRates, RateLimits


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Named:
    """ASGI middleware that takes the session from a header, as a checked call brings it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope[SESSION] = Request(scope).headers.get("session")
        await self.app(scope, receive, send)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def client(clock: Clock, address: str = "10.0.0.1", **limits: int) -> TestClient:
    async def answer(_: Any) -> PlainTextResponse:
        return PlainTextResponse("answered")

    limited = Middleware(LimitedRates, limits=RateLimits(**limits), clock=clock)
    route = Route("/{path:path}", answer, methods=["GET", "POST", "PUT"])
    app = Starlette(routes=[route], middleware=[Middleware(Named), limited])
    return TestClient(app, client=(address, 1234))


def statuses(client: TestClient, path: str, times: int, **headers: str) -> list[int]:
    return [client.post(path, headers=headers).status_code for _ in range(times)]


JOIN, UPLOAD = "/gradio_api/queue/join", "/gradio_api/upload"


def test_a_bucket_gives_what_it_holds_and_then_one_each_part_of_a_minute(clock: Clock) -> None:
    bucket = Bucket(3, clock)
    assert [bucket.take("a") for _ in range(4)] == [0, 0, 0, 20]
    assert bucket.take("b") == 0
    clock.now += 15
    assert bucket.take("a") == pytest.approx(5)
    clock.now += 5
    assert [bucket.take("a"), bucket.take("a")] == [0, pytest.approx(20)]
    clock.now += 1000
    assert [bool(bucket.take("a")) for _ in range(4)] == [False, False, False, True]


def test_a_bucket_forgets_who_asked_longest_ago(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rates, "_MOST_KEYS", 2)
    bucket = Bucket(1, clock)
    assert [bucket.take(key) for key in "abc"] == [0, 0, 0]
    assert bucket.take("c") > 0 and bucket.take("a") == 0


def test_over_the_limit_one_sentence_says_when_to_come_again(clock: Clock) -> None:
    asking = client(clock, answers=2)
    assert statuses(asking, JOIN, 2, session="anna") == [200, 200]
    refused = asking.post(JOIN, headers={"session": "anna"})
    assert refused.status_code == 429 and refused.headers["Retry-After"] == "30"
    sentence = "This server allows 2 answers a minute to one person; try again in 30 s."
    assert json.loads(refused.text) == {"error": sentence, "detail": sentence}
    assert statuses(asking, JOIN, 1, session="ben") == [200]
    clock.now += 30
    assert statuses(asking, JOIN, 2, session="anna") == [200, 429]


def test_an_address_is_counted_whatever_its_sessions_are_called(clock: Clock) -> None:
    asking = client(clock, address_answers=3)
    assert [statuses(asking, JOIN, 1, session=name)[0] for name in "abcd"] == [200, 200, 200, 429]
    assert statuses(asking, "/gradio_api/call/explore", 1) == [429]
    assert statuses(asking, "/mcp", 1) == [429]
    assert statuses(asking, "/frame", 5) == [200] * 5
    assert asking.get("/gradio_api/queue/data").status_code == 200


def test_uploads_are_counted_by_themselves(clock: Clock) -> None:
    asking = client(clock, address_uploads=2, address_answers=1)
    assert statuses(asking, UPLOAD, 2) == [200, 200]
    assert asking.put("/zip/mine.zip").status_code == 429
    assert asking.put("/network/mine.safetensors").status_code == 429
    assert statuses(asking, JOIN, 2) == [200, 429]


def test_uploads_of_a_browser_are_counted_by_the_cookie_it_was_given(clock: Clock) -> None:
    anna, school = client(clock, uploads=2), client(clock, uploads=2, address_uploads=3)
    assert statuses(anna, UPLOAD, 3) == [200] * 3  # who never saw the page is only an address
    given = anna.get("/").headers["set-cookie"]
    assert given.startswith(f"{PERSON}=") and given.endswith("; HttpOnly; SameSite=Lax")
    assert "set-cookie" not in anna.get("/").headers and "set-cookie" not in anna.get("/x").headers
    assert statuses(anna, UPLOAD, 3) == [200, 200, 429]
    assert "2 uploads a minute to one person" in anna.post(UPLOAD).json()["detail"]
    pupils = [statuses(school, UPLOAD, 1, cookie=f"{PERSON}={name}")[0] for name in "aaabc"]
    assert pupils == [200, 200, 429, 200, 429]
    assert "set-cookie" not in client(clock, uploads=0).get("/").headers


def test_no_limit_is_no_limit(clock: Clock) -> None:
    asking = client(clock, answers=0, address_answers=0, uploads=0, address_uploads=0)
    assert set(statuses(asking, JOIN, 3, session="a") + statuses(asking, UPLOAD, 3)) == {200}


@pytest.mark.parametrize(
    ("proxies", "told", "other", "same"),
    [
        (0, "1.1.1.1", "2.2.2.2", True),
        (1, "1.1.1.1", "2.2.2.2", False),
        (1, "9.9.9.9, 1.1.1.1", "8.8.8.8, 1.1.1.1", True),
        (2, "9.9.9.9, 1.1.1.1", "9.9.9.9, 2.2.2.2", True),
        (2, "9.9.9.9, 1.1.1.1", "8.8.8.8, 1.1.1.1", False),
        (1, "2001:db8:1:2::a", "2001:db8:1:2:ffff::b", True),
        (1, "2001:db8:1:2::a", "2001:db8:1:3::a", False),
        (1, "unknown", "unknown", True),
    ],
)
def test_a_forwarded_address_counts_only_from_proxies_that_are_trusted(
    clock: Clock, proxies: int, told: str, other: str, same: bool
) -> None:
    asking = client(clock, address_answers=1, proxies=proxies)
    first, second = (statuses(asking, JOIN, 1, **{"x-forwarded-for": who}) for who in (told, other))
    assert first == [200] and second == [429 if same else 200]


def test_the_default_is_enough_for_a_class_behind_one_address(clock: Clock) -> None:
    limits = RateLimits()
    answers, uploads = (
        Bucket(most, clock) for most in (limits.address_answers, limits.address_uploads)
    )
    assert {answers.take("school") for _ in range(30 * 60)} == {0}
    assert {uploads.take("school") for _ in range(30 * 3)} == {0}
    assert limits.answers >= 60
