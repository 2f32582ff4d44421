"""The Explore tab: one picture, nine modules, four branches, and why."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr

from gnet.answers import channel as channels
from gnet.answers import examples
from gnet.answers.explorers import Explorers
from gnet.answers.why.jobs import Heard, Jobs
from gnet.answers.why.line import Line
from gnet.data.pictures import LIMITS
from gnet.errors import GnetError
from gnet.ui.components import drawing
from gnet.ui.events import (
    BEHIND,
    MODEL,
    QUIET,
    REASONS,
    TURNS,
    answered,
    as_new,
    as_text,
    endpoint,
    from_page,
    settle,
    spoken,
)


class Handlers:
    """The tab's events; the picture component comes with each of them."""

    def __init__(self, explorers: Explorers) -> None:
        self.explorers = explorers
        self.line = Line()
        self.jobs = Jobs()

    def explore(self, picture: Any) -> str:
        """What the network makes of a picture, as a text of JSON."""
        with spoken():
            picture, instead = self.explorers.opened(picture)
            explorer, chosen = self.explorers.resolve(picture)
            known = chosen.example if chosen.box is None and not explorer.net else None
            answer = examples.answer(explorer, known) if known else explorer.explore(chosen)
            return as_new(answer | {"given": picture, "instead": instead})

    def square(self, picture: Any, turn: Any = None) -> dict[str, Any]:
        """The very square that the network saw of a picture, without loss."""
        with spoken():
            explorer, chosen = self.explorers.resolve(picture)
            return explorer.square(chosen) | {"turn": turn}

    def measure(self, picture: Any, stage: Any, key: Any = None) -> dict[str, Any]:
        """How much of the picture counts for a cell of a module's branches, in px."""
        with spoken():
            explorer, chosen = self.explorers.resolve(picture)
            return explorer.measure(chosen, stage, key)

    def open_channel(
        self,
        picture: Any,
        stage: Any,
        branch: Any,
        channel: Any,
        over: Any = None,
        turn: Any = None,
    ) -> dict[str, Any]:
        """A channel's map, its strongest patches and how its strongest cell is computed."""
        with spoken():
            explorer, chosen = self.explorers.resolve(picture)
            place = {"stage": stage, "branch": branch, "channel": channel}
            return channels.open_channel(explorer, chosen, place | {"over": over, "turn": turn})

    def list_channels(
        self, picture: Any, stage: Any, branch: Any, head: Any = "main", class_index: Any = 0
    ) -> dict[str, Any]:
        """All channels of a branch as maps, in three orders."""
        with spoken():
            explorer, chosen = self.explorers.resolve(picture)
            wanted = {"stage": stage, "branch": branch, "head": head, "class_index": class_index}
            return channels.list_channels(explorer, chosen, wanted)

    def grow(
        self, picture: Any, stage: Any, branch: Any, channel: Any, turn: Any = 0
    ) -> Iterator[dict[str, Any]]:
        """A picture grown for a channel, state by state."""
        with spoken():
            place = {"stage": stage, "branch": branch, "channel": channel, "turn": turn}
            try:
                yield from channels.grow(self.explorers.resolve(picture)[0], place)
            except GnetError:
                yield channels.not_grown(place)
                raise

    def switch(self, picture: Any, switches: Any, key: Any = None) -> str:
        """The answer with branches switched, as {"4b/5x5": 0}: "mean" or a factor from 0 to 2."""
        with spoken():
            explorer, chosen = self.explorers.resolve(picture)
            return as_new(examples.ablated(explorer, chosen, switches, key))

    def weigh(self, picture: Any, head: Any, class_index: Any, key: Any = None) -> str:
        """What each of the 36 branches is worth for a class of a head."""
        with spoken():
            explorer, chosen = self.explorers.resolve(picture)
            return as_new(explorer.worth(chosen, head, class_index, key))

    def account(self, picture: Any, head: Any, class_index: Any, key: Any = None) -> str:
        """A class's logit as a sum over the 36 branches."""
        with spoken():
            explorer, chosen = self.explorers.resolve(picture)
            return as_new(explorer.account(chosen, head, class_index, key))

    def attribute(
        self, picture: Any, method: Any, head: Any, target: Any, stage: Any = None
    ) -> Iterator[str]:
        """Why a head answers a class: how far it is, and then the map with its numbers."""
        with spoken():
            explorer, chosen = self.explorers.resolve(picture)
            for state in explorer.attributing(chosen, method, head, target, stage):
                yield as_text(state)

    def reason(
        self, picture: Any, method: Any, head: Any, class_index: Any, stage: Any
    ) -> Iterator[str]:
        """The same as the page's script asks it: Gradio has a `target` of its own."""
        yield from self.attribute(picture, method, head, class_index, stage)

    def compute(
        self, picture: Any, method: Any, head: Any, class_index: Any, stage: Any, ticket: Any
    ) -> Iterator[str]:
        """The same of a slow method that nobody pressed a button for: it gives way to all else."""
        with spoken(behind=True):
            explorer, chosen = self.explorers.resolve(picture)

            def work(heard: Heard) -> dict[str, Any]:
                def behind(done: float) -> None:
                    TURNS.wait()
                    heard(done)

                return explorer.attribute(
                    chosen, method, head, class_index, stage, behind, aside=True
                )

            try:
                wanted = self.line.begin(ticket)
                for state in self.jobs.run(ticket, work) if wanted else [{"cancelled": True}]:
                    yield as_new(state)
            finally:
                self.line.leave(ticket)

    def wait(self, ticket: Any) -> dict[str, Any]:
        """How many computations must end before the one of this ticket may begin."""
        return {"before": self.line.ask(ticket)}

    def stop(self, ticket: Any) -> dict[str, Any]:
        """End the computation of this ticket, or leave the line."""
        self.line.leave(ticket)
        return {"cancelled": self.jobs.cancel(ticket)}

    def publish(self) -> None:
        """Make each of the above an endpoint of its own."""
        for handler, name in (
            (self.explore, "explore"),
            (self.measure, "measure_fields"),
            (self.open_channel, "open_channel"),
            (self.list_channels, "list_channels"),
            (self.grow, "grow_picture"),
            (self.switch, "switch_branches"),
            (self.weigh, "weigh_branches"),
            (self.account, "account_logit"),
        ):
            endpoint(handler, name, **MODEL)
        endpoint(self.attribute, "attribute", **REASONS)
        endpoint(self.square, "show_square", concurrency_limit=4)


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The tab's components that events come from or go to."""

    picture: gr.HTML
    touch: gr.HTML
    branches: gr.HTML
    switches: gr.HTML
    worth: gr.HTML
    account: gr.HTML
    channels: gr.HTML
    channel: gr.HTML
    question: gr.HTML
    why: gr.HTML
    answer: gr.HTML


