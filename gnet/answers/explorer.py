"""What the page asks of the network: explore a picture, measure its fields, ask why.

It knows nothing of Gradio. Answers are plain values; whatever cannot be answered is a `GnetError`.
"""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from threading import RLock
from typing import Any

import torch
from torch import Tensor

from gnet.answers.answer import (
    View,
    as_data_url,
    describe_answer,
    describe_attribution,
    describe_network,
)
from gnet.answers.depths.course import describe_course, describe_probes
from gnet.answers.live.frame import exact_pixels, is_exact
from gnet.answers.recordings import Kept, Recordings
from gnet.answers.switches import describe_ablation, describe_account, describe_worth
from gnet.answers.why.cost import Speed, in_words, measure, seconds
from gnet.answers.why.jobs import telling
from gnet.channels.scales import ScaleResponses, measure_scales
from gnet.data.pictures import open_picture, square, to_image, to_pixels
from gnet.errors import FieldError, GnetError
from gnet.explain.ablation import MEAN, Ablation, ablation_of, check_switches
from gnet.explain.account import Account, account
from gnet.explain.attribution.attribute import attribute
from gnet.explain.attribution.methods import METHODS
from gnet.explain.belief import trained_head
from gnet.explain.means import Means, means_of
from gnet.explain.probes import find_probes
from gnet.explain.recording import Recording, record
from gnet.explain.worth import Worth, branch_worth
from gnet.inference.session import Session
from gnet.network.config import STAGES, UNTRAINED
from gnet.network.folding import fold, twin
from gnet.network.model import GoogLeNet
from gnet.network.receptive_field import effective_fields
from gnet.words import cut

_KEPT_SIDE = 4
"""A picture is read at up to this many times the network's input: sharper is never seen."""


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """The picture a viewer means."""

    path: Path | None = None
    """Its file, or else `content` is given."""
    content: bytes = b""
    name: str
    example: str | None = None
    tile: str | None = None
    """The run and its number in the run's review, if it comes from there."""
    truth: str = ""
    """The class it shows, where that is known."""
    box: tuple[float, float, float] | None = None
    """The square (x, y, side) in px of the picture as it was read; None for the middle."""
    exact: bool = False
    """Whether it is a square that a network saw: one of that size takes it as it is."""


