"""Which network a viewer looks at: the served one, another one offered, a run's, an own file's.

It knows nothing of Gradio. What names a network comes from outside and is checked.
"""

import re
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from typing import Any

from gnet.answers.explorer import Chosen, Explorer
from gnet.answers.networks.facts import about
from gnet.answers.picture_input import box_of, picture_of
from gnet.errors import GnetError
from gnet.evaluation.depth import Depth, find_depth, gallery_of
from gnet.evaluation.review import Review
from gnet.network.model import GoogLeNet
from gnet.network.weights import load
from gnet.runs.folder import PINNED
from gnet.serving.networks.offered import BUNDLED, PUBLISHED, NetworkOffers
from gnet.serving.networks.own import PREFIX
from gnet.serving.reviews import ReviewProgress, Reviews
from gnet.serving.runs import ENDED
from gnet.serving.shelf import RunShelf
from gnet.system.stamps import stamp_of
from gnet.words import cut

MOST = 3
"""Networks that are kept in memory beside the served one; viewers share them."""
NUMBER = re.compile("[0-9]{1,9}")


@dataclass(frozen=True, kw_only=True)
class _Source:
    """Where a network comes from, and what tells whether it is still the same."""

    open: Callable[[], Explorer]
    stamp: tuple[object, ...] = ()


