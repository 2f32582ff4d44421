"""Why this class: the table of attribution methods, computed by captum, as maps over the picture.

Every method explains one logit of one head. Pictures are pixels in [0, 1] and so are the units:
normalisation happens inside the function that is differentiated. Knows nothing of colours or pages.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import torch
from torch import Tensor

from gnet.errors import GnetError
from gnet.explain.methods import METHODS, STEPS, STEPS_RANGE, Method, Question
from gnet.inference.pixels import check_pixels
from gnet.network.config import BRANCHES, EXITS, HEADS, STAGES, UNTRAINED
from gnet.network.hooks import differentiable, evaluating
from gnet.network.model import GoogLeNet
from gnet.network.receptive_field import receptive_fields, spread
from gnet.words import listed, minus


@dataclass(frozen=True, kw_only=True, eq=False)
class Attribution:
    """One map that explains one logit, with the numbers that belong beside it."""

    method: str
    head: str
    target: int
    target_name: str
    stage: str | None
    """None for a method that explains the whole network."""
    branch: str | None
    """None for the whole module."""
    map: Tensor
    """(H, W) float32 on the CPU, at the picture's size."""
    grid: tuple[int, int]
    """(height, width) the map was computed on, before it was enlarged."""
    low: float
    high: float
    signed: bool
    score: float
    """The logit of the class for the picture."""
    baseline_score: float | None
    """The logit of the class for the plain picture; None for a method without a baseline."""
    completeness_error: float | None
    """|Σ map − (score − baseline_score)| in logits; None for a method without a baseline."""
    steps: int | None
    """Points on the path; None for a method without one."""

    @property
    def label(self) -> str:
        """Such as "Grad-CAM of 4b · 5×5"."""
        place = " · ".join(part.replace("x", "×") for part in (self.stage, self.branch) if part)
        label = METHODS[self.method].label
        return f"{label} of {place}" if place else label

    @property
    def sentence(self) -> str:
        """What the map shows, in plain words."""
        return METHODS[self.method].sentence

    @property
    def relative_error(self) -> float | None:
        """The completeness error as a fraction of |score − baseline_score|.

        None for a method without a baseline, and where both logits are equal.
        """
        if self.completeness_error is None or self.score == self.baseline_score:
            return None
        assert self.baseline_score is not None
        return self.completeness_error / abs(self.score - self.baseline_score)

    @property
    def finding(self) -> str:
        """One sentence with this map's own numbers."""
        name = self.target_name
        if self.low == self.high == 0.0:
            return f"The map is 0 everywhere: nothing here speaks for “{name}”."
        if self.completeness_error is None:
            return minus(
                f"Values run from {self.low:.3g} to {self.high:.3g} {METHODS[self.method].unit}; "
                f"the logit of “{name}” is {self.score:.2f}."
            )
        relative = self.relative_error
        share = "" if relative is None else f", {100 * relative:.1f} %"
        return minus(
            f"From the mean colour to this picture the logit of “{name}” goes from "
            f"{self.baseline_score:.2f} to {self.score:.2f}; the map sums to that difference with "
            f"an error of {self.completeness_error:.3f}{share}."
        )

    def to_json(self) -> dict[str, Any]:
        """Everything but the map, as plain values."""
        record = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "map"}
        return record | {
            "label": self.label,
            "sentence": self.sentence,
            "finding": self.finding,
            "unit": METHODS[self.method].unit,
            "size": list(self.map.shape),
            "grid": list(self.grid),
            "relative_error": self.relative_error,
        }


def stages_before(head: str) -> tuple[str, ...]:
    """The stages on the way to `head`, in order; no other can explain it."""
    return STAGES[: STAGES.index(EXITS[head]) + 1]


