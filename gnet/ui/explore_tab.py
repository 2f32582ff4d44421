"""The Explore tab: one picture, nine modules, four branches, and why."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.data_classes import FileData
from gradio.utils import get_upload_folder

from gnet.answers import channel as channels
from gnet.answers import examples
from gnet.answers.explorers import Explorers
from gnet.answers.exports import request
from gnet.answers.exports.export import FORMATS, Export
from gnet.data.pictures import LIMITS
from gnet.errors import GnetError
from gnet.ui.components import drawing
from gnet.ui.events import MODEL, QUIET, as_text, sent, settle, spoken
from gnet.ui.http.uploads import keep

QUESTION = ("method", "head", "target", "stage")
"""What Why needs besides the picture; the page's script fills it in."""
CHANNELS = ("stage", "branch", "head", "class_index")
"""A branch, and the class that the relevance of its channels is for."""
CHANNEL = ("stage", "branch", "channel", "over", "turn")
"""A channel's place, the pictures its patches come from, and the page's count of questions."""


class Handlers:
    """The tab's events; the picture component comes with each of them."""

    def __init__(self, explorers: Explorers) -> None:
        self.explorers = explorers
        self._turns = itertools.count(1)

    def explore(self, picture: Any) -> str:
        with spoken():
            explorer, chosen = self.explorers.resolve(picture)
            known = chosen.example if chosen.box is None and not explorer.net else None
            answer = examples.answer(explorer, known) if known else explorer.explore(chosen)
            return self._new(answer | {"given": picture})

    def _new(self, answer: dict[str, Any]) -> str:
        """An answer as text; the page draws what changed, and the same twice is two answers."""
        return as_text(answer | {"turn": next(self._turns)})

    def measure(self, picture: Any, event: gr.EventData) -> dict[str, Any]:
        with spoken():
            explorer, chosen = self.explorers.resolve(picture)
            return explorer.measure(chosen, **sent(event, "stage", "key"))

    def open_channel(self, picture: Any, event: gr.EventData) -> dict[str, Any]:
        with spoken():
            explorer, chosen = self.explorers.resolve(picture)
            return channels.open_channel(explorer, chosen, sent(event, *CHANNEL))

    def list_channels(self, picture: Any, event: gr.EventData) -> dict[str, Any]:
        with spoken():
            explorer, chosen = self.explorers.resolve(picture)
            return channels.list_channels(explorer, chosen, sent(event, *CHANNELS))

    def grow(self, picture: Any, event: gr.EventData) -> Iterator[dict[str, Any]]:
        with spoken():
            place = sent(event, *CHANNEL)
            try:
                yield from channels.grow(self.explorers.resolve(picture)[0], place)
            except GnetError:
                yield channels.not_grown(place)
                raise

    def switch(self, picture: Any, event: gr.EventData) -> str:
        with spoken():
            explorer, chosen = self.explorers.resolve(picture)
            return self._new(explorer.ablate(chosen, **sent(event, "switches", "key")))

    def weigh(self, picture: Any, event: gr.EventData) -> str:
        with spoken():
            explorer, chosen = self.explorers.resolve(picture)
            return self._new(explorer.worth(chosen, **sent(event, "head", "class_index", "key")))

    def save(self, picture: Any, event: gr.EventData) -> dict[str, Any]:
        """A file of one view, as Gradio hands files out."""
        with spoken():
            explorer, chosen = self.explorers.resolve(picture)
            asked = sent(event, "view", "format", "request")
            export = request.export_of(explorer, chosen, asked["view"], asked["request"])
            return self._file(request.file_name(chosen, export, asked["format"]), export)

    def _file(self, name: str, export: Export) -> dict[str, Any]:
        content = export.content(name.rpartition(".")[2])
        path = keep(Path(get_upload_folder()), name, content)
        return FileData(path=str(path), orig_name=name).model_dump() | {"turn": next(self._turns)}

    def account(self, picture: Any, event: gr.EventData) -> str:
        with spoken():
            explorer, chosen = self.explorers.resolve(picture)
            return self._new(explorer.account(chosen, **sent(event, "head", "class_index", "key")))

    def attribute(
        self, picture: Any, method: str, head: str, target: str, stage: str
    ) -> Iterator[str]:
        with spoken():
            explorer, chosen = self.explorers.resolve(picture)
            for state in explorer.attributing(chosen, method, head, target, stage):
                yield as_text(state)


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The tab's components that events come from or go to."""

    picture: gr.HTML
    branches: gr.HTML
    switches: gr.HTML
    worth: gr.HTML
    account: gr.HTML
    channels: gr.HTML
    channel: gr.HTML
    question: gr.HTML
    why: gr.HTML
    saving: gr.HTML
    answer: gr.HTML


