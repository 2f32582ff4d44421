"""The table of attribution methods behind the page's menu and the command line; captum computes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from captum.attr import IntegratedGradients, LayerGradCam, Saliency
from torch import Tensor, nn

STEPS = 64
"""Default number of points on the path of Integrated Gradients; the middle rule then leaves an
error of about 1 % of the difference on a trained network, less than captum's other rules."""


STEPS_RANGE = (2, 1024)


BATCH = 4
"""Points computed at once; bounds the memory, changes nothing in the result but rounding."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Question:
    """The input of a method, already checked."""

    logits: Callable[[Tensor], Tensor]
    """Pixels (N, 3, H, W) in [0, 1] → logits (N, classes) of the chosen head."""
    pixels: Tensor
    """(1, 3, H, W), requires gradient."""
    baseline: Tensor
    """(1, 3, H, W): the mean colour everywhere, which the network is given as 0."""
    target: int
    layer: nn.Module | None
    channels: slice
    """The channels of `layer` that belong to the chosen branch, or all of them."""
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
    slow: bool
    """True when it takes so long that a person is told before."""
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
            slow=False,
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
            slow=True,
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
            slow=False,
            function=_grad_cam,
        ),
    )
}
"""Name → method, in the order to show them."""

FIRST = "grad-cam"
"""The method of the page's first answer."""
