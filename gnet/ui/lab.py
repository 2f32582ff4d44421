"""What the page asks of the network: explore a picture, measure its fields, ask why.

It knows nothing of Gradio. Answers are plain values; whatever cannot be answered is a `GnetError`.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from gnet.attribution import attribute
from gnet.config import BRANCHES, STAGES
from gnet.errors import GnetError
from gnet.model import GoogLeNet, fold
from gnet.pictures import open_picture, square, to_pixels
from gnet.receptive_field import effective_field
from gnet.recording import record
from gnet.ui.answer import View, describe_answer, describe_attribution, describe_network
from gnet.ui.recordings import Recordings

_KEPT_SIDE = 4
"""A picture is read at up to this many times the network's input: sharper is never seen."""


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """The picture a viewer means."""

    path: Path
    name: str
    example: str | None = None
    box: tuple[float, float, float] | None = None
    """The square (x, y, side) in px of the picture as it was read; None for the middle."""


class Lab:
    """One network, folded for speed, and the recordings made with it."""

    def __init__(self, model: GoogLeNet) -> None:
        self.model = fold(model)
        self.network = describe_network(self.model)
        self.recordings = Recordings()

    def warm_up(self) -> None:
        """Run once what the first viewer would otherwise wait for."""
        size = self.model.info.preprocessing.size
        record(self.model, torch.zeros(1, 3, size, size))

    def view(self, chosen: Chosen) -> View:
        """Read a picture and cut out the square the network sees."""
        preprocessing = self.model.info.preprocessing
        if not chosen.path.is_file():
            raise GnetError("The picture is no longer here (kept for an hour); give it once more.")
        image = open_picture(chosen.path, max_side=_KEPT_SIDE * preprocessing.size)
        box = square(image.size, preprocessing.crop, chosen.box)
        pixels = to_pixels(image, preprocessing, box)
        key = hashlib.sha256(pixels.numpy().data)
        key.update(self.model.info.digest.encode())
        return View(
            key=key.hexdigest(),
            name=chosen.name,
            example=chosen.example,
            image=image,
            box=box,
            pixels=pixels,
        )

    def explore(self, chosen: Chosen) -> dict[str, Any]:
        """The whole answer for one picture."""
        view = self.view(chosen)
        recording = self.recordings.get(view.key, lambda: record(self.model, view.pixels))
        return describe_answer(recording, view)

    def measure(self, chosen: Chosen, stage: Any) -> dict[str, Any]:
        """The effective field of the stage's four branches for one picture, in px."""
        if stage not in STAGES:
            raise GnetError(f"There is no module {stage!r}; there are {', '.join(STAGES)}.")
        view = self.view(chosen)
        sides = {
            branch: effective_field(self.model, view.pixels, stage, branch) for branch in BRANCHES
        }
        return {"key": view.key, "stage": stage, "sides": sides}

    def attribute(
        self, chosen: Chosen, method: Any, head: Any, target: Any, stage: Any
    ) -> dict[str, Any]:
        """Why `head` answers class `target` for one picture."""
        view = self.view(chosen)
        answer = attribute(
            self.model,
            view.pixels,
            method=str(method),
            head=str(head),
            target=self._class(target),
            stage=str(stage) if stage else None,
        )
        return describe_attribution(answer, view.key)

    def _class(self, target: Any) -> int:
        """A class by number or name."""
        classes = self.network["classes"]
        if isinstance(target, str) and target in classes:
            return classes.index(target)
        try:
            return int(target)
        except (TypeError, ValueError):
            raise GnetError(
                f"There is no class {str(target)[:60]!r}; allowed are its name or a number from 0 "
                f"to {len(classes) - 1}."
            ) from None
