"""The table of figures that a lesson may name, in its texts and as the answer of a question."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gnet.answers.lessons import of_network, of_picture, of_runs
from gnet.answers.lessons.found import Found, Number, Scene
from gnet.errors import FieldError, GnetError
from gnet.network.config import BRANCHES, HEADS, STAGES
from gnet.runs.experiments import EXPERIMENTS
from gnet.words import cut, listed

PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
PLACES = {
    "module": ("one of the nine modules", STAGES),
    "branch": ("one of the four branches", BRANCHES),
    "head": ("one of the three heads", HEADS),
    "experiment": ("an experiment of the Train tab", tuple(EXPERIMENTS)),
}
"""What may stand in a figure's place, in words and by name; a run is one of its experiment's."""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One line of the table."""

    name: str
    places: tuple[str, ...]
    """What its places hold: module, branch, head, experiment, run."""
    form: str
    """`number, px`, with its unit, or what it ranks."""
    about: str
    """What it hangs on: picture, network or runs."""
    help: str
    """What it says, completing "It is …"."""
    compute: Callable[..., Found]

    @property
    def unit(self) -> str | None:
        """A number's unit; None for a ranking."""
        kind, _, unit = self.form.partition(", ")
        return unit if kind == "number" else None

    @property
    def written(self) -> str:
        """As a lesson writes it, with the names of its places."""
        return f"{self.name}: {', '.join(self.places)}" if self.places else self.name


def _table(about: str, *lines: tuple[str, str, str, str, Callable[..., Found]]) -> list[Figure]:
    return [
        Figure(
            name=name,
            places=tuple(places.split()),
            form=form,
            about=about,
            help=help,
            compute=compute,
        )
        for name, places, form, help, compute in lines
    ]


_B, _H, _M, _C, _Y = "branches", "heads", "modules", "classes", "yes or no"
_PX, _PC, _NATS = "number, px", "number, %", "number, nats"
_P, _MB, _ER = of_picture, "module branch", "experiment run"
FIGURES: dict[str, Figure] = {
    figure.name: figure
    for figure in [
        *_table(
            "network",
            ("size", "", _PX, "the side of the picture as the network sees it", of_network.size),
            ("classes", "", "number, classes", "how many classes the network knows",
             of_network.classes),
            ("cells", "module", "number, cells", "how many cells a module's maps have side by side",
             of_network.cells),
            ("channels", _MB, "number, channels", "how many channels a branch has",
             of_network.channels),
            ("field", _MB, _PX, "the side of the square that a cell can see (receptive field)",
             _P.field),
            ("widest", "module", _B, "the branches by that side", _P.widest),
            ("coarsest", "module", _B, "the branches by the width of the stripes that they answer "
             "most", _P.coarsest),
            ("cost", "head", _PC, "the multiply-adds up to a head, as a share of those up to main",
             of_network.cost),
            ("right", "head", _PC, "the share of new pictures a head was right in, when that was "
             "measured", of_network.right),
            ("best-head", "", _H, "the heads by that share", of_network.best_head),
        ),
        *_table(
            "picture",
            ("felt", _MB, _PX, "the side of the square that holds 90 % of what counts for a cell",
             _P.felt),
            ("share", _MB, _PC, "a branch's share of its module's activity", _P.share),
            ("silent", _MB, _PC, "the share of a branch's cells that are exactly 0", _P.silent),
            ("busiest", "module", _B, "the branches by their share of the activity", _P.busiest),
            ("strongest", "module", _B, "the branches by their mean response per channel",
             _P.strongest),
            ("answer", "head", _C, "the classes that a head puts first, by probability",
             _P.answer),
            ("chance", "head", _PC, "the probability of the class that a head puts first",
             _P.chance),
            ("entropy", "head", _NATS, "how undecided a head is", _P.entropy),
            ("agree", "", _Y, "whether all heads put the same class first", _P.agree),
            ("surest", "", _H, "the heads by the probability of their first class", _P.surest),
            ("settled", "", _M, "the module from which on all probes say the answer", _P.settled),
            ("fall", _MB, "number, points", "the points of probability that the answer loses "
             "without a branch", _P.fall),
            ("left", _MB, _PC, "the probability that the answer keeps without a branch", _P.left),
            ("needed", "module", _B, "a module's branches by what the answer loses without them",
             _P.needed),
            ("needed-module", "", _M, "the modules by the most that the answer loses without one "
             "of their branches", _P.needed_module),
            ("without", _MB, _C, "the classes in front when a branch is off, by probability",
             _P.without),
            ("spare", "", "number, branches", "how many of the branches can be off, one at a time, "
             "with the same answer", _P.spare),
        ),
        *_table(
            "runs",
            ("accuracy", f"{_ER} head", _PC, "the share of the validation pictures a head is right "
             "in, after the run", of_runs.accuracy),
            ("loss", _ER, _NATS, "the main head's training loss at the end", of_runs.loss),
            ("flat", _ER, _NATS, "the loss of guessing: ln(classes)", of_runs.flat),
            ("guessing", _ER, _PC, "the share that guessing gets right", of_runs.guessing),
            ("learned", _ER, _Y, "whether the main head has learned", of_runs.learned),
            ("best-run", "experiment", "runs", "the runs by the accuracy of main",
             of_runs.best_run),
            ("fastest-run", "experiment", "runs", "the runs by pictures per second",
             of_runs.fastest_run),
            ("best-head-of", _ER, _H, "the heads of a run by accuracy",
             of_runs.best_head_of_run),
        ),
    ]
}  # fmt: skip
"""Name → figure."""


