"""Branches switched off, scaled or set to their mean, and what the network then makes of a picture.

Only what comes behind the first switched module is computed again, from the recorded outputs: the
result equals a whole forward with the branches replaced. Knows nothing of pages.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import torch
from torch import Tensor

from gnet.errors import FieldError, GnetError
from gnet.explain.belief import belief
from gnet.explain.branches import LABELS
from gnet.explain.means import Means
from gnet.explain.recording import Recording, record, split
from gnet.inference.forward import as_kept
from gnet.network.config import BRANCHES, EXITS, HEADS, STAGES
from gnet.network.hooks import evaluating
from gnet.network.model import GoogLeNet
from gnet.words import cut, listed, rounded_percent

MEAN: Final = "mean"
OFF, ON, MOST = 0.0, 1.0, 2.0
"""Factors: a branch switched off, as it is, and the largest one."""
Setting = float | Literal["mean"]
"""A factor on a branch's output, or its mean over reference pictures in place of the output."""
Branch = tuple[str, str]
"""A branch's module and its name there, as ("4b", "5x5")."""
Switches = Mapping[Branch, Setting]
_ALLOWED = f"branches from {STAGES[0]}/{BRANCHES[0]} to {STAGES[-1]}/{BRANCHES[-1]}, as 4b/5x5"


@dataclass(frozen=True, kw_only=True, eq=False)
class Ablation:
    """A picture before and after branches were switched."""

    before: Recording
    after: Recording
    switches: dict[Branch, Setting]
    """Only branches that are not simply on."""
    reached: tuple[str, ...]
    """The heads that read a switched module or one behind it."""
    reference: str = ""
    """What the means were taken over, where a branch is at its mean."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """The class whose probability in one head the switches moved most."""

    head: str
    target: int
    before: float
    after: float

    @property
    def size(self) -> float:
        return abs(self.after - self.before)


def branch_name(branch: Branch) -> str:
    """`4b/5x5`."""
    return "/".join(branch)


def parse_branch(text: Any) -> Branch:
    """The branch that `4b/5x5` names; raises `FieldError`."""
    stage, _, branch = str(text).strip().replace("×", "x").partition("/")
    if stage not in STAGES or branch not in BRANCHES:
        raise FieldError("branch", cut(text), _ALLOWED)
    return stage, branch


def check_switches(switches: Mapping[Any, Any]) -> dict[Branch, Setting]:
    """The switches that change something, in the order of the network; raises `FieldError`.

    A key is `("4b", "5x5")` or "4b/5x5", a value `MEAN` or a factor from 0 to 2.
    """
    given: dict[Branch, Setting] = {
        _as_branch(key): _setting(key, value) for key, value in switches.items()
    }
    return {
        (stage, branch): given[stage, branch]
        for stage in STAGES
        for branch in BRANCHES
        if given.get((stage, branch), ON) != ON
    }


def ablate(
    model: GoogLeNet, pixels: Tensor, switches: Mapping[Any, Any], *, means: Means | None = None
) -> Ablation:
    """Record a picture, and record it again with branches switched.

    `pixels`: (1, 3, H, W) in [0, 1]; `switches`: branch → `MEAN` or a factor from 0 (off) to 2.
    `means` are needed where a branch is set to its mean. Raises `GnetError`.
    """
    return ablation_of(model, record(model, pixels), check_switches(switches), means)


def ablation_of(
    model: GoogLeNet, recording: Recording, switches: Switches, means: Means | None = None
) -> Ablation:
    """The same from the recording of a picture, made by this `model` with nothing switched.

    `switches` are as `check_switches` gives them.
    """
    return Ablation(
        before=recording,
        after=switched(model, recording, switches, means),
        switches=dict(switches),
        reached=reached(switches, tuple(recording.logits)),
        reference=means.reference if means and MEAN in switches.values() else "",
    )


def reached(switches: Switches, heads: tuple[str, ...] = HEADS) -> tuple[str, ...]:
    """The heads whose answer the switches can change: those at or behind a switched module."""
    first = min((STAGES.index(stage) for stage, _ in switches), default=len(STAGES))
    return tuple(head for head in heads if STAGES.index(EXITS[head]) >= first)


def switched(
    model: GoogLeNet, recording: Recording, switches: Switches, means: Means | None = None
) -> Recording:
    """The recording that the network would make with its branches switched.

    `recording` is of this `model` with nothing switched. What comes before the first switched
    module is taken over; the rest runs once.
    """
    if not switches:
        return recording
    first = next(stage for stage in STAGES if any(stage == where for where, _ in switches))
    outputs, inputs = dict(recording.outputs), dict(recording.inputs)
    logits = dict(recording.logits)
    with evaluating(model), torch.no_grad():
        x = replaced(as_given(model, recording, first), model, first, switches, means)
        outputs[first] = as_kept(x[0])
        logits |= _read(model, first, x, logits)
        for stage, given, output in _behind(model, first, x, switches, means):
            inputs[stage], outputs[stage] = as_kept(given[0]), as_kept(output[0])
            logits |= _read(model, stage, output, logits)
    widths = {
        stage: tuple(len(part) for part in parts.values())
        for stage, parts in recording.branches.items()
    }
    return replace(
        recording,
        outputs=outputs,
        inputs=inputs,
        logits=logits,
        branches={stage: split(output, widths[stage]) for stage, output in outputs.items()},
    )


def as_given(model: GoogLeNet, recording: Recording, stage: str) -> Tensor:
    """A module's recorded output (1, C, h, w), of the device and precision of the weights."""
    weights = next(model.parameters())
    return recording.outputs[stage][None].to(weights.device, weights.dtype)


