"""Why this class: the table of attribution methods, computed by captum, as maps over the picture.

Every method explains one logit of one head. Pictures are pixels in [0, 1] and so are the units:
normalisation happens inside the function that is differentiated. Knows nothing of colours or pages.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from typing import Any

import torch
from captum.attr import IntegratedGradients, LayerGradCam, Saliency
from torch import Tensor, nn

from gnet.errors import GnetError
from gnet.network.config import BRANCHES, EXITS, HEADS, STAGES, UNTRAINED
from gnet.network.hooks import evaluating
from gnet.network.model import GoogLeNet
from gnet.network.receptive_field import receptive_fields, spread

STEPS = 64
"""Points on the path of Integrated Gradients unless asked otherwise; the middle rule then leaves an
error of about 1 % of the difference on a trained network, less than captum's other rules."""
STEPS_RANGE = (2, 1024)
BATCH = 4
"""Points computed at once; bounds the memory, changes nothing in the result but rounding."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Question:
    """What a method is asked, already checked."""

    logits: Callable[[Tensor], Tensor]
    """Pixels (N, 3, H, W) in [0, 1] → logits (N, classes) of the head asked about."""
    pixels: Tensor
    """(1, 3, H, W), requires gradient."""
    baseline: Tensor
    """(1, 3, H, W): the mean colour everywhere, which the network is given as 0."""
    target: int
    layer: nn.Module | None
    channels: slice
    """The channels of `layer` that belong to the branch asked about, or all of them."""
    steps: int


@dataclass(frozen=True, kw_only=True)
class Method:
    """One row of the table behind the page's menu and the command line's `--method`."""

    name: str
    label: str
    sentence: str
    """What the map shows, in plain words."""
    unit: str
    """What one unit of the map is."""
    needs_stage: bool
    """True when it explains a module's responses: a stage, and perhaps a branch, must be named."""
    signed: bool
    """True when values below 0 speak against the class; then 0 is the middle of the scale."""
    has_baseline: bool
    """True when the map should sum to logit(picture) − logit(baseline)."""
    function: Callable[[Question], Tensor]
    """The question → a map (h, w), at the picture's size or on the module's grid."""


def _saliency(question: Question) -> Tensor:
    gradient = Saliency(question.logits).attribute(
        question.pixels, target=question.target, abs=True
    )
    return gradient[0].amax(dim=0)  # (H, W): the colour that matters most, arXiv 1312.6034 §3.1


def _integrated_gradients(question: Question) -> Tensor:
    parts = IntegratedGradients(question.logits).attribute(
        question.pixels,
        baselines=question.baseline,
        target=question.target,
        n_steps=question.steps,
        method="riemann_middle",
        internal_batch_size=BATCH,
        return_convergence_delta=False,
    )
    return parts[0].sum(dim=0)  # (H, W): a sum over colours keeps completeness


def _grad_cam(question: Question) -> Tensor:
    assert question.layer is not None
    by_channel = LayerGradCam(question.logits, question.layer).attribute(
        question.pixels, target=question.target, attr_dim_summation=False
    )
    assert isinstance(by_channel, Tensor)  # (1, C, h, w)
    # A branch's gradient is its slice of the module's, so one hook serves module and branch.
    return by_channel[0, question.channels].sum(dim=0).relu()  # (h, w)


