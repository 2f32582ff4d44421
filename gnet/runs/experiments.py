"""Experiments: prepared runs, their settings, and the sentences before and after them.

The sentences after an experiment are computed from its runs' events, whatever these show.
Knows nothing of how runs are started or where they are kept.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gnet.network.config import ModelConfig
from gnet.runs import verdicts
from gnet.runs.events import Event
from gnet.runs.outcomes import Outcome, outcome, standing
from gnet.runs.train_config import TrainConfig
from gnet.runs.verdicts import Outcomes
from gnet.words import listed

EventsByRun = Mapping[str, Sequence[Event]]
"""Run name → its events, as `read_events` gives them."""
_SETTINGS: dict[str, Any] = {
    "size": 64,
    "per_class": 300,
    "epochs": 4,
    "batch": 16,
    "optimiser": "sgd",
    "learning_rate": 0.05,
    "weight_decay": 0.0005,
    "precision": "fp32",
    "gradients_every": 50,
}
_STEPS = math.ceil(10 * _SETTINGS["per_class"] / _SETTINGS["batch"])
"""Of an epoch of the ten patterns; the last batch may be smaller."""
_QUICK = {"per_class": 100, "epochs": 2, "gradients_every": 0, "pinned": -1}


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """One or more runs that differ in one switch, and what they are there to show."""

    key: str
    title: str
    line: str
    """What it shows, in a few words."""
    see: str
    """What will happen on the page, in one plain sentence."""
    look: str
    """Where to look meanwhile, in another one."""
    before: str
    """Two sentences with the background, to read before it is started."""
    runs: tuple[tuple[str, TrainConfig], ...]
    """(name, settings) in the order they are run."""
    margin: Callable[[Outcomes, float], float]
    """By how much the runs keep the claim; see `verdicts`."""
    sentences: Callable[[Outcomes, bool], str]
    """Two, with the runs' numbers, given whether the claim holds."""
    bar: float = 0.5
    """The accuracy from which on a head counts as having learned."""
    quick: Mapping[str, Any]
    """Settings of the short form, in which the bar is `quick_bar`."""
    quick_bar: float = 0.3
    own_data: bool = False
    """Whether the data set is for the person to choose; the built-in one stands in for it."""

    def changed(self, **settings: Any) -> Experiment:
        """The same experiment with these settings in all its runs."""
        return replace(
            self, runs=tuple((name, replace(config, **settings)) for name, config in self.runs)
        )

    def short(self) -> Experiment:
        """The same runs in a few seconds each: what can be measured for many seeds.

        They end where accuracy still rises steeply, so rounding alone may turn a claim over.
        """
        return replace(self.changed(**self.quick), bar=self.quick_bar)

    def claim(self, events: EventsByRun) -> bool:
        """Whether the runs have shown what the experiment is there to show."""
        margin = self.margin_of(self.outcomes(events))
        return margin is not None and margin > 0

    def margin_of(self, found: Outcomes) -> float | None:
        """By how much the claim holds, below 0 where it does not; None before all have ended."""
        return self.margin(found, self.bar) if len(found) == len(self.runs) else None

    def after(self, events: EventsByRun) -> str:
        """Two sentences on what the runs came to, with their numbers, whatever they are.

        One more comes first as long as a run is not finished.
        """
        return self.verdict(self.outcomes(events))

    def verdict(self, found: Outcomes) -> str:
        """What `after` says of runs that came out so."""
        waiting = [f"“{name}”" for name, _ in self.runs if name not in found]
        if waiting:
            return f"No epoch of {listed(waiting)} is finished yet, so there is no result."
        return standing(found) + self.sentences(found, self.margin(found, self.bar) > 0)

    def outcomes(self, events: EventsByRun) -> dict[str, Outcome]:
        """Those of the experiment's runs that have finished an epoch."""
        found = {name: outcome(events.get(name, ())) for name, _ in self.runs}
        return {name: result for name, result in found.items() if result is not None}


def _run(*, model: dict[str, Any] | None = None, **settings: Any) -> TrainConfig:
    chosen: dict[str, Any] = {"width": 0.25} | (model or {})
    network = ModelConfig(**chosen)
    return TrainConfig(model=network, **(_SETTINGS | settings))


_TUNED = {"per_class": 50, "epochs": 8, "gradients_every": 0, "model": {"width": 1.0}}
_ADAM = {"optimiser": "adam", "learning_rate": 3e-3, "weight_decay": 0.0, "size": 32}
_DEEP = {
    "optimiser": "adam",
    "learning_rate": 1e-3,
    "weight_decay": 0.002,
    "schedule": "cosine",
}

