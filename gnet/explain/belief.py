"""What a recording's heads believe: probabilities, the classes in front, whether they are sure."""

from dataclasses import dataclass, field, replace
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from gnet.errors import GnetError
from gnet.explain.familiarity import familiarity
from gnet.explain.recording import Recording
from gnet.network.config import UNTRAINED
from gnet.network.info import family_shares
from gnet.words import cut, listed, number, rounded_percent

_SURER = 5
"""Points by which an early head is surer than main before it is worth a word."""

_PHRASES = {
    "building or place": "a building or place",
    "clothing": "clothing",
    "food or plant": "food or a plant",
    "music": "a musical instrument",
    "other mammal": "one of the other mammals",
    "sport": "something for sport",
    "tool or household": "a tool or household thing",
}
"""Families that no plain article fits."""


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
    families: dict[str, float] = field(default_factory=dict)
    """Family → the summed probability of its classes, first the likeliest; empty without any."""


@dataclass(frozen=True, kw_only=True)
class Belief:
    """What the heads believe at their depths; an untrained one believes nothing and is left out."""

    heads: dict[str, HeadBelief]
    """Head → belief, from the shallowest to the deepest."""
    untrained: tuple[str, ...]
    """Heads the network has but nobody trained."""
    agree: bool | None
    """Whether all heads put the same class first; None when fewer than two were trained."""


_TOP = 5
"""Classes of each head that are named."""
_known: WeakKeyDictionary[Recording, tuple[int, Belief]] = WeakKeyDictionary()
"""Recording → how many classes of each head are named, and what the heads believe."""


def belief(recording: Recording, *, top: int = _TOP) -> Belief:
    """What the trained heads believe, with the `top` classes of each.

    It is computed once for a recording: one answer asks for it a dozen times.
    """
    known = _known.get(recording)
    if known is None or top > known[0]:
        known = _known[recording] = max(top, _TOP), _belief(recording, max(top, _TOP))
    if top == known[0]:
        return known[1]
    heads = {name: replace(held, top=held.top[:top]) for name, held in known[1].heads.items()}
    return replace(known[1], heads=heads)


def _belief(recording: Recording, top: int) -> Belief:
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
    """The answer of `head` in words, for page and figure."""
    name = "The main classifier" if head == "main" else f"Exit {head}"
    believed = belief(recording, top=1).heads.get(head)
    if believed is None:
        return f"{name} is {UNTRAINED}."
    if believed.sure is False:
        return f"{name} is {answer(recording, believed)}."
    return f"{name} says {answer(recording, believed)}."


def answer(recording: Recording, believed: HeadBelief) -> str:
    """The class a head gives; where it is not certain of it, the family and the likeliest class.

    Such as "shoe, 76 %", "a dog, 86 %; most likely golden retriever, 41 %" or "not sure; …".
    """
    first = believed.top[0]
    chance = believed.probabilities[first]
    named = f"{recording.class_name(first)}, {rounded_percent(chance)}"
    if believed.sure is False:
        return f"not sure; nearest is {named}"
    if believed.certain is not False or not believed.families:
        return named
    family, share = next(iter(believed.families.items()))
    if family != recording.families[first]:
        return f"{some_of(family)}, {rounded_percent(share)}; the likeliest class is {named}"
    if share - chance < 0.005:
        return f"perhaps {named}"
    return f"{some_of(family)}, {rounded_percent(share)}; most likely {named}"


def doubt(recording: Recording, head: str) -> str:
    """Why `head` is not sure, with the numbers it was decided by; empty where it is."""
    believed, sureness = belief(recording, top=1).heads.get(head), recording.sure.get(head)
    if believed is None or sureness is None or believed.sure is not False:
        return ""
    assert believed.familiarity is not None
    show = rounded_percent if sureness.score == "maximum probability" else number
    what = f"The {sureness.score}"
    if sureness.score == "energy of all heads":
        what = "The sum of the heads' energies"
    return (
        f"Perhaps the picture shows no class that {head} knows. {what} is "
        f"{show(believed.familiarity)}, below {show(sureness.threshold)}. So it is for "
        f"{rounded_percent(sureness.false_alarms)} of pictures of known classes and for "
        f"{rounded_percent(sureness.detected)} of others. The percentages only compare the "
        "classes it knows."
    )


def heads_compared(recording: Recording) -> str:
    """Which classes the heads name where they differ; where they agree, which early one is surer.

    Empty for a single head, and where none is clearly surer than main.
    """
    heads = belief(recording, top=1).heads
    if len(heads) < 2:
        return ""
    named: dict[str, list[str]] = {}
    for head, held in heads.items():
        name = "" if held.sure is False else recording.class_name(held.top[0])
        named.setdefault(name, []).append(head)
    if len(named) == 1:
        return _surer(heads)
    unsure = named.pop("", [])
    parts = [
        f"{listed(own)} {'say' if len(own) > 1 else 'says'} {name}" for name, own in named.items()
    ]
    if unsure:
        parts.append(f"{listed(unsure)} {'are' if len(unsure) > 1 else 'is'} not sure")
    return f"{'; '.join(parts)}."


def _surer(heads: dict[str, HeadBelief]) -> str:
    """Which early heads are clearly surer of their class than main is; empty where none is."""
    chances = {head: round(100 * held.probabilities[held.top[0]]) for head, held in heads.items()}
    least = chances.get("main", 100) + _SURER
    early = [head for head, chance in chances.items() if chance >= least]
    if not early:
        return ""
    verb = "are" if len(early) > 1 else "is"
    return (
        f"{listed(early)} {verb} surer than main: each head decides by itself. "
        "Surer does not mean right."
    )


def some_of(family: str) -> str:
    """One thing of a family, such as "a dog"."""
    article = "an" if family[:1].lower() in "aeiou" else "a"
    return _PHRASES.get(family, f"{article} {family}")


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
    values = fractions.tolist()
    order = fractions.argsort(descending=True, stable=True)[:top]
    sure = score >= sureness.threshold if sureness and score is not None else None
    return HeadBelief(
        status=status,
        probabilities=tuple(values),
        entropy=float(-torch.xlogy(fractions, fractions).sum()),
        top=tuple(order.tolist()),
        familiarity=score,
        sure=sure,
        certain=sure and max(values) >= sureness.certain if sureness else None,
        families=family_shares(recording.families, values),
    )
