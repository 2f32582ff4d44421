"""Frames over http: POST frame?module=4b answers a square that is still changing, lightly.

Gradio's queue serves one event at a time; a camera would stand in everybody's way there. A frame is
answered from memory: it is never a file, and no log names it.
"""

from __future__ import annotations

import asyncio
import logging
from weakref import WeakKeyDictionary

from gradio import Blocks
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gnet.answers.live.frame import TooLarge, check_length
from gnet.answers.live.viewing import TooMany, Viewing
from gnet.errors import GnetError
from gnet.system.paths import without_paths
from gnet.ui.events import UNFORESEEN, as_text

logger = logging.getLogger(__name__)
_viewings: WeakKeyDictionary[Blocks, Viewing] = WeakKeyDictionary()


def view(page: Blocks, viewing: Viewing) -> None:
    """Have the frames given to `page` answered by `viewing`."""
    _viewings[page] = viewing


def routes() -> list[Route]:
    """What the server answers besides the page."""
    return [Route("/frame", _frame, methods=["POST"])]


async def _frame(request: Request) -> Response:
    viewing = _viewings[request.app.get_blocks()]
    try:
        return await _answer(viewing, request)
    except TooLarge as error:
        return _refused(error, 413)
    except TooMany as error:
        return _refused(error, 429)
    except GnetError as error:
        return _refused(error, 422)
    except ClientDisconnect:
        return Response(status_code=400)  # nobody reads it
    except Exception:
        logger.exception("a frame could not be answered")
        return JSONResponse({"error": UNFORESEEN}, status_code=500)


async def _answer(viewing: Viewing, request: Request) -> Response:
    content = b""
    async for part in request.stream():
        content += part
        check_length(len(content))
    given = request.query_params
    net = given.get("net", "")
    try:
        await run_in_threadpool(viewing.explorers.find, net)
    except GnetError as error:
        return _refused(error, 404)
    waiting = viewing.submit(
        content, stage=given.get("module"), net=net, before=given.get("before", "")
    )
    answer = await asyncio.wrap_future(waiting)
    return Response(as_text(answer), media_type="application/json")


def _refused(error: GnetError, status: int) -> Response:
    return JSONResponse({"error": without_paths(str(error))}, status_code=status)
