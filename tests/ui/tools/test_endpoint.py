"""The tools over http, asked by the protocol's own client: listed, each called, mistakes told."""

import asyncio
import base64
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client

from gnet.answers.live.turns import Turns
from gnet.answers.tools.table import TOOLS
from gnet.ui.http.calls import MOST_BYTES
from support.pages import on_a_free_port, photo, random_network

Asking = Callable[[ClientSession], Coroutine[Any, Any, Any]]


@pytest.fixture(scope="module")
def address(gradio_environment: None) -> Iterator[str]:
    with on_a_free_port(random_network(), mcp=True) as address:
        yield address


def asked(address: str, ask: Asking) -> Any:
    """What a client is answered that opens a session, in a thread that has no browser's loop."""

    async def visit() -> Any:
        async with (
            httpx.AsyncClient(trust_env=False, timeout=60) as client,
            streamable_http_client(f"{address}mcp", http_client=client) as (read, write, _),
            ClientSession(read, write) as session,
        ):
            hello = await session.initialize()
            assert hello.serverInfo.name == "gnet" and "GoogLeNet" in (hello.instructions or "")
            return await ask(session)

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, visit()).result()


def test_the_tools_are_listed_as_the_table_has_them(address: str) -> None:
    listed = asked(address, lambda session: session.list_tools()).tools
    assert [(tool.name, tool.description, tool.inputSchema) for tool in listed] == [
        (tool.name, tool.about, tool.schema()) for tool in TOOLS.values()
    ]


def test_each_tool_answers_in_short_text(address: str) -> None:
    picture = base64.b64encode(photo(90, 60)).decode()
    given: dict[str, dict[str, Any]] = {
        "look_at_picture": {"picture": picture},
        "list_branch_shares": {"picture": picture},
        "switch_branches": {"picture": picture, "switches": {"4b/5x5": 0}},
        "weigh_branches": {"picture": picture, "class": "thing 1"},
    }

    async def ask(session: ClientSession) -> dict[str, Any]:
        return {name: await session.call_tool(name, given.get(name, {})) for name in TOOLS}

    for name, answer in asked(address, ask).items():
        (content,) = answer.content
        assert not answer.isError and 10 < len(content.text) < 4000, name


def test_mistakes_are_one_sentence_each(address: str) -> None:
    async def ask(session: ClientSession) -> list[Any]:
        return [
            await session.call_tool("dance", {}),
            await session.call_tool("look_at_picture", {"example": 7}),
            await session.call_tool("switch_branches", {"example": "cat", "switches": {"9z/1": 0}}),
        ]

    answers = asked(address, ask)
    words = ("There is no tool 'dance'", "example is '7'", "9z/1")
    for answer, told in zip(answers, words, strict=True):
        (content,) = answer.content
        assert answer.isError and told in content.text and "\n" not in content.text


@pytest.fixture
def client(address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address, trust_env=False, timeout=60) as client:
        yield client


def test_what_is_no_request_of_the_protocol_is_refused(client: httpx.Client) -> None:
    def status(content: str, **headers: str) -> int:
        kinds = {"content-type": "application/json", "accept": "application/json"}
        return client.post("mcp", content=content, headers=kinds | headers).status_code

    hello = '{"jsonrpc": "2.0", "id": 1, "method": "ping"}'
    assert status(hello) == 200
    assert status(hello, origin="https://elsewhere.example") == 403
    assert status("[") == 422 and status('{"a": 1}') == 400
    assert status(" " * (MOST_BYTES + 1)) == 413
    assert client.get("mcp").status_code == client.delete("mcp").status_code == 405


def test_without_the_option_there_is_no_endpoint(gradio_environment: None) -> None:
    from gnet import ui

    plain, with_tools = (
        [route.path for route in ui.launch_options(mcp=mcp)["app_kwargs"]["routes"]]
        for mcp in (False, True)
    )
    assert "/mcp" not in plain and [*plain, "/mcp"] == with_tools


def test_more_questions_than_may_wait_are_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    from gnet.ui.tools import endpoint

    monkeypatch.setattr(endpoint, "MOST_WAITING", 0)
    questions = endpoint.Questions(None, Turns())  # pyright: ignore[reportArgumentType]
    with ThreadPoolExecutor(1) as thread:
        text, refused = thread.submit(asyncio.run, questions.ask("list_examples", {})).result()
    assert refused and text == "0 questions wait already; ask again in a moment."
