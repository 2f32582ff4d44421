"""A lesson's figures of the picture shown: what its branches do, what its heads believe."""

from __future__ import annotations

from gnet.answers.lab.rounds import deepest_answer, falls_of
from gnet.answers.lessons.found import Number, Ranking, Scene
from gnet.errors import GnetError
from gnet.explain.ablation import OFF
from gnet.explain.belief import HeadBelief, belief, probabilities, trained_head
from gnet.explain.branches import LABELS, BranchStatistics, statistics
from gnet.explain.probes import course
from gnet.network.config import BRANCHES, STAGES
from gnet.network.receptive_field import Field

NEVER = "never"
YES_NO = {"yes": "Yes", "no": "No"}


def share(scene: Scene, stage: str, branch: str) -> Number:
    return Number(value=100 * _statistics(scene, stage)[branch].share, unit="%")


def silent(scene: Scene, stage: str, branch: str) -> Number:
    zeros = _statistics(scene, stage)[branch].sparsity
    if zeros is None:
        raise GnetError(
            f"No ReLU cuts the branches of {stage} in this network, so none is cut to 0."
        )
    return Number(value=100 * zeros, unit="%")


def busiest(scene: Scene, stage: str) -> Ranking:
    found = _statistics(scene, stage)
    return _branches({branch: 100 * one.share for branch, one in found.items()}, "%")


def strongest(scene: Scene, stage: str) -> Ranking:
    found = _statistics(scene, stage)
    return _branches({branch: one.mean for branch, one in found.items()}, "")


def field(scene: Scene, stage: str, branch: str) -> Number:
    return Number(value=_field(scene, stage, branch).size, unit="px")


def felt(scene: Scene, stage: str, branch: str) -> Number:
    sides = scene.explorer.measure(scene.chosen, stage, scene.key)["sides"]
    return Number(value=sides[branch], unit="px")


def widest(scene: Scene, stage: str) -> Ranking:
    return _branches({b: _field(scene, stage, b).size for b in BRANCHES}, "px")


def coarsest(scene: Scene, stage: str) -> Ranking:
    """Branches by the period of the stripes they answer most; without those that like no scale."""
    scales = scene.explorer.scales
    peaks = {b: c.peak for b, c in scales.curves(stage).items() if c.peak is not None}
    if not peaks:
        raise GnetError(f"No branch of {stage} prefers a scale in this network.")
    return _branches({branch: scales.periods[peak] for branch, peak in peaks.items()}, "px")


def chance(scene: Scene, head: str) -> Number:
    held = _held(scene, head)
    return Number(value=100 * held.probabilities[held.top[0]], unit="%")


def entropy(scene: Scene, head: str) -> Number:
    return Number(value=_held(scene, head).entropy, unit="nats")


def answer(scene: Scene, head: str) -> Ranking:
    held = _held(scene, head)
    return _classes(scene, {str(i): 100 * held.probabilities[i] for i in held.top[:4]})


def agree(scene: Scene) -> Ranking:
    found = belief(scene.kept.recording, top=1).agree
    if found is None:
        raise GnetError("Fewer than two heads of this network are trained, so none can disagree.")
    return Ranking(names=YES_NO, values={"yes": float(found), "no": float(not found)}, unit="yes")


def surest(scene: Scene) -> Ranking:
    held = _heads(scene)
    values = {head: 100 * one.probabilities[one.top[0]] for head, one in held.items()}
    return Ranking(names={head: head for head in held}, values=values, unit="%")


def settled(scene: Scene) -> Ranking:
    probes = scene.explorer.probes
    if probes is None:
        raise GnetError("There are no probes for this network; choose the bundled one.")
    names = {stage: stage for stage in STAGES} | {NEVER: "at none of them"}
    found = course(probes, scene.kept.recording, top=1).settled or NEVER
    return Ranking(names=names, values={one: float(one == found) for one in names}, unit="yes")


def fall(scene: Scene, stage: str, branch: str) -> Number:
    return Number(value=100 * _falls(scene).get((stage, branch), 0.0), unit="points")


def left(scene: Scene, stage: str, branch: str) -> Number:
    head, _ = deepest_answer(scene.kept)
    return Number(value=chance(scene, head).value - fall(scene, stage, branch).value, unit="%")


def needed(scene: Scene, stage: str) -> Ranking:
    falls = _falls(scene)
    return _branches({b: 100 * falls.get((stage, b), 0.0) for b in BRANCHES}, "points")


def needed_module(scene: Scene) -> Ranking:
    falls = _falls(scene)
    most = {s: 100 * max(falls.get((s, b), 0.0) for b in BRANCHES) for s in STAGES}
    return Ranking(names={stage: stage for stage in STAGES}, values=most, unit="points")


def without(scene: Scene, stage: str, branch: str) -> Ranking:
    """The classes in front with a branch off, the answer with every branch on among them."""
    head, _ = deepest_answer(scene.kept)
    recording = scene.kept.recording
    logits = scene.explorer.worth_of(scene.kept).logits[OFF][stage, branch].get(head)
    if logits is None:
        raise GnetError(f"{head} does not read module {stage}, so nothing of it can be missed.")
    temperature = recording.temperatures.get(head, 1.0)
    after = probabilities(logits, recording.rectified, temperature)
    first = after.argsort(descending=True, stable=True)[:4].tolist()
    before = _held(scene, head).top[0]
    return _classes(scene, {str(i): 100 * float(after[i]) for i in dict.fromkeys([*first, before])})


def spare(scene: Scene) -> Number:
    """How many branches may be off, one at a time, with the same class in front."""
    head, _ = deepest_answer(scene.kept)
    target = _held(scene, head).top[0]
    every = scene.explorer.worth_of(scene.kept).logits[OFF].values()
    same = sum(head not in heads or int(heads[head].argmax()) == target for heads in every)
    return Number(value=same, unit="branches")


def _statistics(scene: Scene, stage: str) -> dict[str, BranchStatistics]:
    return statistics(scene.kept.recording, stage)


def _field(scene: Scene, stage: str, branch: str) -> Field:
    return scene.kept.recording.fields[stage][branch]


def _held(scene: Scene, head: str) -> HeadBelief:
    return trained_head(scene.kept.recording, head)


def _heads(scene: Scene) -> dict[str, HeadBelief]:
    held = belief(scene.kept.recording, top=1).heads
    if len(held) < 2:
        raise GnetError("Fewer than two heads of this network are trained; there is no comparing.")
    return held


def _falls(scene: Scene) -> dict[tuple[str, str], float]:
    head, _ = deepest_answer(scene.kept)
    return falls_of(scene.explorer, scene.kept, head)


def _branches(values: dict[str, float], unit: str) -> Ranking:
    return Ranking(names={branch: LABELS[branch] for branch in values}, values=values, unit=unit)


def _classes(scene: Scene, values: dict[str, float]) -> Ranking:
    """Classes by number → percent, offered by the alphabet."""
    names = {one: scene.kept.recording.class_name(int(one)) for one in values}
    ordered = dict(sorted(names.items(), key=lambda pair: pair[1]))
    return Ranking(names=ordered, values=values, unit="%")