def parse_figure(text: Any, where: str) -> tuple[Figure, tuple[str, ...]]:
    """The figure that `share: 3a, 5x5` names, and what stands in its places.

    Raises `FieldError`, which says `where` it stands.
    """
    name, _, rest = str(text).partition(":")
    figure = FIGURES.get(name.strip())
    if figure is None:
        raise FieldError(where, cut(text), f"figures of the table, as {listed(FIGURES, 'or')}")
    given = tuple(part.strip().replace("×", "x") for part in rest.split(",")) if rest else ()
    if len(given) != len(figure.places):
        raise FieldError(where, cut(text), f"{{{figure.written}}}")
    for number, place in enumerate(figure.places):
        allowed = _allowed(place, given[:number])
        if given[number] not in allowed:
            raise FieldError(where, cut(text), f"for its {place} {listed(allowed, 'or')}")
    return figure, given


def ids_of(figure: Figure, places: tuple[str, ...]) -> tuple[str, ...]:
    """What a ranking ranks, where that is known without looking; else empty."""
    if figure.form == "runs":
        return _runs(places[0])
    never = (of_picture.NEVER,) if figure.name == "settled" else ()
    known = {_B: BRANCHES, _H: HEADS, _M: (*STAGES, *never), _Y: tuple(of_picture.YES_NO)}
    return known.get(figure.form, ())


def find(scene: Scene, text: str) -> Found:
    """The figure as it is now; raises `GnetError` with the reason where there is none."""
    figure, places = parse_figure(text, "figure")
    found = figure.compute(scene, *places)
    if isinstance(found, Number) and not math.isfinite(found.value):
        raise GnetError(f"The {figure.name} is not a number any more, so there is nothing to ask.")
    return found


def fill(scene: Scene, text: str) -> str:
    """A text with its figures in words."""
    return PLACEHOLDER.sub(lambda found: find(scene, found[1]).words, text)


def _allowed(place: str, before: tuple[str, ...]) -> tuple[str, ...]:
    return _runs(before[-1]) if place == "run" else PLACES[place][1]


def _runs(experiment: str) -> tuple[str, ...]:
    return tuple(name for name, _ in EXPERIMENTS[experiment].runs)


def rows() -> list[tuple[str, str, str]]:
    """The table as the documentation shows it: how it is written, its form, what it is."""
    return [(one.written, one.form, one.help) for one in FIGURES.values()]