def replaced(
    x: Tensor, model: GoogLeNet, stage: str, switches: Switches, means: Means | None
) -> Tensor:
    """A module's output (N, C, h, w) with its switched branches scaled or at their mean."""
    own = {branch: value for (where, branch), value in switches.items() if where == stage}
    if not own:
        return x
    x = x.clone()
    parts = split(x, model.inceptions()[stage].widths.branches, axis=1)
    for branch, setting in own.items():
        if isinstance(setting, str):
            parts[branch][:] = _mean(means, stage, branch, parts[branch])
        else:
            parts[branch].mul_(setting)
    return x


def changes(ablation: Ablation) -> list[Change]:
    """What changed most in each trained head that the switches reach; the largest change first."""
    before, after = belief(ablation.before, top=1).heads, belief(ablation.after, top=1).heads
    found = []
    for head in (head for head in after if head in ablation.reached):
        was, now = before[head].probabilities, after[head].probabilities
        target = max(range(len(was)), key=lambda index: abs(now[index] - was[index]))
        found.append(Change(head=head, target=target, before=was[target], after=now[target]))
    return sorted(found, key=lambda change: -change.size)


def sentence(ablation: Ablation) -> str:
    """What the switches did to the deepest trained head, in words."""
    if not ablation.switches:
        return "All branches are on."
    named = switches_words(ablation.switches)
    before, after = belief(ablation.before, top=1).heads, belief(ablation.after, top=1).heads
    if not (heads := [head for head in after if head in ablation.reached]):
        return f"With {named}, no trained head changes: none reads these branches."
    head = heads[-1]
    first, then = before[head].top[0], after[head].top[0]
    name = ablation.before.class_name
    was, now = (rounded_percent(h[head].probabilities[first]) for h in (before, after))
    moved = f"With {named}, {head} goes from {name(first)} {was} to {now}"
    unsure = after[head].sure is False
    if then == first:
        return f"{moved}{' and is not sure' * unsure}."
    chance = rounded_percent(after[head].probabilities[then])
    says = "it is not sure; nearest is" if unsure else "it now answers"
    return f"{moved}; {says} {name(then)}, {chance}."


def branch_words(branch: Branch) -> str:
    """`the 5×5 branch of 4b`."""
    stage, name = branch
    return f"the {LABELS[name]} branch of {stage}"


def switched_words(switches: Switches) -> str:
    """`with the 5×5 branch of 4b off`, the first two of several; empty where all are on."""
    return f"with {switches_words(switches, 2)}" if switches else ""


def switches_words(switches: Switches, most: int = 3) -> str:
    """`the 5×5 branch of 4b off`; the first `most` of several, and how many more branches.

    A branch that is switched alike in all nine modules is named once, and so is a whole module.
    """
    left, named = dict(switches), []
    groups = [
        *(([(s, b) for s in STAGES], "the {} branch {} in all nine modules", b) for b in BRANCHES),
        *(([(s, b) for b in BRANCHES], "each branch of {} {}", s) for s in STAGES),
        *(([one], f"{branch_words(one)} {{1}}", "") for one in switches),
    ]
    for branches, words, name in groups:
        setting = left.get(branches[0])
        if setting is None or any(left.get(one) != setting for one in branches):
            continue
        named.append((words.format(LABELS.get(name, name), _how(setting)), len(branches)))
        for one in branches:
            del left[one]
    rest = sum(count for _, count in named[most:])
    more = [f"{rest} more {'branch' if rest == 1 else 'branches'}"] if rest else []
    return listed([words for words, _ in named[:most]] + more)


def _how(setting: Setting) -> str:
    if setting == MEAN:
        return "at its mean"
    return "off" if setting == OFF else f"times {setting:g}"


def _mean(means: Means | None, stage: str, branch: str, like: Tensor) -> Tensor:
    """A branch's mean (channels, 1, 1), of the kind of `like`."""
    if means is None:
        raise GnetError(
            f"There are no means for {stage}/{branch}; give those of `means_of`, or a factor."
        )
    return means.values[stage][branch].to(like.device, like.dtype)[:, None, None]


def _behind(
    model: GoogLeNet, stage: str, x: Tensor, switches: Switches, means: Means | None
) -> Iterator[tuple[str, Tensor, Tensor]]:
    """Every module behind `stage`, whose output is `x`: its name, its input and its output."""
    for layer in model.trunk(behind=stage):
        given, x = x, layer.module(x)
        if layer.stage is not None:
            x = replaced(x, model, layer.stage, switches, means)
            yield layer.stage, given, x


def _read(model: GoogLeNet, stage: str, x: Tensor, heads: Iterable[str]) -> dict[str, Tensor]:
    """The logits (classes,) of those heads that read this module, from its output (1, C, h, w)."""
    return {head: as_kept(model.head(head, x)[0]) for head in heads if EXITS[head] == stage}


def _as_branch(key: Any) -> Branch:
    return parse_branch("/".join(map(str, key)) if isinstance(key, tuple | list) else key)


def _setting(key: Any, value: Any) -> Setting:
    if value == MEAN:
        return MEAN
    try:
        factor = float(value)
    except (TypeError, ValueError, OverflowError):
        factor = math.nan
    if not OFF <= factor <= MOST:
        raise FieldError(branch_name(_as_branch(key)), value, f"{MEAN} and factors from 0 to 2")
    return factor
