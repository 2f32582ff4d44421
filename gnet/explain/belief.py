"""What a recording's heads believe: probabilities, the classes in front, whether they are sure."""

from dataclasses import dataclass

import torch
from torch import Tensor

from gnet.errors import GnetError
from gnet.explain.familiarity import familiarity
from gnet.explain.recording import Recording
from gnet.network.config import UNTRAINED
from gnet.words import cut, listed, rounded_percent


@dataclass(frozen=True, kw_only=True)
class HeadBelief:
    """What one head believes."""

    status: str
    """How the head was trained, as in `ModelInfo`."""
    probabilities: tuple[float, ...]
    """One fraction per class."""
    entropy: float
    """In nats: 0 for certainty, ln(classes) for no idea."""
    top: tuple[int, ...]
    """The most probable classes, first the most probable."""
    familiarity: float | None
    """The score that decides `sure`; None where no threshold was measured."""
    sure: bool | None
    """Whether that score reaches the threshold; if not, `top` are merely the nearest classes."""
    certain: bool | None = None
    """Whether it is sure of the class itself; if not, of its family at most."""


@dataclass(frozen=True, kw_only=True)
class Belief:
    """What the heads believe at their depths; an untrained one believes nothing and is left out."""

    heads: dict[str, HeadBelief]
    """Head → belief, from the shallowest to the deepest."""
    untrained: tuple[str, ...]
    """Heads the network has but nobody trained."""
    agree: bool | None
    """Whether all heads put the same class first; None when fewer than two were trained."""


def belief(recording: Recording, *, top: int = 5) -> Belief:
    """What the trained heads believe, with the `top` classes of each."""
    heads: dict[str, HeadBelief] = {}
    untrained = []
    for head in recording.logits:
        status = recording.heads.get(head, UNTRAINED)
        if status == UNTRAINED:
            untrained.append(head)
        else:
            heads[head] = _believed(recording, head, status, top)
    first = {believed.top[0] for believed in heads.values()}
    return Belief(
        heads=heads,
        untrained=tuple(untrained),
        agree=len(first) == 1 if len(heads) > 1 else None,
    )


def trained_head(recording: Recording, head: str) -> HeadBelief:
    """What `head` believes; raises `GnetError` for a head that is not there or is untrained."""
    held = belief(recording).heads
    if head not in held:
        raise GnetError(
            f"The head is {cut(head)}; trained heads here are {listed(held) or 'none'}."
        )
    return held[head]


def sentence(recording: Recording, head: str) -> str:
    """The first class of `head` in words, for page and figure."""
    name = "The main classifier" if head == "main" else f"Exit {head}"
    believed = belief(recording, top=1).heads.get(head)
    if believed is None:
        return f"{name} is {UNTRAINED}."
    first = believed.top[0]
    says = "is not sure; nearest is" if believed.sure is False else "says"
    chance = rounded_percent(believed.probabilities[first])
    return f"{name} {says} {recording.class_name(first)}, {chance}."


def probabilities(logits: Tensor, rectified: bool = False, temperature: float = 1.0) -> Tensor:
    """Logits (…, classes) as fractions that sum to 1, in double precision.

    Softmax of the logits divided by `temperature`; for rectified outputs the values themselves, cut
    to [1e-7, 1 − 1e-7] and divided by their sum, which is how a loss that expects probabilities
    reads them.
    """
    values = logits.double()
    if not rectified:
        return (values / temperature).softmax(-1)
    values = values.clamp(1e-7, 1 - 1e-7)
    return values / values.sum(-1, keepdim=True)


def _believed(recording: Recording, head: str, status: str, top: int) -> HeadBelief:
    temperature, sureness = recording.temperatures.get(head, 1.0), recording.sure.get(head)
    fractions = probabilities(recording.logits[head], recording.rectified, temperature)
    trained = {h: z for h, z in recording.logits.items() if recording.heads.get(h) != UNTRAINED}
    score = float(familiarity(sureness.score, trained, head, temperature)) if sureness else None
    order = fractions.argsort(descending=True, stable=True)[:top]
    sure = score >= sureness.threshold if sureness and score is not None else None
    return HeadBelief(
        status=status,
        probabilities=tuple(fractions.tolist()),
        entropy=float(-torch.xlogy(fractions, fractions).sum()),
        top=tuple(order.tolist()),
        familiarity=score,
        sure=sure,
        certain=sure and float(fractions.max()) >= sureness.certain if sureness else None,
    )
