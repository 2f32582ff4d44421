"""The table of attribution methods that page, command line and tests are driven by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

from torch import Tensor

from gnet.explain.attribution import gradients, perturbation, validity
from gnet.explain.attribution.options import RECORDS, Plain
from gnet.explain.attribution.question import Cost, Question
from gnet.network.config import BRANCHES, STAGES
from gnet.network.model import GoogLeNet

PICTURE, BRANCH_TABLE = "picture", "branches"
"""What a map's values stand for: places of the picture, or one for each branch of each module."""


def always(model: GoogLeNet, head: str) -> str | None:
    """No network makes the method invalid."""
    return None


@dataclass(frozen=True, kw_only=True)
class Method:
    """One row of the table."""

    name: str
    label: str
    sentence: str
    """What the map shows, in plain words."""
    unit: str
    """What one unit of the map is."""
    signed: bool
    """True when values below 0 speak against the class; then 0 is the middle of the scale."""
    complete: bool = False
    """True when the map should sum to logit(picture) − logit(baseline)."""
    about: str = PICTURE
    cost: Callable[[Any, int], Cost]
    """Options and the picture's side in px → how often the network is run."""
    reason: Callable[[GoogLeNet, str], str | None] = always
    """Network and head → why the method is invalid there; None where it is valid."""
    function: Callable[[Question], Tensor]
    """The question → a map (h, w), at the picture's size or on the module's grid."""

    @property
    def options(self) -> type[Plain]:
        """The record of its own options."""
        return RECORDS[self.name]

    def has(self, option: str) -> bool:
        """Whether it has an option of this name."""
        return option in {f.name for f in fields(self.options)}

    @property
    def needs_stage(self) -> bool:
        """True when it explains a module's responses: a stage must be named, a branch may be."""
        return self.has("stage")

    @property
    def slow(self) -> bool:
        """True when it takes so long that a person is told before."""
        return sum(self.cost(self.options(), 224)) > 8


def _once(options: Any, side: int) -> Cost:
    return Cost(gradients=1)


def _steps(options: Any, side: int) -> Cost:
    return Cost(gradients=options.steps + 1)


def _squares(options: Any, side: int) -> Cost:
    one = perturbation.squares_of(side, options.patch, options.stride)
    return Cost(forwards=one * one)


METHODS: dict[str, Method] = {
    method.name: method
    for method in (
        Method(
            name="grad-cam",
            label="Grad-CAM",
            sentence=(
                "Where the module's responses speak for the class: its channels, each weighted by "
                "its mean gradient, added up and cut at 0, then enlarged from the module's grid to "
                "the picture."
            ),
            unit="response × mean gradient",
            signed=False,
            cost=_once,
            function=gradients.grad_cam,
        ),
        Method(
            name="saliency",
            label="Saliency",
            sentence=(
                "How strongly the class's logit reacts to a small change of each pixel: the "
                "largest absolute gradient over the three colours."
            ),
            unit="logits per unit of pixel value",
            signed=False,
            cost=_once,
            function=gradients.saliency,
        ),
        Method(
            name="smooth-grad",
            label="SmoothGrad",
            sentence=(
                "Saliency averaged over copies of the picture with noise, so that what changes "
                "with every small disturbance averages out."
            ),
            unit="logits per unit of pixel value",
            signed=False,
            cost=lambda options, side: Cost(gradients=options.samples),
            function=gradients.smooth_grad,
        ),
        Method(
            name="input-x-gradient",
            label="Input × Gradient",
            sentence=(
                "The gradient times the pixel's value: what each pixel would add to the class's "
                "logit, compared with black, if the network were a straight line."
            ),
            unit="logits",
            signed=True,
            cost=_once,
            function=gradients.input_x_gradient,
        ),
        Method(
            name="integrated-gradients",
            label="Integrated Gradients",
            sentence=(
                "What each pixel adds to the class's logit, or takes from it, on the way from a "
                "plain picture to this one; the whole map sums to the difference of the two "
                "logits."
            ),
            unit="logits",
            signed=True,
            complete=True,
            cost=_steps,
            function=gradients.integrated_gradients,
        ),
        Method(
            name="guided-backprop",
            label="Guided Backprop",
            sentence=(
                "The gradient, of which every ReLU lets only positive parts pass: sharp edges, "
                "which depend little on the class."
            ),
            unit="logits per unit of pixel value, cut at every ReLU",
            signed=True,
            cost=_once,
            reason=validity.needs_relu,
            function=gradients.guided_backprop,
        ),
        Method(
            name="deep-lift",
            label="DeepLift",
            sentence=(
                "What each pixel adds to the class's logit compared with a plain picture, handed "
                "back layer by layer; the whole map sums to the difference of the two logits."
            ),
            unit="logits",
            signed=True,
            complete=True,
            cost=lambda options, side: Cost(gradients=2),
            reason=validity.sums_up,
            function=gradients.deep_lift,
        ),
        Method(
            name="guided-grad-cam",
            label="Guided Grad-CAM",
            sentence=(
                "Guided Backprop where Grad-CAM is bright: sharp edges, in the places where the "
                "module's responses speak for the class."
            ),
            unit="Grad-CAM × Guided Backprop",
            signed=True,
            cost=lambda options, side: Cost(gradients=2),
            reason=validity.needs_relu,
            function=gradients.guided_grad_cam,
        ),
        Method(
            name="occlusion",
            label="Occlusion",
            sentence=(
                "How far the class's logit falls when a square over the pixel is replaced by the "
                "baseline, averaged over all squares that cover it."
            ),
            unit="logits",
            signed=True,
            cost=_squares,
            function=perturbation.occlusion,
        ),
        Method(
            name="layer-conductance",
            label="Layer Conductance",
            sentence=(
                "What goes through each cell of the module, or of one branch, on the way from a "
                "plain picture to this one; over the whole module it sums to the difference of the "
                "two logits. It is the mean of captum's map for the way there and of the one for "
                "the way back."
            ),
            unit="logits",
            signed=True,
            complete=True,
            cost=_steps,
            function=gradients.layer_conductance,
        ),
        Method(
            name="feature-ablation",
            label="Feature Ablation",
            sentence=(
                "How far the class's logit falls when one branch of one module is switched off: a "
                "table of branches, no map of the picture."
            ),
            unit="logits",
            signed=True,
            about=BRANCH_TABLE,
            cost=lambda options, side: Cost(forwards=len(STAGES) * len(BRANCHES) // 2),
            function=perturbation.feature_ablation,
        ),
    )
}
"""Name → method, in the order to show them."""

FIRST = "grad-cam"
"""The method of the page's first answer."""
