"""What each channel of a module adds to a class: its gradient times its mean response.

Behind 5b lie only an average over the cells and one layer of weights. There it is the class's
weight for the channel times its mean response: these and the bias add up to the logit.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from gnet.errors import GnetError
from gnet.explain.attribution.checks import check_head, check_target, stages_before
from gnet.explain.recording import Recording
from gnet.network.config import EXITS, STAGES
from gnet.network.hooks import differentiable, evaluating, watching
from gnet.network.model import GoogLeNet
from gnet.words import listed


@dataclass(frozen=True, kw_only=True, eq=False)
class Relevance:
    """Of every channel of one module, for one class of one head."""

    values: Tensor
    """(C,) float32 in logits: above 0 the channel speaks for the class."""
    exact: bool
    """True where the values and the bias add up to the logit."""


def relevance(
    model: GoogLeNet, recording: Recording, stage: str, *, head: str, target: int
) -> Relevance:
    """How much each channel of `stage` speaks for class `target` of `head` in one picture."""
    check_head(model, head)
    check_target(model, target)
    if stage not in stages_before(head):
        raise GnetError(
            f"{stage} lies behind {head}, which leaves after {EXITS[head]}; choose "
            f"{listed(stages_before(head), 'or')}."
        )
    means = recording.outputs[stage].mean((1, 2))
    between = model.last_norm, model.last_relu, model.outputs
    if stage == STAGES[-1] and all(isinstance(layer, nn.Identity) for layer in between):
        weights = model.fc.weight[target].detach().float().cpu()
        return Relevance(values=weights * means, exact=True)
    gradient = _gradient(model, recording.pixels, stage, head, target)
    return Relevance(values=gradient.sum((1, 2)) * means, exact=False)


def _gradient(model: GoogLeNet, pixels: Tensor, stage: str, head: str, target: int) -> Tensor:
    """∂ logit / ∂ output of the module, (C, h, w)."""
    model = differentiable(model)
    module = model.inceptions()[stage]
    with torch.inference_mode(False), evaluating(model), torch.enable_grad():
        picture = pixels.clone().requires_grad_()
        with watching({stage: module}) as passed:
            logits = model.until(head)(model.info.preprocessing.normalise(picture))
        (gradient,) = torch.autograd.grad(logits[0, target], passed[stage].output)
    return gradient[0].detach().float().cpu()