def build(explorers: Explorers) -> None:
    """Put the tab's components and events where the caller stands."""
    explorer = explorers.served
    name = next(iter(examples.EXAMPLES))
    first = examples.answer(explorer, name) | {"given": {"example": name}}
    drawing("explore/network")
    with gr.Row(elem_id="top"):
        picture = drawing(
            "explore/picture",
            {"example": name},
            examples=examples.thumbnails(),
            megabytes=LIMITS.file_bytes // 1_000_000,
        )
        with gr.Column(elem_id="net", elem_classes="card"):
            drawing("explore/diagram")
            drawing("explore/wiring")
        drawing("explore/belief")
        with gr.Column(elem_id="module"):
            drawing("explore/modules")
            branches = drawing("explore/branches")
    switches = drawing("explore/switches")
    listed = drawing("explore/channels")
    channel = drawing("explore/channel")
    worth = drawing("explore/worth")
    account = drawing("explore/account")
    with gr.Column(elem_id="why"):
        question = drawing("explore/question")
        why = drawing("explore/reason")
    saving = drawing("explore/saving", views=request.VIEWS, formats=list(FORMATS))
    answer = drawing("explore/answer", as_text(first), network=explorer.network, visible="hidden")
    parts = Parts(
        picture=picture,
        branches=branches,
        switches=switches,
        worth=worth,
        account=account,
        channels=listed,
        channel=channel,
        question=question,
        why=why,
        saving=saving,
        answer=answer,
    )
    bind(parts, Handlers(explorers))


def bind(parts: Parts, handlers: Handlers) -> None:
    """Connect the components' events with what handles them; the model serves one at a time."""
    picture, channel = parts.picture, parts.channel
    public: dict[str, Any] = {**MODEL, **QUIET}
    private = public | {"api_visibility": "private"}
    seen = picture.chosen(
        handlers.explore,
        picture,
        parts.answer,
        api_name="explore",
        trigger_mode="multiple",
        **public,
    )
    settle(seen, "answer")
    for part, event, handler, what in (
        (parts.branches, parts.branches.looked, handlers.measure, "measured"),
        (parts.switches, parts.switches.switched, handlers.switch, "switched"),
        (parts.worth, parts.worth.weighed, handlers.weigh, "worth"),
        (parts.account, parts.account.accounted, handlers.account, "account"),
        (parts.channels, parts.channels.listed, handlers.list_channels, "channels"),
        (parts.saving, parts.saving.saved, handlers.save, "saved"),
    ):
        settle(event(handler, picture, part, trigger_mode="always_last", **private), what)
    opened = channel.opened(
        handlers.open_channel, picture, channel, trigger_mode="multiple", **private
    )
    settle(opened, "channel")
    # A new one begins while the one that was stopped still ends.
    grown = channel.grown(handlers.grow, picture, channel, trigger_mode="multiple", **private)
    channel.stopped(None, cancels=[grown], api_visibility="private")
    question = [gr.Textbox(visible=False, label=name) for name in QUESTION]
    attributed = parts.question.asked(
        handlers.attribute,
        [picture, *question],
        parts.why,
        trigger_mode="always_last",
        js="(picture) => gnet.question(picture)",
        api_name="attribute",
        preprocess=False,  # the handler's own check says what is allowed
        **public,
    )
    settle(attributed, "why")