def build(explorers: Explorers) -> None:
    """Put the tab's components and events where the caller stands."""
    explorer, handlers = explorers.served, Handlers(explorers)
    name = next(iter(examples.EXAMPLES))
    first = examples.answer(explorer, name) | {"given": {"example": name}}
    with gr.Row(elem_id="top"):
        picture = drawing(
            "explore/picture",
            {"example": name},
            examples=examples.thumbnails(),
            megabytes=LIMITS.file_bytes // 1_000_000,
        )
        touch = drawing("explore/touch")
        drawing("explore/camera")
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
        asking = [answered(handlers.wait, "ticket"), answered(handlers.stop, "ticket")]
        question = drawing("explore/question", server_functions=asking)
        why = drawing("explore/reason")
    drawing("explore/learn")
    answer = drawing("explore/answer", as_text(first), network=explorer.network, visible="hidden")
    parts = Parts(
        picture=picture,
        touch=touch,
        branches=branches,
        switches=switches,
        worth=worth,
        account=account,
        channels=listed,
        channel=channel,
        question=question,
        why=why,
        answer=answer,
    )
    bind(parts, handlers)


def bind(parts: Parts, handlers: Handlers) -> None:
    """Connect the components' events with what handles them."""
    with gr.Column(visible=False):  # first, so that the names are theirs
        handlers.publish()
    picture, channel = parts.picture, parts.channel
    private: dict[str, Any] = {**MODEL, **QUIET, "api_visibility": "private"}
    seen = picture.chosen(
        handlers.explore, picture, parts.answer, trigger_mode="multiple", **private
    )
    settle(seen, "answer")
    parts.touch.squared(
        from_page(handlers.square), picture, parts.touch, api_visibility="private", **QUIET
    )
    for part, event, handler, what in (
        (parts.branches, parts.branches.looked, handlers.measure, "measured"),
        (parts.switches, parts.switches.switched, handlers.switch, "switched"),
        (parts.worth, parts.worth.weighed, handlers.weigh, "worth"),
        (parts.account, parts.account.accounted, handlers.account, "account"),
        (parts.channels, parts.channels.listed, handlers.list_channels, "channels"),
    ):
        latest: dict[str, Any] = {"trigger_mode": "always_last", **private}
        settle(event(from_page(handler), picture, part, **latest), what)
    several: dict[str, Any] = {"trigger_mode": "multiple", **private}
    opened = channel.opened(from_page(handlers.open_channel), picture, channel, **several)
    settle(opened, "channel")
    # A new one begins while the one that was stopped still ends.
    grown = channel.grown(from_page(handlers.grow), picture, channel, **several)
    channel.stopped(None, cancels=[grown], api_visibility="private")
    question = parts.question
    for event, handler, part, options, what in (
        (question.asked, handlers.reason, parts.why, REASONS, "why"),
        (question.computed, handlers.compute, question, BEHIND, "computed"),
    ):
        settle(event(from_page(handler), picture, part, **(several | options)), what)
