"""Which network a viewer looks at: the one that is served, or that of a training run.

It knows nothing of Gradio. What names a network comes from outside and is checked.
"""

import re
from collections import OrderedDict
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import Any

from gnet.answers.explorer import Chosen, Explorer
from gnet.answers.picture_input import box_of, picture_of
from gnet.errors import GnetError
from gnet.evaluation.review import Review
from gnet.network.weights import load
from gnet.runs.folder import PINNED
from gnet.serving.reviews import Reviews
from gnet.serving.shelf import RunShelf
from gnet.system.stamps import stamp_of
from gnet.words import cut

MOST = 3
"""Networks of runs that are kept in memory."""


class Explorers:
    """The explorer of the served network, and those of the runs looked at last.

    `uploads` is the folder of uploaded pictures; without it no picture can be named by its path.
    """

    def __init__(
        self,
        served: Explorer,
        runs: RunShelf | None = None,
        reviews: Reviews | None = None,
        uploads: Path | None = None,
    ) -> None:
        self.served = served
        self.runs = runs
        self._reviews = reviews
        self._uploads = uploads
        self._explorers: OrderedDict[str, tuple[tuple[object, ...], Explorer]] = OrderedDict()
        self._lock = Lock()

    def resolve(self, picture: Any) -> tuple[Explorer, Chosen]:
        """The network and the picture that a value of the picture input names.

        Beside what `picture_of` reads it may name a network ("net": a run's id) and a validation
        picture of a run ("tile": run's id, a dot, its number in the run's review or "pinned").
        """
        if not isinstance(picture, dict):
            return self.served, picture_of(picture, self._uploads)
        explorer = self.find(picture.get("net"))
        if not picture.get("tile"):
            return explorer, picture_of(picture, self._uploads)
        return explorer, replace(self._tile(picture["tile"]), box=box_of(picture.get("box")))

    def find(self, net: Any) -> Explorer:
        """That of the run `net`'s best weights, or of its last; nothing means the served one."""
        if not net:
            return self.served
        runs = self._check(net)
        path = runs.weights(net)
        with self._lock:
            file = stamp_of(path)
            if not file:
                raise GnetError("The run was deleted; choose another one.")
            stamp = (*file, runs.card(net).name)  # the name is part of every answer
            known = self._explorers.get(net)
            if known is None or known[0] != stamp:
                known = stamp, self._opened(runs, net, path)
                self._explorers[net] = known
            self._explorers.move_to_end(net)
            while len(self._explorers) > MOST:
                self._explorers.popitem(last=False)
            return known[1]

    def _opened(self, runs: RunShelf, net: str, path: Path) -> Explorer:
        model = load(path)
        metrics = self._metrics(runs, net)
        model.info = replace(model.info, name=runs.card(net).name, metrics=metrics)
        return Explorer(model, net=net, recordings=self.served.recordings)

    def _metrics(self, runs: RunShelf, net: str) -> dict[str, Any]:
        review = self._review(runs, net)
        if review is None:
            return {}
        return {"heads": {head: {"top1": review.accuracy(head)} for head in review.heads}}

    def _review(self, runs: RunShelf, net: str) -> Review | None:
        return self._reviews.find(runs.run_folder(net).path) if self._reviews else None

    def _tile(self, value: Any) -> Chosen:
        net, _, number = str(value).rpartition(".")
        if number == "pinned":
            return self._pinned(net)
        if not re.fullmatch("[0-9]{1,9}", number):
            raise GnetError(
                f"The picture is {cut(value)!r}; allowed are a run, a dot and a picture's number."
            )
        runs, index = self._check(net), int(number)
        review = self._review(runs, net)
        if review is None:
            raise GnetError("The run's pictures have not been looked at yet; open it under Train.")
        if not 0 <= index < len(review):
            raise GnetError(
                f"The picture is number {cut(number)}; allowed are 0 to {len(review) - 1}."
            )
        truth = review.classes[int(review.labels[index])]
        return Chosen(
            content=review.pictures[index],
            name=f"{truth}, validation picture {index + 1} of {len(review)}",
            tile=f"{net}.{index}",
            truth=truth,
        )

    def _pinned(self, net: str) -> Chosen:
        """The validation picture that a run has recorded from its start on."""
        path = self._check(net).run_folder(net).path / PINNED
        if not path.is_file():
            raise GnetError("This run pinned no picture; choose one under Train.")
        name = "the validation picture that the run watches"
        return Chosen(path=path, name=name, tile=f"{net}.pinned")

    def _check(self, net: Any) -> RunShelf:
        if self.runs is None or not isinstance(net, str):
            raise GnetError(f"There is no network {cut(net)!r}; there is the one served here.")
        return self.runs