class Explorer:
    """One network, folded for speed, and the recordings made with it.

    `net` is the id of the run it comes from, empty for the network that is served.
    """

    def __init__(
        self, model: GoogLeNet, *, net: str = "", recordings: Recordings | None = None
    ) -> None:
        self.net = net
        self.built = model  # as it was trained; what is said of its parts comes from it
        self.model = fold(model)
        self.probes = find_probes(self.model.info.digest)
        self.network: dict[str, Any] = describe_network(model) | {
            "probes": describe_probes(self.probes)
        }
        self.recordings = recordings or Recordings()
        self._reasoning = RLock()
        self.speed: Speed | None = None
        """What the network takes on this machine, once it was measured."""
        self.invalid: dict[tuple[str, str], str | None] = {}
        """Method and head → why it does not hold here, once it was found out."""

    @property
    def trained(self) -> list[str]:
        """The heads that somebody trained."""
        return [head["name"] for head in self.network["heads"] if head["status"] != UNTRAINED]

    def warm_up(self) -> None:
        """Run once what the first viewer would otherwise wait for."""
        size = self.model.info.preprocessing.size
        self.record(torch.zeros(1, 3, size, size))
        if self.trained:
            self.speed = measure(self.model, self.trained[-1])
            for method in self.network["methods"]:
                known = METHODS[method["name"]]
                taken = seconds(known.cost(known.options(), size), self.speed)
                method["time"] = in_words(taken)

    def view(self, chosen: Chosen) -> View:
        """Read a picture and cut out the square the network sees."""
        preprocessing = self.model.info.preprocessing
        key = _digest(chosen)
        name = self._name(chosen, key.hexdigest())
        source = chosen.path or chosen.content
        image = open_picture(source, max_side=_KEPT_SIDE * preprocessing.size)
        exact = chosen.exact and is_exact(image, preprocessing)
        if exact:
            box, pixels = (0, 0, image.width), exact_pixels(image, preprocessing)
        else:
            box = square(image.size, preprocessing.crop, chosen.box)
            pixels = to_pixels(image, preprocessing, box)
        # Not of the pixels: those differ in their last bits between machines.
        key.update(f"{box}{' exact' * exact} {self.model.info.digest}".encode())
        self.recordings.name(name, key.hexdigest())
        return View(
            key=key.hexdigest(),
            name=chosen.name,
            example=chosen.example,
            tile=chosen.tile,
            image=image,
            box=box,
            pixels=pixels,
            exact=exact,
        )

    def explore(self, chosen: Chosen) -> dict[str, Any]:
        """The whole answer for one picture."""
        view = self.view(chosen)
        recording = self.kept(view).recording
        answer: dict[str, Any] = describe_answer(recording, view) | {"net": self.net}
        answer["depth"] = describe_course(self.probes, recording)
        self._judged(answer, chosen.truth)
        # The page knows the served network from the start, and any other from its answers.
        return answer | {"network": self.network} if self.net else answer

    def square(self, chosen: Chosen) -> dict[str, Any]:
        """The very square that the network sees of a picture, as a PNG, and its answer's key."""
        view = self.view(chosen)
        return {"key": view.key, "picture": as_data_url(to_image(view.pixels), "PNG")}

    def measure(self, chosen: Chosen, stage: Any, key: Any = None) -> dict[str, Any]:
        """The effective field of the stage's four branches for one picture, in px.

        `key` is that of the picture's answer: while its recording is kept, nothing is read again.
        """
        if stage not in STAGES:
            raise GnetError(f"There is no module {cut(stage)!r}; there are {', '.join(STAGES)}.")
        key, kept = self.found(chosen, key)
        if stage not in kept.measured:
            kept.measured.update(effective_fields(self.model, kept.recording.pixels, [stage]))
        return {"key": key, "stage": stage, "sides": kept.measured[stage]}

    def ablate(self, chosen: Chosen, switches: Any, key: Any = None) -> dict[str, Any]:
        """The picture's answer with branches switched: branch → "mean" or a factor from 0 to 2."""
        key, ablation = self.ablation(chosen, switches, key)
        answer = describe_ablation(ablation, self.probes) | {"key": key, "net": self.net}
        return self._judged(answer, chosen.truth)

    def ablation(self, chosen: Chosen, switches: Any, key: Any = None) -> tuple[Any, Ablation]:
        """The same as a record, and the key of the picture's answer."""
        if not isinstance(switches, dict):
            raise FieldError("switches", cut(switches), 'as {"4b/5x5": 0}')
        wanted = check_switches(switches)
        key, kept = self.found(chosen, key)
        means = self.means if MEAN in wanted.values() else None
        return key, ablation_of(self.model, kept.recording, wanted, means)

    def worth(self, chosen: Chosen, head: Any, class_index: Any, key: Any = None) -> dict[str, Any]:
        """What each of the 36 branches is worth for a class of `head`."""
        index = self.class_index(class_index)
        key, worth = self.weighed(chosen, head, key)
        return describe_worth(worth, head, index) | {"key": key, "net": self.net}

    def weighed(self, chosen: Chosen, head: Any, key: Any = None) -> tuple[Any, Worth]:
        """The same as a record for all classes, computed once for a picture."""
        key, kept = self.found(chosen, key)
        trained_head(kept.recording, cut(head))
        return key, self.worth_of(kept)

    def worth_of(self, kept: Kept) -> Worth:
        """The worth of all branches for a picture, computed when it is first needed."""
        if not kept.worth:
            kept.worth.append(branch_worth(self.model, kept.recording, self.means))
        return kept.worth[0]

    def account(
        self, chosen: Chosen, head: Any, class_index: Any, key: Any = None
    ) -> dict[str, Any]:
        """What each of the 36 branches carries of a class's logit in `head`."""
        key, worth = self.weighed(chosen, head, key)
        found = self.accounted(chosen, head, class_index, key)
        return describe_account(found, worth) | {"key": key, "net": self.net}

    def accounted(self, chosen: Chosen, head: Any, class_index: Any, key: Any = None) -> Account:
        """The same as a record, computed once for a picture, head and class."""
        index = self.class_index(class_index)
        kept = self.found(chosen, key)[1]
        trained_head(kept.recording, cut(head))
        if (head, index) not in kept.accounts:
            pixels = kept.recording.pixels
            kept.accounts[head, index] = account(self.model, pixels, target=index, head=head)
        return kept.accounts[head, index]

    @contextmanager
    def reasoning(self) -> Iterator[GoogLeNet]:
        """The same network for reasons, one thread's at a time: their hooks change what it does."""
        with self._reasoning:
            yield self._twin

    @cached_property
    def _twin(self) -> GoogLeNet:
        return twin(self.model)

    @cached_property
    def means(self) -> Means:
        """What a branch is set to where it is at its mean; taken when it is first needed."""
        return means_of(self.model)

    @cached_property
    def scales(self) -> ScaleResponses:
        """How its branches answer stripes of every scale; measured when it is first needed."""
        return measure_scales(self.model)

    def attribute(
        self,
        chosen: Chosen,
        method: Any,
        head: Any,
        target: Any,
        stage: Any,
        heard: Callable[[float], None] | None = None,
        aside: bool = False,
    ) -> dict[str, Any]:
        """Why `head` answers class `target` for one picture; `heard` is told how far it is.

        `aside` means on a twin of its own, so that no other question waits for this one.
        """
        view = self.view(chosen)
        with nullcontext(twin(self.model)) if aside else self.reasoning() as model:
            found = attribute(
                model,
                view.pixels,
                method=cut(method),
                head=cut(head),
                target=self.class_index(target),
                stage=cut(stage) if stage else None,
                heard=heard,
            )
        return describe_attribution(found, view.key) | {"net": self.net}

    def attributing(self, *asked: Any) -> Iterator[dict[str, Any]]:
        """`attribute`, and before it how far it is, as {"done": a fraction}."""
        yield from telling(lambda heard: self.attribute(*asked, heard=heard))

    def found(self, chosen: Chosen, key: Any) -> tuple[Any, Kept]:
        """What is kept of a picture, by the key of its answer or else by the picture itself."""
        digest = self.model.info.digest
        kept = self.recordings.find(str(key), digest)
        if kept is None:
            name = self._name(chosen, _digest(chosen).hexdigest())
            key = self.recordings.key_of(name)
            kept = self.recordings.find(key, digest)
        if kept is not None:
            return key, kept
        view = self.view(chosen)
        return view.key, self.kept(view)

    def _name(self, chosen: Chosen, file: str) -> str:
        """What decides a picture's key, as far as it is known before the picture is read."""
        return f"{file} {chosen.box} {chosen.exact} {self.model.info.digest}"

    def _judged(self, answer: dict[str, Any], truth: str) -> dict[str, Any]:
        """The answer with its verdict, where the truth is known."""
        verdict = self._verdict(truth, answer["heads"]["main"].get("top")) if truth else None
        answer["verdict"] = verdict
        return answer

    def _verdict(self, truth: str, top: list[int] | None) -> dict[str, Any]:
        """Whether the main head's likeliest class is the picture's; `right` None: no answer."""
        if not top:
            return {"right": None, "sentence": f"It is: {truth}"}
        right = self.model.info.class_name(top[0]) == truth
        return {"right": right, "sentence": f"✓ right: {truth}" if right else f"✗ it is: {truth}"}

    def kept(self, view: View) -> Kept:
        """The recording of a picture, made now if it is not kept."""
        digest = self.model.info.digest
        return self.recordings.get(view.key, digest, lambda: self.record(view.pixels))

    def record(self, pixels: Tensor) -> Recording:
        """What the network makes of pixels (1, 3, S, S) in [0, 1]; nothing of it is kept."""
        return record(self.model, pixels, self._session)

    @cached_property
    def _session(self) -> Session:
        return Session(self.model)

    def class_index(self, target: Any) -> int:
        """A class by number or name."""
        index, last = self.model.info.class_index(target), self.model.config.num_classes - 1
        if not 0 <= index <= last:
            raise GnetError(
                f"The class is {cut(index)}; allowed are its name or a number from 0 to {last}."
            )
        return index


def _digest(chosen: Chosen) -> Any:
    """The sha256 of the picture's file, to be gone on with."""
    if chosen.path is None:
        return hashlib.sha256(chosen.content)
    try:
        with chosen.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256")
    except (OSError, ValueError):
        raise GnetError(
            "The picture is no longer here (kept for an hour, for less where many arrive); give it "
            "once more."
        ) from None
