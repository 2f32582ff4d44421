"""The lines of the log: what a request was, and nothing of a picture or of who asked."""

import io
import json
from collections.abc import Callable
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from gnet.ui.log import requests
from gnet.ui.log.requests import LoggedRequests, own_words

NAME = "my-holiday in Rome.png"
"""A picture's name, which stands in requests and in no line."""


ENDPOINTS = ("explore", "lay-out")


def served(lines: list[str], address: str = "203.0.113.7", **options: Any) -> TestClient:
    """A server that reads what it is sent, and whose clock gains 0.25 s at each look."""

    async def answer(request: Request) -> PlainTextResponse:
        sent = await request.body()
        if b"fail" in sent:
            raise RuntimeError(NAME)
        return PlainTextResponse(sent, 404 if b"nothing" in sent else 200)

    now = [5.0]

    def clock() -> float:
        now[0] += 0.25
        return now[0]

    given = {"write": lines.append, "clock": clock, "now": lambda: 1_800_000_000.25} | options
    logged = Middleware(LoggedRequests, **given)
    route = Route("/{path:path}", answer, methods=["GET", "POST", "PUT"])
    app: Any = Starlette(routes=[route], middleware=[logged])
    methods = {number: SimpleNamespace(api_name=name) for number, name in enumerate(ENDPOINTS)}
    app.get_blocks = lambda: SimpleNamespace(fns=methods)
    return TestClient(app, client=(address, 1234), raise_server_exceptions=False)


@pytest.mark.parametrize(("sent", "status"), [(b"", 200), (b"nothing", 404), (b"fail", 500)])
def test_a_line_tells_what_was_asked_and_how_it_was_answered(sent: bytes, status: int) -> None:
    lines: list[str] = []
    served(lines).post("/gradio_api/call/explore?name=anna", content=sent)
    (line,) = map(json.loads, lines)
    assert len(line.pop("address")) == 8
    assert datetime.fromisoformat(line.pop("time")).timestamp() == 1_800_000_000.25
    path = "/gradio_api/call/explore"
    assert line == {"method": "POST", "path": path, "status": status, "ms": 250}


def picture() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (9, 9), "teal").save(file, "PNG")
    return file.getvalue()


SENDING: list[Callable[[TestClient], Any]] = [
    lambda client: client.post("/gradio_api/upload", files={"files": (NAME, picture())}),
    lambda client: client.put(f"/zip/{NAME}", content=picture()),
    lambda client: client.put(f"/network/{NAME}", content=picture()),
    lambda client: client.get(f"/gradio_api/file=/tmp/gnet/{NAME}"),
    lambda client: client.get(f"/{NAME}", headers={"Referer": NAME, "User-Agent": NAME}),
    lambda client: client.get("/", params={"picture": NAME}),
    lambda client: client.request(NAME.split()[0].upper(), "/"),
    lambda client: client.post(
        "/gradio_api/call/explore", json={"data": [{"path": NAME}], "session_hash": NAME}
    ),
]


@pytest.mark.parametrize("send", SENDING)
def test_no_line_holds_a_pictures_name_or_bytes_or_an_address(
    send: Callable[[TestClient], Any],
) -> None:
    lines: list[str] = []
    send(served(lines))
    (line,) = lines
    for secret in ("holiday", "HOLIDAY", "Rome", "203.0.113.7", "PNG", "IHDR", "teal", "\n"):
        assert secret not in line


def test_an_address_has_one_mark_until_the_server_starts_again() -> None:
    lines: list[str] = []
    client, again = served(lines), served(lines)
    for asking in (client, client, again):
        asking.get("/config")
    first, second, third = (json.loads(line)["address"] for line in lines)
    assert first == second != third


@pytest.mark.parametrize(("proxies", "marks"), [(0, 1), (1, 2)])
def test_behind_a_trusted_proxy_each_viewer_has_a_mark(proxies: int, marks: int) -> None:
    lines: list[str] = []
    client = served(lines, proxies=proxies)
    for viewer in ("198.51.100.1", "198.51.100.2", "198.51.100.1"):
        client.get("/config", headers={"X-Forwarded-For": viewer})
    assert len({json.loads(line)["address"] for line in lines}) == marks


def test_a_log_that_nobody_reads_any_more_breaks_no_request(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = served([], write=requests._write)
    for error in (BrokenPipeError(), ValueError("I/O operation on closed file")):

        def fail(*_: Any, error: Exception = error, **__: Any) -> None:
            raise error

        monkeypatch.setattr(requests, "print", fail, raising=False)
        assert client.get("/config").status_code == 200


@pytest.mark.parametrize(
    ("path", "written"),
    [
        ("/", "/"),
        ("/healthz", "/healthz"),
        ("/gradio_api/call/v2/lay-out/123", "/gradio_api/call/v2/lay-out/*"),
        ("/gradio_api/call/explore/abc", "/gradio_api/call/explore/*"),
        ("/lab/gradio_api/run/explore", "/*/gradio_api/run/explore"),
        ("/gradio_api/call/Anna.png", "/gradio_api/call/*"),
        ("/gradio_api/call/anna", "/gradio_api/call/*"),
        ("/gradio_api/file=/run/anna/api/bob", "/gradio_api/*"),
        ("/gradio_api/file=/gradio_api/call/explore", "/gradio_api/*"),
        ("/zip/call/explore", "/zip/call/*"),
        ("/gradio_api/heartbeat/anna", "/gradio_api/heartbeat/*"),
        ("/download/my-run/weights", "/download/*/*"),
        ("/static/anna.js", "/static/*"),
    ],
)
def test_of_a_path_the_servers_own_words_are_written(path: str, written: str) -> None:
    assert own_words(path, ENDPOINTS) == written
