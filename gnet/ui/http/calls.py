"""Checks the calls of Gradio's API before Gradio reads them, and answers mistakes in a sentence.

No value of a call is a file to Gradio, which would fetch an address that it names: a picture is
found by its path among the uploads, and by nothing else.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterable
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gnet import strict_json
from gnet.errors import GnetError
from gnet.ui.http.rates import SESSION
from gnet.words import cut, listed

_API = "/gradio_api"
_BY_NAME = re.compile(rf".*{_API}/(?:call(?:/v2)?|run|api)/([^/]+)/?")
_QUESTION = re.compile(rf".*{_API}/component_server/?")
_JOIN = re.compile(rf".*{_API}/queue/join/?")
_ANSWER = re.compile(rf".*{_API}/call(?:/v2)?/[^/]+/([^/]+)/?")
_TOOLS = re.compile(r".*/mcp/?")
_STREAM = re.compile(rf".*{_API}/queue/data/?")
_FETCHED = re.compile(rf".*{_API}/(?:file=|file/)https?:.*", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_FILE = "gradio.FileData"
_DEEPEST = 100
"""Levels of lists and objects in a call, far fewer than Python can follow."""
MOST_BYTES = 4_000_000
"""Bytes of a call; pictures are not in it, they are uploaded before."""


class _Refused(GnetError):
    """A call that is not passed on, with the status of its answer."""

    def __init__(self, sentence: str, status: int) -> None:
        super().__init__(sentence)
        self.status = status


class CheckedCalls:
    """ASGI middleware in front of Gradio's API."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            if scope["type"] == "http":
                receive = await _checked(scope, receive)
        except _Refused as error:
            answer = JSONResponse({"error": str(error)}, status_code=error.status)
            await answer(scope, receive, send)
            return
        except ClientDisconnect:
            return  # nobody reads an answer
        await self.app(scope, receive, send)


async def _checked(scope: Scope, receive: Receive) -> Receive:
    """The request's body as it is passed on; raises `_Refused`."""
    path = scope["path"]
    if _CONTROL.search(path):  # `$` in Starlette's patterns passes over a last line break
        raise _Refused("There is no such address: it holds a control character.", 404)
    if _FETCHED.fullmatch(path):
        raise _Refused("This server fetches nothing from other addresses; upload the file.", 403)
    if scope["method"] == "GET":
        _check_answer(scope)
    named = _BY_NAME.fullmatch(path)
    asked = _JOIN.fullmatch(path) or _QUESTION.fullmatch(path)
    checked = named or asked or _TOOLS.fullmatch(path)
    if scope["method"] != "POST" or not checked:
        return receive
    request = Request(scope, receive)
    if path.count("component_server") and "json" not in request.headers.get("content-type", ""):
        return receive  # an upload to a component
    content = await _body(request)
    record = _object(content)
    plain = without_files(record)
    scope[SESSION] = record.get("session_hash")
    if not named and not asked:
        return _replayed(content, receive)
    blocks = scope["app"].get_blocks()
    if named:
        functions = [fn for fn in blocks.fns.values() if fn.api_name == named[1]]
        if not functions:
            public = {f.api_name for f in blocks.fns.values() if f.api_visibility == "public"}
            raise _Refused(f"There is no method {cut(named[1])!r}; {_there_are(public)}.", 404)
        _check_values(functions[0], record, by_name="/call/v2/" in path)
    elif _JOIN.fullmatch(path):
        function = _found(blocks.fns, record.get("fn_index"), "fn_index")
        _check_values(function, record)
    else:
        _found(blocks.blocks, record.get("component_id"), "component_id")
    return _replayed(content if plain == record else strict_json.dumps(plain).encode(), receive)


def _check_answer(scope: Scope) -> None:
    """Raise `_Refused` for a stream of answers that nobody waits for: Gradio would cut it off."""
    asked = _ANSWER.fullmatch(scope["path"])
    if not asked and not _STREAM.fullmatch(scope["path"]):
        return
    queue = scope["app"].get_blocks()._queue
    if asked:
        if not any(asked[1] in ids for ids in list(queue.pending_event_ids_session.values())):
            raise _Refused(
                f"There is no call {cut(asked[1])!r} that waits for its answer; allowed is an id "
                "that a call was answered with, once.",
                404,
            )
        return
    session = Request(scope).query_params.get("session_hash")
    if session is not None and session not in queue.pending_messages_per_session:
        raise _Refused(
            f"There is no session {cut(session)!r} with a call that waits; reload the page.", 404
        )


