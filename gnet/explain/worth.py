"""What each of the 36 branches is worth for one picture: how far an answer falls without it.

A map of single switches. It equals 36 whole forwards with a branch replaced, and costs a fraction:
each module adds its variants, made from its recorded output, to one batch that runs on to the end.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gnet.errors import GnetError
from gnet.explain.ablation import MEAN, OFF, Branch, Setting, as_given, replaced
from gnet.explain.belief import probabilities
from gnet.explain.means import Means
from gnet.explain.recording import Recording
from gnet.inference.forward import as_kept
from gnet.network.config import BRANCHES, EXITS, STAGES
from gnet.network.hooks import evaluating
from gnet.network.model import GoogLeNet
from gnet.words import listed


@dataclass(frozen=True, kw_only=True)
class Value:
    """A branch's worth for one class of one head: before minus after, so that help is positive."""

    logit: float
    probability: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Worth:
    """The heads' logits with each branch replaced, one at a time."""

    recording: Recording
    logits: dict[Setting, dict[Branch, dict[str, Tensor]]]
    """What the branch is set to → branch → head that it reaches → (classes,)."""
    reference: str
    """What the means were taken over; empty without means."""

    def values(self, head: str, target: int, setting: Setting = OFF) -> dict[Branch, Value | None]:
        """Each branch's worth for a class; None where the head does not read the branch.

        Raises `GnetError` for a head that the network lacks.
        """
        if head not in self.recording.logits:
            raise GnetError(
                f"There is no head {head!r}; there are {listed(self.recording.logits)}."
            )
        before = self._answer(self.recording.logits[head], head, target)
        found: dict[Branch, Value | None] = {}
        for branch, logits in self.logits[setting].items():
            found[branch] = None
            if head in logits:
                after = self._answer(logits[head], head, target)
                found[branch] = Value(logit=before[0] - after[0], probability=before[1] - after[1])
        return found

    def _answer(self, logits: Tensor, head: str, target: int) -> tuple[float, float]:
        """The class's logit and its probability."""
        temperature = self.recording.temperatures.get(head, 1.0)
        fractions = probabilities(logits, self.recording.rectified, temperature)
        return float(logits[target]), float(fractions[target])


def branch_worth(model: GoogLeNet, recording: Recording, means: Means | None = None) -> Worth:
    """Switch each branch off, and to its mean if `means` are given; one at a time.

    `recording` is of this `model`.
    """
    settings: list[Setting] = [OFF] if means is None else [OFF, MEAN]
    logits: dict[Setting, dict[Branch, dict[str, Tensor]]] = {setting: {} for setting in settings}
    variants: list[tuple[Setting, Branch]] = []
    x = torch.empty(0)
    with evaluating(model), torch.no_grad():
        for layer in model.trunk():
            if variants:
                x = layer.module(x)  # (variants so far, C, h, w)
            if layer.stage not in STAGES:
                continue
            stage = layer.stage
            own: list[tuple[Setting, Branch]] = [
                (s, (stage, b)) for s in settings for b in BRANCHES
            ]
            output = as_given(model, recording, stage)
            made = [replaced(output, model, stage, {b: s}, means) for s, b in own]
            x = _stacked([x, *made] if variants else made)
            variants += own
            for head in (head for head in recording.logits if EXITS[head] == stage):
                for (s, b), values in zip(variants, as_kept(model.head(head, x)), strict=True):
                    logits[s].setdefault(b, {})[head] = values
            for s, b in own:
                logits[s].setdefault(b, {})
    return Worth(recording=recording, logits=logits, reference=means.reference if means else "")


def _stacked(parts: list[Tensor]) -> Tensor:
    """Maps (n, C, h, w) one after the other, channels-last; `cat` loses that for single maps."""
    count = sum(map(len, parts))
    whole = torch.empty(
        (count, *parts[0].shape[1:]),
        dtype=parts[0].dtype,
        device=parts[0].device,
        memory_format=torch.channels_last,
    )
    start = 0
    for part in parts:
        whole[start : start + len(part)] = part
        start += len(part)
    return whole