METHODS: dict[str, Method] = {
    method.name: method
    for method in (
        Method(
            name="saliency",
            label="Saliency",
            sentence=(
                "How strongly the class's logit reacts to a small change of each pixel: the "
                "largest absolute gradient over the three colours."
            ),
            unit="logits per unit of pixel value",
            needs_stage=False,
            signed=False,
            has_baseline=False,
            function=_saliency,
        ),
        Method(
            name="integrated-gradients",
            label="Integrated Gradients",
            sentence=(
                "What each pixel adds to the class's logit, or takes from it, on the way from a "
                "plain picture of the mean colour to this one; the whole map sums to the "
                "difference of the two logits."
            ),
            unit="logits",
            needs_stage=False,
            signed=True,
            has_baseline=True,
            function=_integrated_gradients,
        ),
        Method(
            name="grad-cam",
            label="Grad-CAM",
            sentence=(
                "Where the module's responses speak for the class: its channels, each weighted by "
                "its mean gradient, added up and cut at 0, then enlarged from the module's grid to "
                "the picture."
            ),
            unit="response × mean gradient",
            needs_stage=True,
            signed=False,
            has_baseline=False,
            function=_grad_cam,
        ),
    )
}
"""Name → method, in the order to show them."""


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
            return (
                f"Values run from {self.low:.3g} to {self.high:.3g} {METHODS[self.method].unit}; "
                f"the logit of “{name}” is {self.score:.2f}."
            ).replace(" -", " −")
        relative = self.relative_error
        share = "" if relative is None else f", {100 * relative:.1f} %"
        return (
            f"From the mean colour to this picture the logit of “{name}” goes from "
            f"{self.baseline_score:.2f} to {self.score:.2f}; the map sums to that difference with "
            f"an error of {self.completeness_error:.3f}{share}."
        ).replace(" -", " −")

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
) -> Attribution:
    """Explain logit `target` of `head` for one picture.

    `pixels`: (1, 3, H, W) in [0, 1]. `stage` and `branch` are read by methods that explain a
    module; the others ignore them. `steps` is read by Integrated Gradients. Model and pixels are
    left as they were: mode, gradients, hooks. A model serves one thread at a time.

    Whatever cannot be answered raises `GnetError`: an unknown method, head, class, stage or branch,
    an untrained head, a module behind the chosen head, pixels of another shape or range.
    """
    chosen = METHODS.get(method)
    if chosen is None:
        raise GnetError(f"There is no method {method!r}; there are {_listed(METHODS)}.")
    _check_head(model, head)
    _check_target(model, target)
    _check_pixels(model, pixels)
    low, high = STEPS_RANGE
    if not _is_whole(steps) or not low <= steps <= high:
        raise GnetError(f"steps is {steps!r}; allowed are whole numbers from {low} to {high}.")
    layer, channels = None, slice(None)
    if chosen.needs_stage:
        stage = _checked_stage(chosen, head, stage)
        module = model.inceptions()[stage]
        layer, channels = module, _channels(module.widths.branches, branch)
    else:
        stage = branch = None

    network, preprocessing = model.until(head), model.info.preprocessing

    def logits(x: Tensor) -> Tensor:
        return network(preprocessing.normalise(x))

    # A caller's inference mode would leave nothing to differentiate.
    with torch.inference_mode(False), evaluating(model):
        device = next(model.parameters()).device
        x = pixels.detach().to(device, torch.float32, copy=True)
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


def _listed(names: Iterable[str], last: str = "and") -> str:
    *most, final = names
    return f"{', '.join(most)} {last} {final}" if most else str(final)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _check_head(model: GoogLeNet, head: str) -> None:
    present = HEADS if model.config.aux else ("main",)
    if head not in HEADS:
        raise GnetError(f"There is no head {head!r}; there are {_listed(present)}.")
    if head not in present:
        raise GnetError(f"This network was built without {head}; its only head is main.")
    status = model.info.heads
    if status.get(head, UNTRAINED) == UNTRAINED:
        trained = [name for name in present if status.get(name, UNTRAINED) != UNTRAINED]
        remedy = f"choose {_listed(trained, 'or')}" if trained else "train the network first"
        raise GnetError(
            f"Head {head} of this network is untrained, so it has no belief to explain; {remedy}."
        )


def _check_target(model: GoogLeNet, target: int) -> None:
    last = model.config.num_classes - 1
    if not _is_whole(target) or not 0 <= target <= last:
        raise GnetError(f"The class asked for is {target!r}; allowed are numbers from 0 to {last}.")


def _check_pixels(model: GoogLeNet, pixels: Tensor) -> None:
    if pixels.dim() != 4 or tuple(pixels.shape[:2]) != (1, 3):
        raise GnetError(
            f"The pixels have shape {tuple(pixels.shape)}; allowed is one picture, "
            "(1, 3, height, width)."
        )
    model.config.check_size(pixels.shape[2], pixels.shape[3])
    low, high = pixels.min().item(), pixels.max().item()
    if not (pixels.is_floating_point() and low >= -1e-6 and high <= 1 + 1e-6):
        kind = str(pixels.dtype).removeprefix("torch.")
        raise GnetError(
            f"The pixels are {kind} from {low:.4g} to {high:.4g}; allowed are floats from 0 to 1."
        )


def _checked_stage(method: Method, head: str, stage: str | None) -> str:
    allowed = stages_before(head)
    if stage is None:
        raise GnetError(
            f"{method.label} explains one module and none was named; choose "
            f"{_listed(allowed, 'or')}."
        )
    if stage not in STAGES:
        raise GnetError(f"There is no module {stage!r}; choose {_listed(allowed, 'or')}.")
    if stage not in allowed:
        raise GnetError(
            f"{stage} lies behind {head}, which leaves after {EXITS[head]}; choose "
            f"{_listed(allowed, 'or')}."
        )
    return stage


def _channels(widths: tuple[int, ...], branch: str | None) -> slice:
    """Where `branch` lies in a module whose branches have these widths; None: everywhere."""
    if branch is None:
        return slice(None)
    if branch not in BRANCHES:
        raise GnetError(f"There is no branch {branch!r}; there are {_listed(BRANCHES)}.")
    index = BRANCHES.index(branch)
    start = sum(widths[:index])
    return slice(start, start + widths[index])
