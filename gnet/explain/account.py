"""Which branches carry a class's logit: layer conductance of all 36 branches in one pass.

The way leads from a baseline picture to the picture. Each step's change of a branch's output, times
the logit's gradient, adds up to what went through the branch (arXiv 1805.12233). The gradient is
the mean of those at the step's two ends: captum takes the first, which is further off at the same
cost. Within one module the branches sum to logit(picture) − logit(baseline), up to an error that is
kept.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from gnet.explain.ablation import Branch
from gnet.explain.attribution.checks import (
    check_head,
    check_steps,
    check_target,
    stages_before,
)
from gnet.explain.recording import split
from gnet.inference.pixels import check_pixels
from gnet.network.hooks import differentiable, evaluating, watching
from gnet.network.model import GoogLeNet

POINTS = 50
"""Default number of steps on the way."""
_BATCH = 8
"""Points computed at once; bounds the memory, changes nothing in the result but rounding."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Account:
    """What each branch carries of one logit."""

    head: str
    target: int
    target_name: str
    score: float
    """The logit of the class for the picture."""
    baseline_score: float
    """The logit of the class for the baseline."""
    maps: dict[str, dict[str, Tensor]]
    """Stage → branch → conductance of each cell, summed over the branch's channels, (h, w)."""
    steps: int

    @property
    def values(self) -> dict[Branch, float]:
        """Logits that each branch carries; below 0 it speaks against the class."""
        return {
            (stage, branch): float(cells.double().sum())
            for stage, branches in self.maps.items()
            for branch, cells in branches.items()
        }

    @property
    def errors(self) -> dict[str, float]:
        """Stage → sum of its branches − (score − baseline_score), in logits."""
        values, difference = self.values, self.score - self.baseline_score
        return {
            stage: sum(values[stage, branch] for branch in branches) - difference
            for stage, branches in self.maps.items()
        }


def account(
    model: GoogLeNet,
    pixels: Tensor,
    *,
    target: int,
    head: str = "main",
    steps: int = POINTS,
    plain: Tensor | None = None,
    heard: Callable[[float], None] | None = None,
) -> Account:
    """Split logit `target` of `head` over the branches of every module before that head.

    `pixels`: (1, 3, H, W) in [0, 1], and so is the baseline `plain`; without one it is the
    network's mean colour everywhere. All
    modules share one forward and one gradient per point, so it costs a fraction of a call for each
    branch. `heard` is told what share of the points is computed. Raises `GnetError`.
    """
    check_pixels(model, pixels)
    check_head(model, head)
    check_target(model, target)
    check_steps(steps)
    model = differentiable(model)
    preprocessing, weights = model.info.preprocessing, next(model.parameters())
    stages = stages_before(head)
    modules = {stage: model.inceptions()[stage] for stage in stages}
    network = model.until(head)
    totals: dict[str, Tensor] = {}
    last: dict[str, tuple[Tensor, Tensor]] = {}
    scores: list[Tensor] = []
    with torch.inference_mode(False), evaluating(model):
        x = pixels.detach().to(weights.device, torch.float32, copy=True)
        mean = x.new_tensor(preprocessing.mean).view(1, 3, 1, 1)
        baseline = mean.expand_as(x) if plain is None else plain.to(x)
        along = torch.linspace(0, 1, steps + 1, device=x.device).view(-1, 1, 1, 1)
        for part in along.split(_BATCH):
            points = (baseline + part * (x - baseline)).requires_grad_()
            with torch.enable_grad(), watching(modules) as passed:
                logits = network(preprocessing.normalise(points).to(weights.dtype)).float()
                outputs = [passed[stage].output for stage in stages]
                gradients = torch.autograd.grad(logits[:, target].sum(), outputs)
            scores.append(logits[:, target].detach())
            for stage, output, gradient in zip(stages, outputs, gradients, strict=True):
                own = output.detach(), gradient
                if stage in last:
                    own = tuple(map(torch.cat, zip(last[stage], own, strict=True)))
                slope = own[1][1:] + own[1][:-1]  # twice the mean of both ends
                carried = own[0].diff(dim=0).mul_(slope).sum(0).div_(2)  # (C, h, w)
                totals[stage] = totals[stage] + carried if stage in totals else carried
                last[stage] = own[0][-1:], own[1][-1:]
            if heard:
                heard(float(part[-1]))
    ends = torch.cat(scores)[[-1, 0]].tolist()
    return Account(
        head=head,
        target=target,
        target_name=model.info.class_name(target),
        score=ends[0],
        baseline_score=ends[1],
        maps={
            stage: _by_branch(total, modules[stage].widths.branches)
            for stage, total in totals.items()
        },
        steps=steps,
    )


def _by_branch(total: Tensor, widths: tuple[int, ...]) -> dict[str, Tensor]:
    """A module's conductance (C, h, w) as a map (h, w) for each branch, on the CPU."""
    return {branch: part.sum(0).float().cpu() for branch, part in split(total, widths).items()}