EXPERIMENTS: dict[str, Experiment] = {
    experiment.key: experiment
    for experiment in (
        Experiment(
            key="first-run",
            title="First run",
            line=f"Ten patterns, {_SETTINGS['epochs']} epochs of {_STEPS} steps",
            see="The loss falls and the accuracy climbs, from guessing to nine of ten right.",
            look="The accuracy curve of main, and the four maps below the plots.",
            before="A GoogLeNet of a quarter of the width starts from random weights and goes four "
            "times through 3,000 drawn patterns of ten classes. After that its main head should "
            "be right in more than nine of ten pictures it has never seen; the Start button "
            "says how long it takes here.",
            runs=(("first run", _run()),),
            margin=verdicts.first_margin,
            sentences=verdicts.first_after,
            bar=0.9,
            quick=_QUICK | {"epochs": 3},
        ),
        Experiment(
            key="heads",
            title="With and without heads",
            line="One switch: the two early classifiers",
            see="Two runs, one with two extra early exits and one without.",
            look="Where the two accuracy curves of main end, and how fast each run goes.",
            before="Two runs of one seed differ in a single switch: whether the classifiers at 4a "
            "and 4d take part in training. The paper added them to bring gradients to the lower "
            "modules; see whether a network with batch norm still needs them.",
            runs=(
                ("with heads", _run()),
                ("without heads", _run(model={"aux": False})),
            ),
            margin=verdicts.heads_margin,
            sentences=verdicts.heads_after,
            quick=_QUICK | {"per_class": 200},
        ),
        Experiment(
            key="depth",
            title="Depth without batch norm",
            line="aux1 learns first, the deep heads lag or stay dead",
            see="A network in which only the first exit learns; then the same network, repaired.",
            look="Accuracy of aux1 and of main, and bars that vanish towards the stem.",
            before="Without batch norm, Xavier's first weights make each module say less than it "
            "receives, and gradients shrink alike on their way back, while weight decay pulls on "
            "all kernels. The head at 4a is nearest to the pictures and should be ahead of the "
            "main one, which may stay at chance; the second run has batch norm, all else alike.",
            runs=(
                ("no norm", _run(model={"norm": "none", "init": "xavier"}, **_DEEP)),
                ("batch norm", _run(model={"init": "xavier"}, **_DEEP)),
            ),
            margin=verdicts.depth_margin,
            sentences=verdicts.depth_after,
            quick=_QUICK | {"per_class": 150, "epochs": 3},
        ),
        Experiment(
            key="collapse",
            title="The collapse",
            line="A loss that does not move, then cured",
            see="A loss that stays flat at the level of guessing, and three attempts to cure it.",
            look="The flat line on the loss plot, and which of the other runs leave it.",
            before="A published example ends at loss 3.85 = ln 47 and accuracy 2.1 % = 1/47, for "
            "two mistakes: its outputs pass a ReLU, and then a loss that expects probabilities. "
            "Here are both mistakes together, each of them cured alone, and both cured.",
            runs=tuple(
                (
                    name,
                    _run(model={"aux": False, "rectified_outputs": relu}, loss=loss, **_ADAM),
                )
                for name, relu, loss in (
                    ("as published", True, "probabilities"),
                    ("outputs cured", False, "probabilities"),
                    ("loss cured", True, "cross-entropy"),
                    ("both cured", False, "cross-entropy"),
                )
            ),
            margin=verdicts.collapse_margin,
            sentences=verdicts.collapse_after,
            bar=0.25,
            quick=_QUICK | {"size": 64, "learning_rate": 5e-3},
        ),
        Experiment(
            key="five-by-five",
            title="What the 5×5 branch buys",
            line="Left out, 3×3, 5×5",
            see="Three networks that differ in one branch: none, a small window, a large one.",
            look="How far apart the three accuracy curves of main end.",
            before="Three networks of one seed: without the 5×5 branches, with 3×3 kernels in "
            "them as torchvision has it, and with the paper's 5×5. A wider window costs "
            "parameters; see whether it brings anything on patterns of ten scales and shapes.",
            runs=(
                ("left out", _run(model={"left_out": "5x5"})),
                ("3×3", _run(model={"kernel_5x5": 3})),
                ("5×5", _run()),
            ),
            margin=verdicts.window_margin,
            sentences=verdicts.window_after,
            quick=_QUICK | {"per_class": 200},
        ),
        Experiment(
            key="fine-tune",
            title="Fine-tune on my pictures",
            line="The bundled network learns your classes",
            see="The bundled network learns your pictures, beside one that starts from nothing.",
            look="How early the first run's accuracy rises, and how far the second one gets.",
            before="The bundled network keeps what it has learned from everyday photos, and "
            "only its last two modules and its heads learn your pictures. The second run begins "
            "from scratch with the same pictures, so that you see what the difference is.",
            runs=(
                (
                    "from the bundled network",
                    _run(start="everyday", train_only="heads and 5a, 5b", **_TUNED),
                ),
                ("from scratch", _run(**_TUNED)),
            ),
            margin=verdicts.tune_margin,
            sentences=verdicts.tune_after,
            quick=_QUICK | {"per_class": 10},
            own_data=True,
        ),
    )
}
"""By key, in the order they are offered."""
