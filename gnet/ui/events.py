"""What the tabs' events have in common: one line before the model, no overlays, records as text."""

import inspect
import itertools
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import wraps
from html import escape
from typing import Any

import gradio as gr
from gradio.context import LocalContext
from gradio.events import api

from gnet import strict_json
from gnet.answers.live.turns import Turns
from gnet.errors import GnetError
from gnet.system.paths import without_paths

logger = logging.getLogger(__name__)

MODEL: dict[str, Any] = {"concurrency_id": "model", "concurrency_limit": 2}
"""What runs the network waits in one line; while one request is computed, the next is, too."""
REASONS: dict[str, Any] = {"concurrency_id": "reasons", "concurrency_limit": 1}
"""Attributions take longer and stand in a line of their own: one at a time has the twin."""
BEHIND: dict[str, Any] = {"concurrency_id": "behind", "concurrency_limit": 1}
"""What begins by itself and takes long: one at a time, behind everybody's requests."""
TURNS = Turns()
"""What waits for whom: frames for requests."""
_NUMBERS = itertools.count(1)
QUIET: dict[str, Any] = {"show_progress": "hidden"}


def as_text(record: Any) -> str:
    """A record as JSON text: Gradio's page takes a long text much faster than a deep record."""
    return strict_json.dumps(record, separators=(",", ":")).replace("<", "\\u003c")


def numbered(answer: dict[str, Any]) -> dict[str, Any]:
    """The answer as one of its own: the page draws what changed, so the same twice must differ."""
    return answer | {"turn": next(_NUMBERS)}


def as_new(answer: dict[str, Any]) -> str:
    """The same as text."""
    return as_text(numbered(answer))


def settle(event: Any, what: str) -> None:
    """Tell the page's script when `event` is over, and whether it was answered or refused."""
    # `.then` is not told of failures.
    event.success(None, js=f"() => gnet.settle('{what}', true)", api_visibility="private")
    event.failure(None, js=f"() => gnet.settle('{what}', false)", api_visibility="private")


def from_page(handler: Callable[..., Any]) -> Callable[..., Any]:
    """`handler` as the page calls it: a script sends what it takes beside the picture."""
    names = list(inspect.signature(handler).parameters)[1:]

    def call(picture: Any, event: gr.EventData) -> Any:
        return handler(picture, **sent(event, *names))

    def stream(picture: Any, event: gr.EventData) -> Iterator[Any]:
        yield from handler(picture, **sent(event, *names))

    return stream if inspect.isgeneratorfunction(handler) else call


def endpoint(handler: Callable[..., Any], name: str, **options: Any) -> None:
    """`handler` for scripts: it takes what its signature says and answers as it does the page."""
    api(handler, api_name=name, api_description=inspect.getdoc(handler), **options)


UNFORESEEN = "Something went wrong here; it is in the server's log."
"""The message for an unforeseen error, which is not the person's."""


def sent(event: gr.EventData, *names: str) -> dict[str, Any]:
    """What the page's script sent with `event` under these names; None for what is missing."""
    # Gradio looks names up in whatever was sent, which may be no dict.
    try:
        return {name: getattr(event, name, None) for name in names}
    except TypeError:
        return dict.fromkeys(names)


@contextmanager
def spoken(behind: bool = False) -> Iterator[None]:
    """Turns a `GnetError` into a toast with its sentence; any other error is logged.

    Frames wait meanwhile, unless it stands behind everybody's requests itself.
    """
    try:
        with nullcontext() if behind else TURNS.request():
            yield
    except GnetError as error:
        sentence = without_paths(str(error))
        raise _toast(
            escape(sentence) if _asked_by_page() else sentence, "That cannot be done"
        ) from None
    except gr.Error:
        raise
    except Exception as error:
        logger.exception("an event of the page failed")
        raise _toast(UNFORESEEN, "Error") from error


def refusing(handler: Callable[..., Any]) -> Callable[..., Any]:
    """`handler` with its refusals as those of an event."""

    @wraps(handler)
    def ask(*values: Any) -> Any:
        with spoken():
            return handler(*values)

    return ask


def _asked_by_page() -> bool:
    """Whether a toast will show the answer: as HTML, and sentences quote names of files.

    Gradio's scripts say so in a header; who calls the API reads plain text.
    """
    request = LocalContext.request.get(None)
    return request is None or request.headers.get("x-gradio-user") == "app"


_SHOWN_SECONDS = 8.0
"""How long a toast stays; it can be closed before."""


def _toast(sentence: str, title: str) -> gr.Error:
    return gr.Error(sentence, title=title, duration=_SHOWN_SECONDS, print_exception=False)


Answer = Callable[[Any], dict[str, Any]]
"""What a script asks outside Gradio's queue: a dict of plain values → another one."""


def answered(ask: Callable[..., dict[str, Any]], *names: str) -> Answer:
    """A server function: `ask` given the named parts of a question, refusals as answers.

    Gradio's scripts call it by the name of `ask`.
    """

    def answer(question: Any) -> dict[str, Any]:
        parts = question if isinstance(question, dict) else {}
        try:
            return ask(**{name: parts.get(name) for name in names})
        except GnetError as error:
            return {"error": without_paths(str(error))}
        except Exception:
            logger.exception("a question of the page failed")
            return {"error": UNFORESEEN}

    answer.__name__ = ask.__name__  # no more of it: Gradio looks at the signature
    return answer
