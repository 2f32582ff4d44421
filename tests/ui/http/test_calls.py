"""Calls of the page's API: each mistake is one sentence, and no address is ever fetched."""

import asyncio
import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import httpx
import pytest
from starlette.types import Message

from gnet.ui.http.calls import CheckedCalls
from support.pages import Server, photo

FILE = {"_type": "gradio.FileData"}


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.address, trust_env=False, timeout=60) as client:
        yield client


def answered(client: httpx.Client, name: str, *data: Any) -> tuple[str, Any]:
    """The last event of a call: "complete" or "error", and what came with it."""
    event_id = client.post(f"gradio_api/call/{name}", json={"data": data}).json()["event_id"]
    text = client.get(f"gradio_api/call/{name}/{event_id}").text
    kind, value = re.findall(r"event: (\w+)\ndata: (.*)", text)[-1]
    return kind, json.loads(value)


@pytest.fixture
def elsewhere() -> Iterator[tuple[str, list[str]]]:
    """Another server: the address of a picture there, and what was asked of it."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(photo(64, 64))

        do_HEAD = do_GET

    with HTTPServer(("127.0.0.1", 0), Handler) as other:
        thread = Thread(target=other.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{other.server_port}/x.jpg", asked
        other.shutdown()
        thread.join()


def test_a_call_is_answered(client):
    kind, value = answered(client, "explore", {"example": "cat"})
    assert kind == "complete" and json.loads(value[0])["name"] == "a cat"


def nested(levels: int) -> str:
    """Data of that many levels of lists."""
    return '{"data": ' + "[" * levels + "]" * levels + "}"


@pytest.mark.parametrize(
    ("path", "body", "status", "words"),
    [
        ("call/explore", '{"data": []}', 422, "explore takes 1 value (picture); data holds 0."),
        ("run/explore", '{"data": [1, 2]}', 422, "data holds 2."),
        ("call/attribute", '{"data": [1]}', 422, "attribute takes 5 values (picture, method, head"),
        ("call/explore", "{}", 422, "holds no list of values"),
        ("call/explore", '{"data": "x"}', 422, "holds no list of values"),
        ("call/explore", "data", 422, "holds no JSON object"),
        ("call/explore", nested(900), 422, "nested too deeply; allowed are 100 levels."),
        ("call/explore", nested(100_000), 422, "nested too deeply"),
        ("queue/join", '{"fn_index": ' + nested(900) + "}", 422, "nested too deeply"),
        ("call/attribute", nested(99), 422, "data holds 1."),
        ("call/attribute", nested(100), 422, "nested too deeply"),
        ("call/explore%0A", '{"data": []}', 404, "holds a control character"),
        ("queue/join%0A", '{"data": []}', 404, "holds a control character"),
        ("component_server%0D%0A", "{}", 404, "holds a control character"),
        ("call/explore", '{"data": ["' + "x" * 4_000_001 + '"]}', 413, "too long"),
        ("call/v2/explore", '{"image": 1}', 422, "explore takes picture; picture is missing."),
        ("call/v2/explore", '{"picture": 1, "b": 2}', 422, "b is none of them"),
        ("call/dance", '{"data": []}', 404, "There is no method 'dance'; there are account_logit"),
        ("call/v2/dance", "{}", 404, "There is no method 'dance'"),
        ("api/dance/", '{"data": []}', 404, "There is no method 'dance'"),
        ("queue/join", '{"data": [], "fn_index": 9999}', 404, "There is no fn_index 9999"),
        ("queue/join", '{"data": []}', 404, "There is no fn_index None"),
        ("queue/join", '{"data": [], "fn_index": 0, "session_hash": "a"}', 422, "data holds 0"),
        ("component_server", '{"component_id": 9999}', 404, "There is no component_id 9999"),
    ],
)
def test_a_call_that_is_none_is_one_sentence(client, path, body, status, words, capfd):
    headers = {"content-type": "application/json"}
    answer = client.post(f"gradio_api/{path}", content=body, headers=headers)
    assert answer.status_code == status and answer.headers["X-Frame-Options"] == "SAMEORIGIN"
    sentence = answer.json()["error"]
    assert words in sentence and sentence.endswith(".") and "\n" not in sentence
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("call/explore/0123456789abcdef", "There is no call '0123456789abcdef' that waits"),
        ("call/explore/0123456789abcdef/", "There is no call '0123456789abcdef' that waits"),
        ("call/v2/explore/0123", "There is no call '0123' that waits"),
        ("call/dance/0123", "There is no call '0123' that waits"),
        ("queue/data?session_hash=nobody", "There is no session 'nobody' with a call that waits"),
        ("queue/data?session_hash=", "There is no session ''"),
    ],
)
def test_an_answer_that_nobody_waits_for_is_one_sentence(client, path, words, capfd):
    answer = client.get(f"gradio_api/{path}", timeout=10)
    assert answer.status_code == 404 and words in answer.json()["error"]
    assert "Traceback" not in capfd.readouterr().err


def test_an_answer_is_there_once(client, capfd):
    called = client.post("gradio_api/call/explore", json={"data": [{"example": "cat"}]})
    address = f"gradio_api/call/explore/{called.json()['event_id']}"
    assert "event: complete" in client.get(address).text
    again = client.get(address, timeout=10)
    assert again.status_code == 404 and again.json()["error"].endswith("once.")
    assert "Traceback" not in capfd.readouterr().err


def test_an_address_with_a_line_break_fetches_nothing(client, elsewhere):
    address, asked = elsewhere
    answer = client.get(f"gradio_api/file={address}%0A")
    assert answer.status_code == 404 and "control character" in answer.json()["error"]
    assert asked == []


def test_a_connection_that_is_cut_within_a_body_ends_the_call():
    messages: list[Message] = [
        {"type": "http.request", "body": b'{"data": [', "more_body": True},
        {"type": "http.disconnect"},
    ]
    scope = {"type": "http", "method": "POST", "path": "/gradio_api/call/explore", "headers": []}
    sent: list[Message] = []

    async def receive() -> Message:
        return messages.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    async def behind(*_: Any) -> None:
        pytest.fail("the call was passed on")

    with ThreadPoolExecutor(max_workers=1) as pool:  # a browser's loop may run in this thread
        pool.submit(asyncio.run, CheckedCalls(behind)(scope, receive, send)).result()
    assert not messages and not sent


def test_an_address_is_refused_before_anything_is_fetched(client, elsewhere, capfd):
    address, asked = elsewhere
    for path in (address, "https://example.org/x.jpg", "HTTP://example.org/x.jpg", "ftp://a/b"):
        given = {"path": path, "url": path, "meta": FILE}
        kind, value = answered(client, "explore", given)
        assert kind == "error" and "this server fetches nothing" in value["error"]
        question = ("saliency", "main", "0", "4a")
        assert answered(client, "attribute", given, *question)[1]["error"] == value["error"]
        kind, value = answered(client, "attribute", {"example": "cat"}, given, given, given, given)
        assert kind == "error" and value["error"].startswith("The network knows no class")
        deep = {"example": "cat", "box": [given], "more": {"a": [given]}}
        assert answered(client, "explore", deep)[0] == "error"
    assert client.get(f"gradio_api/file={address}").status_code == 403
    assert client.head(f"gradio_api/file={address}").status_code == 403
    assert asked == [] and "Traceback" not in capfd.readouterr().err


def test_only_what_was_uploaded_is_opened(client, capfd):
    for path in ("/etc/passwd", "../app.py", "app.py", "\0", "", "C:\\x.jpg"):
        kind, value = answered(client, "explore", {"path": path, "meta": FILE})
        assert kind == "error" and "upload" in value["error"]
    assert "Traceback" not in capfd.readouterr().err
    files = {"files": ("mine.jpg", photo(90, 60))}
    (path,) = client.post("gradio_api/upload", files=files).json()
    assert answered(client, "explore", {"path": path, "meta": FILE})[0] == "complete"


def test_sentences_of_the_api_are_plain_text(client):
    kind, value = answered(client, "explore", {"example": "it's <b>R&D</b>"})
    assert kind == "error" and '"it\'s <b>R&D</b>"' in value["error"]
    kind, value = answered(client, "attribute", {"example": "cat"}, "magic", "main", "0", "")
    assert value["error"].startswith("There is no method 'magic'; there are grad-cam,")


def test_sentences_for_the_page_are_html(client):
    body = {"data": [{"example": "<b>"}], "session_hash": "abcdefghijk", "fn_index": None}
    config = client.get("config").json()
    body["fn_index"] = next(d["id"] for d in config["dependencies"] if d["api_name"] == "explore")
    client.post("gradio_api/queue/join", json=body, headers={"x-gradio-user": "app"})
    with client.stream("GET", "gradio_api/queue/data?session_hash=abcdefghijk") as stream:
        text = next(line for line in stream.iter_lines() if "process_completed" in line)
    assert "&lt;b&gt;" in json.loads(text.removeprefix("data: "))["output"]["error"]