def attribute(
    model: GoogLeNet,
    pixels: Tensor,
    *,
    method: str,
    target: int,
    head: str = "main",
    stage: str | None = None,
    branch: str | None = None,
    steps: int = STEPS,
    heard: Callable[[float], None] | None = None,
) -> Attribution:
    """Explain logit `target` of `head` for one picture.

    `pixels`: (1, 3, H, W) in [0, 1]. `stage` and `branch` are read by methods that explain a
    module; the others ignore them. `steps` is read by Integrated Gradients; `heard` is told what
    share of the points is computed, each time some are. Model and pixels are left as they were:
    mode, gradients, hooks. A model serves one thread at a time.

    Whatever cannot be answered raises `GnetError`: an unknown method, head, class, stage or branch,
    an untrained head, a module behind the chosen head, pixels of another shape or range.
    """
    chosen = METHODS.get(method)
    if chosen is None:
        raise GnetError(f"There is no method {method!r}; there are {listed(METHODS)}.")
    check_pixels(model, pixels)
    check_head(model, head)
    check_target(model, target)
    check_steps(steps)
    if chosen.needs_stage:
        stage = _checked_stage(chosen, head, stage)
    else:
        stage = branch = None
    model = differentiable(model)
    layer, channels = None, slice(None)
    if stage is not None:
        layer = model.inceptions()[stage]
        channels = _channels(layer.widths.branches, branch)
    network, preprocessing = model.until(head), model.info.preprocessing
    weights = next(model.parameters())

    done = 0

    def logits(x: Tensor) -> Tensor:
        nonlocal done
        if heard and x.requires_grad:
            heard(min(1.0, done / steps))
            done += len(x)
        return network(preprocessing.normalise(x).to(weights.dtype)).float()

    # A caller's inference mode would leave nothing to differentiate.
    with torch.inference_mode(False), evaluating(model):
        x = pixels.detach().to(weights.device, torch.float32, copy=True)
        baseline = x.new_tensor(preprocessing.mean).view(1, 3, 1, 1).expand_as(x)
        with torch.no_grad():
            ends = torch.cat([x, baseline]) if chosen.has_baseline else x
            scores = logits(ends)[:, target].tolist()
        if not all(math.isfinite(score) for score in scores):
            raise GnetError(
                f"The network's logit for class {target} is {scores[0]}; only a finite one can be "
                "explained."
            )
        question = Question(
            logits=logits,
            pixels=x.requires_grad_(),
            baseline=baseline,
            target=target,
            layer=layer,
            channels=channels,
            steps=steps,
        )
        with torch.enable_grad():
            values = chosen.function(question).detach().float().cpu()
        size, grid = (pixels.shape[2], pixels.shape[3]), (values.shape[0], values.shape[1])
        if stage is not None:
            # All branches of a module have their cells' centres in the same places.
            field = receptive_fields(model)[stage][branch or BRANCHES[0]]
            values = spread(values, field, size)
    error = None
    if chosen.has_baseline:
        error = abs(values.double().sum().item() - (scores[0] - scores[1]))
    return Attribution(
        method=method,
        head=head,
        target=target,
        target_name=model.info.class_name(target),
        stage=stage,
        branch=branch,
        map=values.contiguous(),
        grid=grid,
        low=values.min().item(),
        high=values.max().item(),
        signed=chosen.signed,
        score=scores[0],
        baseline_score=scores[1] if chosen.has_baseline else None,
        completeness_error=error,
        steps=steps if chosen.has_baseline else None,
    )


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def check_head(model: GoogLeNet, head: str) -> None:
    """Raise `GnetError` unless the network has this head and it was trained."""
    present = HEADS if model.config.aux else ("main",)
    if head not in HEADS:
        raise GnetError(f"There is no head {head!r}; there are {listed(present)}.")
    if head not in present:
        raise GnetError(f"This network was built without {head}; its only head is main.")
    status = model.info.heads
    if status.get(head, UNTRAINED) == UNTRAINED:
        trained = [name for name in present if status.get(name, UNTRAINED) != UNTRAINED]
        remedy = f"choose {listed(trained, 'or')}" if trained else "train the network first"
        raise GnetError(
            f"Head {head} of this network is untrained, so it has no belief to explain; {remedy}."
        )


def check_target(model: GoogLeNet, target: Any) -> None:
    """Raise `GnetError` unless the network has a class of this number."""
    last = model.config.num_classes - 1
    if not _is_whole(target) or not 0 <= target <= last:
        raise GnetError(f"The class is {target!r}; allowed are numbers from 0 to {last}.")


def check_steps(steps: Any) -> None:
    """Raise `GnetError` unless `steps` is a number of points that a path may have."""
    low, high = STEPS_RANGE
    if not _is_whole(steps) or not low <= steps <= high:
        raise GnetError(f"steps is {steps!r}; allowed are whole numbers from {low} to {high}.")


def _checked_stage(method: Method, head: str, stage: str | None) -> str:
    allowed = stages_before(head)
    if stage is None:
        raise GnetError(
            f"{method.label} explains one module and none was named; choose "
            f"{listed(allowed, 'or')}."
        )
    if stage not in STAGES:
        raise GnetError(f"There is no module {stage!r}; choose {listed(allowed, 'or')}.")
    if stage not in allowed:
        raise GnetError(
            f"{stage} lies behind {head}, which leaves after {EXITS[head]}; choose "
            f"{listed(allowed, 'or')}."
        )
    return stage


def _channels(widths: tuple[int, ...], branch: str | None) -> slice:
    """Where `branch` lies in a module whose branches have these widths; None: everywhere."""
    if branch is None:
        return slice(None)
    if branch not in BRANCHES:
        raise GnetError(f"There is no branch {branch!r}; there are {listed(BRANCHES)}.")
    index = BRANCHES.index(branch)
    start = sum(widths[:index])
    return slice(start, start + widths[index])
