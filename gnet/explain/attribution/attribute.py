"""One question answered by one method: a map over the picture with the numbers beside it.

Every method explains one logit of one head. Pictures are pixels in [0, 1] and so are the units:
normalisation happens inside the function that is differentiated. Knows nothing of colours or pages.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from typing import Any

import torch
from torch import Tensor

from gnet.errors import FieldError, GnetError
from gnet.explain.attribution import checks
from gnet.explain.attribution.methods import METHODS, PICTURE, Method
from gnet.explain.attribution.options import BASELINES, LENGTHS, PLACE, Plain, read
from gnet.explain.attribution.question import Answering, Question, baseline_of, counting
from gnet.inference.pixels import check_pixels
from gnet.network.config import BRANCHES
from gnet.network.hooks import differentiable, evaluating
from gnet.network.model import GoogLeNet
from gnet.network.receptive_field import receptive_fields, spread
from gnet.words import minus, some


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
    options: dict[str, Any]
    """The method's options by name, the defaults included."""
    map: Tensor
    """(H, W) float32 on the CPU, at the picture's size; (stages, 4) for a table of branches."""
    grid: tuple[int, int]
    """(height, width) the map was computed on, before it was enlarged."""
    low: float
    high: float
    signed: bool
    score: float
    """The logit of the class for the picture."""
    baseline_score: float | None
    """The logit of the class for the plain picture; None for a map that has no sum to reach."""
    completeness_error: float | None
    """|Σ map − (score − baseline_score)| in logits; None where no sum is to be reached."""

    @property
    def steps(self) -> int | None:
        """Points on the path; None for a method without one."""
        return self.options.get("steps")

    @property
    def label(self) -> str:
        """Such as "Grad-CAM of 4b · 5×5"."""
        place = " · ".join(part.replace("x", "×") for part in (self.stage, self.branch) if part)
        label = METHODS[self.method].label
        return f"{label} of {place}" if place else label

    @property
    def settings(self) -> str:
        """The options in words, such as "steps 64, baseline mean"; empty where there are none."""
        own = {name: value for name, value in self.options.items() if name not in PLACE}
        return ", ".join(f"{name} {value}" for name, value in own.items())

    @property
    def sentence(self) -> str:
        """What the map shows, in plain words."""
        return METHODS[self.method].sentence

    @property
    def relative_error(self) -> float | None:
        """The completeness error as a fraction of |score − baseline_score|.

        None where no sum is to be reached, and where both logits are equal.
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
                f"The largest value of this map is {self.high:.3g}"
                f"{f', the smallest {self.low:.3g}' if self.low < 0 else ''}; the network gives "
                f"“{name}” the score (logit) {self.score:.2f}."
            )
        relative = self.relative_error
        share = "" if relative is None else f", {100 * relative:.1f} %"
        start = BASELINES[self.options["baseline"]].removeprefix("the network's ")
        start = "the mean colour" if start == "mean colour" else start
        return minus(
            f"From {start} to this picture the logit of “{name}” goes from "
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
            "about": METHODS[self.method].about,
            "size": list(self.map.shape),
            "grid": list(self.grid),
            "steps": self.steps,
            "relative_error": self.relative_error,
        }


def attribute(
    model: GoogLeNet,
    pixels: Tensor,
    *,
    method: str,
    target: int,
    head: str = "main",
    heard: Callable[[float], None] | None = None,
    **options: Any,
) -> Attribution:
    """Explain logit `target` of `head` for one picture.

    `pixels`: (1, 3, H, W) in [0, 1]. `options` are fields of the method's own record, as `stage`,
    `branch`, `steps` or `baseline`; what the method does not have is passed over. `heard` is told
    what share of the work is done, before each run of the network; what it raises ends the work.
    Model and pixels are left as they were: mode, gradients, hooks. A model serves one thread at a
    time.

    Whatever cannot be answered raises `GnetError`: an unknown method, head, class, stage or branch,
    an untrained head, a module behind the chosen head, an option out of its range, pixels of
    another shape or range. Whether a method is valid on the network is for `Method.reason` to say.
    """
    chosen, record = asked(model, pixels, method, target, head, options)
    model = differentiable(model)
    stage = (getattr(record, "stage", "") or None) if chosen.needs_stage else None
    branch = (getattr(record, "branch", "") or None) if stage else None
    layer, channels = None, slice(None)
    if stage is not None:
        layer = model.inceptions()[stage]
        channels = _channels(layer.widths.branches, branch)
    size = pixels.shape[2], pixels.shape[3]
    told = counting(sum(chosen.cost(record, min(size))), heard)
    answering = Answering(model, head, told)
    complete = chosen.complete and branch is None

    # A caller's inference mode would leave nothing to differentiate.
    with torch.inference_mode(False), evaluating(model):
        x = pixels.detach().to(next(model.parameters()).device, torch.float32, copy=True)
        baseline = baseline_of(model, x, getattr(record, "baseline", "mean"))
        ends = torch.cat([x, baseline]) if complete else x
        scores = _scores(Answering(model, head, lambda count: None), ends, target)
        question = Question(
            model=model,
            head=head,
            answering=answering,
            pixels=x.requires_grad_(),
            baseline=baseline,
            target=target,
            options=record,
            layer=layer,
            channels=channels,
            told=told,
        )
        with torch.enable_grad():
            values = chosen.function(question).detach().float().cpu()
        shown, grid = values, (values.shape[0], values.shape[1])
        if stage is not None and grid != size:
            # All branches of a module have their cells' centres in the same places.
            field = receptive_fields(model)[stage][branch or BRANCHES[0]]
            shown = spread(values, field, size)
    summed = values.double().sum().item()
    return Attribution(
        method=method,
        head=head,
        target=target,
        target_name=model.info.class_name(target),
        stage=stage,
        branch=branch,
        options=asdict(record),
        map=shown.contiguous(),
        grid=grid,
        low=shown.min().item(),
        high=shown.max().item(),
        signed=chosen.signed,
        score=scores[0],
        baseline_score=scores[1] if complete else None,
        completeness_error=abs(summed - (scores[0] - scores[1])) if complete else None,
    )


def asked(
    model: GoogLeNet,
    pixels: Tensor,
    method: str,
    target: int,
    head: str,
    options: dict[str, Any],
) -> tuple[Method, Plain]:
    """The method and its options, checked; raises `GnetError` as `attribute` does."""
    chosen = METHODS.get(method)
    if chosen is None:
        raise GnetError(f"There is no method {method!r}; there are {some(METHODS, 5)}.")
    check_pixels(model, pixels)
    checks.check_head(model, head)
    checks.check_target(model, target)
    try:
        record = read(chosen.options, options)
    except FieldError as error:
        if error.field in LENGTHS:
            raise checks.too_long(error.field, error.given, min(pixels.shape[2:])) from error
        raise
    if chosen.needs_stage:
        checks.check_stage(chosen.label, head, record.stage)
        checks.check_branch(record.branch)
    if chosen.has("patch") and chosen.about == PICTURE:
        checks.check_patch(record.patch, record.stride, (pixels.shape[2], pixels.shape[3]))
    return chosen, record


def _scores(answering: Answering, ends: Tensor, target: int) -> list[float]:
    """The logit of the class for the picture and, if it is there, for the baseline."""
    with torch.no_grad():
        scores = answering(ends)[:, target].tolist()
    if not all(math.isfinite(score) for score in scores):
        raise GnetError(
            f"The network's logit for class {target} is {scores[0]}; only a finite one can be "
            "explained."
        )
    return scores


def _channels(widths: tuple[int, ...], branch: str | None) -> slice:
    """Where `branch` lies in a module whose branches have these widths; None: everywhere."""
    if branch is None:
        return slice(None)
    index = BRANCHES.index(branch)
    start = sum(widths[:index])
    return slice(start, start + widths[index])
