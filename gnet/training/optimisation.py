"""The update of the weights: losses of the three heads, optimiser, learning rate, EMA.

Knows nothing of data, files or events.
"""

from __future__ import annotations

import copy
import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gnet.network.model import GoogLeNet, Logits
from gnet.runs.train_config import TrainConfig
from gnet.training.distillation.answers import SoftTargets
from gnet.training.muon import Muon

WARM_UP = 0.25
"""Share of a one-cycle run in which the learning rate rises."""
EMA_EVERY = 4
"""Steps between two updates of the EMA."""
_RAREST = 1e-6
"""Share below which a class does not count as rarer still."""


def head_losses(
    logits: Logits,
    labels: Tensor,
    config: TrainConfig,
    rivals: Tensor | None = None,
    targets: SoftTargets | None = None,
    shares: Tensor | None = None,
) -> dict[str, Tensor]:
    """Head → summed loss (nats) over the batch; `logits` (N, classes), `labels` (N,).

    `rivals`, bool (N, classes): the classes that compete for each picture; by default all.
    `targets`: a teacher's answers, which take the share `teacher_weight` of the loss.
    `shares` (N, classes): how pictures of each one's kind are spread over the classes. The loss by
    label adds their logarithm to the logits ("logit adjustment", arXiv 2007.07314), so that the
    logits themselves do not learn it.
    """
    prior = None if shares is None else shares.clamp_min(_RAREST).log()
    return {
        head: _head_loss(values.float(), labels, config, rivals, targets, prior)
        for head, values in logits._asdict().items()
        if values is not None
    }


def _head_loss(
    outputs: Tensor,
    labels: Tensor,
    config: TrainConfig,
    rivals: Tensor | None,
    targets: SoftTargets | None,
    prior: Tensor | None,
) -> Tensor:
    adjusted = outputs if prior is None else outputs + prior
    if targets is None:
        return _loss(adjusted, labels, config, rivals)
    share = config.teacher_weight * targets.weights
    if rivals is None:
        rivals = torch.ones_like(targets.probabilities, dtype=torch.bool)
    by_label = _among(adjusted, labels, rivals, config.label_smoothing)
    return ((1 - share) * by_label + share * _divergence(outputs, targets)).sum()


def _divergence(outputs: Tensor, targets: SoftTargets) -> Tensor:
    """(N,): how far each row's distribution over the teacher's classes is from the teacher's.

    The Kullback-Leibler divergence at the temperature, times the temperature: its gradient is then
    as large as that of a loss by label, whatever the temperature.
    """
    logs = (outputs[:, targets.known] / targets.temperature).log_softmax(dim=1)
    wanted = targets.probabilities[:, targets.known]
    return (torch.xlogy(wanted, wanted) - wanted * logs).sum(dim=1) * targets.temperature


def _loss(outputs: Tensor, labels: Tensor, config: TrainConfig, rivals: Tensor | None) -> Tensor:
    if config.loss == "cross-entropy":
        if rivals is not None:
            return _among(outputs, labels, rivals, config.label_smoothing).sum()
        return F.cross_entropy(
            outputs, labels, label_smoothing=config.label_smoothing, reduction="sum"
        )
    # Keras's categorical cross-entropy, which takes the outputs as probabilities. Where all outputs
    # are 0 or below, it is ln(classes) and its gradient is 0, so training cannot recover.
    clipped = outputs.clamp(1e-7, 1 - 1e-7)
    shares = clipped / clipped.sum(dim=1, keepdim=True)
    return F.nll_loss(shares.log(), labels, reduction="sum")


def _among(outputs: Tensor, labels: Tensor, rivals: Tensor, smoothing: float) -> Tensor:
    """(N,): cross-entropy, with a softmax over each row's rivals only."""
    logs = outputs.masked_fill(~rivals, float("-inf")).log_softmax(dim=1)
    right = logs.gather(1, labels[:, None])[:, 0]
    spread = logs.masked_fill(~rivals, 0.0).sum(dim=1) / rivals.sum(dim=1)
    return -((1 - smoothing) * right + smoothing * spread)