class Explorers:
    """The explorer of the served network, and those of the networks looked at last.

    `uploads` is the folder of uploaded pictures; without it no picture can be named by its path.
    """

    def __init__(
        self,
        served: Explorer,
        runs: RunShelf | None = None,
        reviews: Reviews | None = None,
        uploads: Path | None = None,
        offers: NetworkOffers | None = None,
    ) -> None:
        self.served = served
        self.offers = offers or NetworkOffers()
        self.runs = runs
        self._reviews = reviews
        self._uploads = uploads
        self._explorers: OrderedDict[str, tuple[tuple[object, ...], Explorer]] = OrderedDict()
        self._lock = Lock()

    def resolve(self, picture: Any) -> tuple[Explorer, Chosen]:
        """The network and the picture that a value of the picture input names.

        Beside what `picture_of` reads it may name a network ("net": everyday, imagenet, the id of
        a run or of an own file) and a validation picture of a run ("tile": run's id, a dot, its
        number in the run's review or "pinned").
        """
        if not isinstance(picture, dict):
            return self.served, picture_of(picture, self._uploads)
        explorer = self.find(picture.get("net"))
        if not picture.get("tile"):
            return explorer, picture_of(picture, self._uploads)
        return explorer, replace(self._tile(picture["tile"]), box=box_of(picture.get("box")))

    def opened(self, picture: Any) -> tuple[Any, str]:
        """The value as it can be shown, and why it is another one than was asked for.

        An address that opens the page ("opening") may name a network that is not there: then the
        served one is shown, and the sentence says so.
        """
        if not isinstance(picture, dict) or not picture.get("opening"):
            return picture, ""
        asked = {name: value for name, value in picture.items() if name != "opening"}
        try:
            self.find(asked.get("net"))
        except GnetError as error:
            name = self.served.model.info.name
            kept = {name: value for name, value in asked.items() if name not in ("net", "tile")}
            return kept, f"{error} Shown here is {name}, the network served first."
        return asked, ""

    def find(self, net: Any) -> Explorer:
        """The explorer of a network by its id; nothing means the served one."""
        if not net or net == self.offers.served:
            return self.served
        with self._lock:
            try:
                source = self._source(net)
                known = self._explorers.get(net)
                if known is None or known[0] != source.stamp:
                    known = source.stamp, source.open()
            except GnetError:
                if isinstance(net, str):
                    self._explorers.pop(net, None)
                raise
            self._explorers[net] = known
            self._explorers.move_to_end(net)
            while len(self._explorers) > MOST:
                self._explorers.popitem(last=False)
            return known[1]

    def _source(self, net: Any) -> _Source:
        """Where the network `net` is; raises `GnetError` where it is nowhere."""
        if net == BUNDLED:
            return _Source(open=lambda: self._explorer(load(BUNDLED), net, "the bundled network"))
        if net == PUBLISHED:
            self.offers.published.check_here()
            origin = "torchvision's published network"
            return _Source(open=lambda: self._explorer(load(PUBLISHED), net, origin))
        if isinstance(net, str) and net.startswith("file:"):
            raise GnetError(
                f"{cut(net[5:])} is a network file that only the browser tab which gave it can "
                "show; give it again in the menu of networks."
            )
        if isinstance(net, str) and net.startswith(PREFIX):
            path = self.offers.own.find(net)
            return _Source(open=lambda: self._of_file(load(path), net, path.stem))
        runs = self._check(net)
        path = runs.weights(net)
        file = stamp_of(path)
        if not file:
            raise GnetError("The run was deleted; choose another one.")
        name = runs.card(net).name  # part of every answer
        return _Source(stamp=(*file, name), open=lambda: self._of_run(runs, net, path, name))

    def _explorer(self, model: GoogLeNet, net: str, origin: str) -> Explorer:
        explorer = Explorer(model, net=net, recordings=self.served.recordings)
        explorer.network["about"] = about(model.config, model.info, origin)
        return explorer

    def _of_file(self, model: GoogLeNet, net: str, name: str) -> Explorer:
        model.info = replace(model.info, name=name)
        return self._explorer(model, net, "from a file of yours")

    def _of_run(self, runs: RunShelf, net: str, path: Path, name: str) -> Explorer:
        """That of a run's best weights, or of its last."""
        model = load(path)
        model.info = replace(model.info, name=name, metrics=self._metrics(runs, net))
        explorer = self._explorer(model, net, "trained here")
        explorer.network["run"] = net
        return explorer

    def _metrics(self, runs: RunShelf, net: str) -> dict[str, Any]:
        review = self._review(runs, net)
        if review is None:
            return {}
        return {"heads": {head: {"top1": review.accuracy(head)} for head in review.heads}}

    def _review(self, runs: RunShelf, net: str) -> Review | None:
        return self._reviews.find(runs.run_folder(net).path) if self._reviews else None

    def depth(self, net: Any) -> Depth | ReviewProgress | None:
        """What a network's depths say of its validation pictures, or how far that is.

        Measured for a run once it has ended, shipped with the bundled network; None for others.
        """
        explorer = self.find(net)
        run = explorer.network.get("run")
        if run is None or self._reviews is None:
            return find_depth(explorer.model.info.digest)
        runs = self._check(run)
        if runs.state(run, runs.card(run)) not in ENDED:
            raise GnetError("This network is still being trained; its depths can be compared then.")
        return self._reviews.ask_depth(runs.run_folder(run).path)

    def gallery(self, net: Any) -> Review | None:
        """The pictures that `Depth.gallery` numbers, for a network whose depths are measured."""
        explorer = self.find(net)
        run = explorer.network.get("run")
        return gallery_of() if run is None else self._review(self._check(run), run)

    def _tile(self, value: Any) -> Chosen:
        net, _, number = str(value).rpartition(".")
        if net == BUNDLED:
            return _picture(gallery_of(), net, number)
        if number == "pinned":
            return self._pinned(net)
        if not NUMBER.fullmatch(number):
            raise GnetError(
                f"The picture is {cut(value)!r}; allowed are a run, a dot and a picture's number."
            )
        review = self._review(self._check(net), net)
        if review is None:
            raise GnetError("The run's pictures have not been looked at yet; open it under Train.")
        return _picture(review, net, number)

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


def _picture(review: Review, net: str, number: str) -> Chosen:
    """A validation picture by its number in a review."""
    if not NUMBER.fullmatch(number) or int(number) >= len(review):
        raise GnetError(f"The picture is number {cut(number)}; allowed are 0 to {len(review) - 1}.")
    index = int(number)
    truth = review.classes[int(review.labels[index])]
    return Chosen(
        content=review.pictures[index],
        name=f"{truth}, validation picture {index + 1} of {len(review)}",
        tile=f"{net}.{index}",
        truth=truth,
    )
