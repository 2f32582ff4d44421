"""Grad-CAM of all branches before a head in one pass: one forward, one way back."""

from __future__ import annotations

import torch
from torch import Tensor

from gnet.explain.ablation import Branch
from gnet.explain.attribution.checks import check_head, check_target, stages_before
from gnet.explain.recording import split
from gnet.inference.pixels import check_pixels
from gnet.network.hooks import differentiable, evaluating, watching
from gnet.network.model import GoogLeNet


def grad_cams(
    model: GoogLeNet, pixels: Tensor, *, target: int, head: str = "main"
) -> dict[Branch, Tensor]:
    """Stage and branch → its Grad-CAM (h, w) for a class of `head`, on the module's grid.

    Equal to a call of captum's LayerGradCam for each branch. A branch's gradient is its slice of
    the module's, so all of them share one forward and one gradient. Raises `GnetError`.
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
    return maps