def without_files(value: Any, levels: int = _DEEPEST) -> Any:
    """The same value without the mark by which Gradio knows files that it moves or fetches.

    Raises `_Refused` for more levels of lists and objects than are allowed.
    """
    if not levels and isinstance(value, dict | list):
        raise _too_deep()
    if isinstance(value, dict):
        plain = {key: without_files(item, levels - 1) for key, item in value.items()}
        meta = plain.get("meta")
        if "path" in plain and isinstance(meta, dict) and meta.get("_type") == _FILE:
            del plain["meta"]
        return plain
    if isinstance(value, list):
        return [without_files(item, levels - 1) for item in value]
    return value


async def _body(request: Request) -> bytes:
    content = b""
    async for part in request.stream():
        content += part
        if len(content) > MOST_BYTES:
            raise _Refused(f"The call is too long; allowed are {MOST_BYTES:,} bytes.", 413)
    return content


def _object(content: bytes) -> dict[str, Any]:
    try:
        record = json.loads(content)
        if isinstance(record, dict):
            return record
    except RecursionError:
        raise _too_deep() from None
    except ValueError:
        pass
    raise _Refused('The call holds no JSON object; allowed is as {"data": [...]}.', 422)


def _too_deep() -> _Refused:
    return _Refused(f"The call is nested too deeply; allowed are {_DEEPEST} levels.", 422)


def _check_values(function: Any, record: dict[str, Any], *, by_name: bool = False) -> None:
    """Raise `_Refused` unless the call brings the values that its method takes."""
    names = list(inspect.signature(function.fn).parameters) if function.fn else []
    names = names[: len(function.inputs)]
    if by_name:
        missing = [name for name in names if name not in record]
        unknown = [cut(name) for name in record if name not in (*names, "oauth_token")]
        if missing or unknown:
            raise _Refused(
                f"{function.api_name} takes {listed(names)}; "
                f"{listed(missing or unknown)} {'is missing' if missing else 'is none of them'}.",
                422,
            )
        _check_numbers(function.inputs, [record[name] for name in names])
        return
    if function.fn is None:
        raise _Refused("This is a method of the page's own scripts; the server has none.", 404)
    if function.cancels:  # takes nothing, whatever is sent
        return
    data = record.get("data")
    if not isinstance(data, list):
        raise _Refused('The call holds no list of values; allowed is as {"data": [...]}.', 422)
    shown = [block for block in function.inputs if not block.skip_api]
    if len(data) not in (len(function.inputs), len(shown)):
        count = len(function.inputs)
        takes = f"{count} value{'s' * (count != 1)}"
        raise _Refused(
            f"{function.api_name or 'This method'} takes {takes}"
            f"{f' ({listed(names)})' if names else ''}; data holds {len(data)}.",
            422,
        )
    _check_numbers(function.inputs if len(data) == len(function.inputs) else shown, data)


def _check_numbers(inputs: list[Any], values: list[Any]) -> None:
    """Raise `_Refused` where a slider or a field for numbers, which compare them, is given none."""
    for place, (block, value) in enumerate(zip(inputs, values, strict=False)):
        number = isinstance(value, int | float | None)
        if block.get_block_name() in ("slider", "number") and not number:
            raise _Refused(
                f"Value {place} is {cut(value)!r}; allowed are numbers, as {block.label!r} is one.",
                422,
            )


def _found(known: Any, key: Any, name: str) -> Any:
    if not isinstance(key, int) or key not in known:
        raise _Refused(f"There is no {name} {cut(key)}; reload the page.", 404)
    return known[key]


def _there_are(names: Iterable[str]) -> str:
    return f"there are {listed(sorted(names))}"


def _replayed(content: bytes, receive: Receive) -> Receive:
    """Gives a body that was read already, and then what comes after it."""
    messages: list[Message] = [{"type": "http.request", "body": content, "more_body": False}]

    async def again() -> Message:
        return messages.pop() if messages else await receive()

    return again