class Mixed(NamedTuple):
    """How `mix` changed a batch."""

    others: Tensor
    """int64 (N,): the index of the picture that each rectangle comes from."""
    share: float
    """The rectangle's share of the area."""


def mix(x: Tensor, probability: float) -> Mixed | None:
    """With a probability, put a rectangle of another picture into each of `x` (N, 3, S, S).

    CutMix (arXiv 1905.04899): one rectangle for the whole batch, with an area uniform between 0 and
    1. Changes `x` in place and uses torch's random state. Returns None if nothing was changed.
    """
    if not probability or torch.rand(()) >= probability:
        return None
    side = x.shape[-1]
    half = side * torch.rand(()).sqrt().item() / 2
    middle = (torch.rand(2) * side).tolist()
    (top, bottom), (left, right) = (
        (max(0, round(at - half)), min(side, round(at + half))) for at in middle
    )
    others = torch.randperm(len(x)).to(x.device)
    x[:, :, top:bottom, left:right] = x[others, :, top:bottom, left:right]
    return Mixed(others, (bottom - top) * (right - left) / side**2)


def head_weights(config: TrainConfig) -> dict[str, float]:
    """Head → the weight of its loss; the paper uses 0.3 for both auxiliary heads (section 5)."""
    return {"main": 1.0, "aux1": config.aux1_weight, "aux2": config.aux2_weight}


def weighted(losses: dict[str, Tensor], config: TrainConfig) -> Tensor:
    """main + aux1's weight · aux1 + aux2's weight · aux2."""
    weights = head_weights(config)
    return torch.stack([weights[head] * loss for head, loss in losses.items()]).sum()


def make_optimiser(model: nn.Module, config: TrainConfig) -> torch.optim.Optimizer:
    """Adam, AdamW, Muon or SGD with momentum; no weight decay on norms and biases."""
    trained = [p for p in model.parameters() if p.requires_grad]
    rate, decay = config.learning_rate, config.weight_decay
    convolutions = [p for p in trained if p.dim() == 4]
    if config.optimiser == "muon" and convolutions:
        trained = [p for p in trained if p.dim() != 4]
    groups = [
        {"params": [p for p in trained if p.dim() > 1], "weight_decay": decay},
        {"params": [p for p in trained if p.dim() <= 1], "weight_decay": 0.0},
    ]
    if config.optimiser == "muon" and convolutions:
        return Muon(convolutions, groups, rate, decay)
    if config.optimiser == "sgd":
        return torch.optim.SGD(groups, lr=rate, momentum=0.9, nesterov=True, fused=True)
    kind = torch.optim.Adam if config.optimiser == "adam" else torch.optim.AdamW
    return kind(groups, lr=rate, fused=True)


def learning_rate(step: int, steps: int, config: TrainConfig) -> float:
    """The learning rate of step `step` (from 0) out of `steps`."""
    high = config.learning_rate
    if config.schedule == "constant":
        return high
    share = (step + 0.5) / steps
    if config.schedule == "cosine":
        return high * 0.5 * (1 + math.cos(math.pi * share))
    if share < WARM_UP:
        return high * (0.04 + 0.96 * 0.5 * (1 - math.cos(math.pi * share / WARM_UP)))
    return high * 0.5 * (1 + math.cos(math.pi * (share - WARM_UP) / (1 - WARM_UP)))


class EmaWeights:
    """The exponential moving average (EMA) of a network's weights and statistics."""

    def __init__(self, model: GoogLeNet, decay: float) -> None:
        self.decay = decay
        self.model = copy.deepcopy(model).requires_grad_(False).eval()

    @torch.no_grad()
    def update(self, model: GoogLeNet, step: int) -> None:
        """Update the average after step `step` (from 0); it follows faster in the first steps."""
        if (step + 1) % EMA_EVERY:
            return
        updates = (step + 1) // EMA_EVERY
        decay = min(self.decay**EMA_EVERY, (1 + updates) / (10 + updates))
        mine, theirs = self.model.state_dict(), model.state_dict()
        for name, value in mine.items():
            if value.is_floating_point():
                value.lerp_(theirs[name], 1 - decay)
            else:
                value.copy_(theirs[name])
