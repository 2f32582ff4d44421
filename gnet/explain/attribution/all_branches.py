"""Grad-CAM of all branches before a head in one pass: one forward, one way back."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gnet.explain.ablation import Branch
from gnet.explain.attribution.checks import check_head, check_target, stages_before
from gnet.explain.branches import LABELS
from gnet.explain.recording import split
from gnet.inference.pixels import check_pixels
from gnet.network.hooks import differentiable, evaluating, watching
from gnet.network.model import GoogLeNet


@dataclass(frozen=True, kw_only=True, eq=False)
class GradCams:
    """The Grad-CAM of every branch before a head."""

    head: str
    target: int
    target_name: str
    maps: dict[Branch, Tensor]
    """Stage and branch → (h, w) float32 on the module's grid, never below 0."""

    @property
    def limit(self) -> float:
        """The largest value of all maps, where their common scale ends."""
        return max(float(values.max()) for values in self.maps.values())

    @property
    def limits(self) -> dict[str, float]:
        """Stage → the largest value of its four maps, where their common scale ends."""
        found: dict[str, float] = {}
        for (stage, _), values in self.maps.items():
            found[stage] = max(found.get(stage, 0.0), float(values.max()))
        return found

    @property
    def sentence(self) -> str:
        """Which branch has the largest value, and how many have none above 0."""
        silent = sum(float(values.max()) <= 0 for values in self.maps.values())
        count = len(self.maps)
        if silent == count:
            return f"All {count} maps are 0 everywhere: no branch speaks for “{self.target_name}”."
        stage, branch = max(self.maps, key=lambda place: float(self.maps[place].max()))
        first = f"The largest value, {self.limit:.3g}, has the {LABELS[branch]} branch of {stage}; "
        if not silent:
            return f"{first}every map has a place that speaks for “{self.target_name}”."
        return (
            f"{first}{silent} of {count} maps {'is' if silent == 1 else 'are'} 0 everywhere: "
            f"nothing there speaks for “{self.target_name}”."
        )


def grad_cams(model: GoogLeNet, pixels: Tensor, *, target: int, head: str = "main") -> GradCams:
    """The Grad-CAM of each branch before `head`, for a class of it.

    `pixels`: (1, 3, H, W) in [0, 1]. Equal to a call of captum's LayerGradCam for each
    branch. A branch's gradient is its slice of the module's, so all of them share one forward and
    one gradient. Raises `GnetError`.
    """
    check_pixels(model, pixels)
    check_head(model, head)
    check_target(model, target)
    model = differentiable(model)
    weights, stages = next(model.parameters()), stages_before(head)
    modules = {stage: model.inceptions()[stage] for stage in stages}
    with torch.inference_mode(False), evaluating(model), torch.enable_grad():
        x = pixels.detach().to(weights.device, torch.float32, copy=True)
        x = model.info.preprocessing.normalise(x).to(weights.dtype).requires_grad_()
        with watching(modules) as passed:
            logit = model.until(head)(x)[0, target]
        outputs = [passed[stage].output for stage in stages]
        gradients = torch.autograd.grad(logit, outputs)
    maps: dict[Branch, Tensor] = {}
    for stage, output, gradient in zip(stages, outputs, gradients, strict=True):
        by_channel = output.detach()[0] * gradient.mean((2, 3))[0][:, None, None]  # (C, h, w)
        for branch, part in split(by_channel, modules[stage].widths.branches).items():
            maps[stage, branch] = part.sum(0).relu().float().cpu()
    name = model.info.class_name(target)
    return GradCams(head=head, target=target, target_name=name, maps=maps)
