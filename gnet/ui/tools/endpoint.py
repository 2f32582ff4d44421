"""POST /mcp: the tools by the Model Context Protocol, each request by itself, answered as JSON.

The package mcp speaks the protocol; it is imported when an endpoint is asked for. Nothing is kept
between two requests, so no session can be left behind.
"""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import Any
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

from gradio import Blocks
from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

import gnet
from gnet.answers.explorers import Explorers
from gnet.answers.live.turns import Turns
from gnet.answers.tools.table import TOOLS, find
from gnet.errors import GnetError
from gnet.system.paths import without_paths
from gnet.ui.events import UNFORESEEN

logger = logging.getLogger(__name__)
ADDRESS = "/mcp"
MOST_WAITING = 16
"""Questions that wait for their turn, everybody's together."""
INSTRUCTIONS = (
    "A lab for GoogLeNet (Inception v1): nine modules of four branches each and three heads. Ask "
    "what the heads believe of a picture, how each module's activity divides between its "
    "branches, what changes without some, and which branches a class needs."
)


class Questions:
    """Questions to the tools, answered one after the other by a thread of their own."""

    def __init__(self, explorers: Explorers, turns: Turns) -> None:
        self._explorers, self._turns = explorers, turns
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="tools")
        self._waiting = 0
        self._lock = Lock()

    async def ask(self, name: str, given: Any) -> tuple[str, bool]:
        """The text of an answer, and whether it is a refusal."""
        try:
            with self._lock:
                if self._waiting >= MOST_WAITING:
                    raise GnetError(
                        f"{MOST_WAITING} questions wait already; ask again in a moment."
                    )
                self._waiting += 1
            work = self._thread.submit(self._answer, name, given)
            work.add_done_callback(self._gone)
            return await asyncio.wrap_future(work), False
        except GnetError as error:
            return without_paths(str(error)), True
        except Exception:
            logger.exception("a tool failed")
            return UNFORESEEN, True

    def _answer(self, name: str, given: Any) -> str:
        with self._turns.request():
            return find(name).ask(self._explorers.served, given)

    def _gone(self, _: Future[str]) -> None:
        with self._lock:
            self._waiting -= 1


_questions: WeakKeyDictionary[Blocks, Questions] = WeakKeyDictionary()


def answer(page: Blocks, questions: Questions) -> None:
    """Have the questions asked at the address of `page` answered by `questions`."""
    _questions[page] = questions


def routes() -> list[Route]:
    """The endpoint's address."""
    return [Route(ADDRESS, Endpoint())]


class Endpoint:
    """ASGI app that speaks the protocol."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if refusal := _refusal(scope):
            await refusal(scope, receive, send)
            return
        import anyio
        from mcp.server.streamable_http import StreamableHTTPServerTransport

        server = _server(_questions[scope["app"].get_blocks()])
        transport = StreamableHTTPServerTransport(None, is_json_response_enabled=True)

        async def run(*, task_status: Any) -> None:
            async with transport.connect() as (incoming, outgoing):
                task_status.started()
                options = server.create_initialization_options()
                await server.run(incoming, outgoing, options, stateless=True)

        async with anyio.create_task_group() as tasks:
            await tasks.start(run)
            await transport.handle_request(scope, receive, send)
            await transport.terminate()
            tasks.cancel_scope.cancel()


def _refusal(scope: Scope) -> JSONResponse | None:
    """Why a request is not passed on: another site's page sends it, or it opens a stream."""
    headers = Headers(scope=scope)
    origin = headers.get("origin")
    if origin and urlsplit(origin).netloc != headers.get("host"):
        return JSONResponse({"error": "Pages of other sites may not ask here."}, 403)
    if scope["method"] != "POST":
        return JSONResponse(
            {"error": "Tools are asked with POST; this server opens no stream."},
            405,
            {"Allow": "POST"},
        )
    return None


def _server(questions: Questions) -> Any:
    """What answers the protocol's own requests."""
    from mcp.server.lowlevel import Server
    from mcp.types import CallToolResult, TextContent, Tool, ToolAnnotations

    server: Any = Server("gnet", version=gnet.__version__, instructions=INSTRUCTIONS)

    @server.list_tools()
    async def list_tools() -> list[Tool]:
        return [
            Tool(
                name=tool.name,
                description=tool.about,
                inputSchema=tool.schema(),
                annotations=ToolAnnotations(readOnlyHint=True, openWorldHint=False),
            )
            for tool in TOOLS.values()
        ]

    @server.call_tool(validate_input=False)  # its sentences would be several, and in its own words
    async def call_tool(name: str, given: dict[str, Any]) -> CallToolResult:
        text, refused = await questions.ask(name, given)
        return CallToolResult(content=[TextContent(type="text", text=text)], isError=refused)

    return server
