"""Belief at depth over many pictures, as the Depth tab shows it; every figure is measured."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import asdict
from functools import lru_cache
from typing import Any

from gnet.answers.answer import as_data_url
from gnet.answers.explorers import Explorers
from gnet.data.pictures import open_picture
from gnet.evaluation.depth import Depth, Reader
from gnet.evaluation.review import Review
from gnet.network.config import STAGES
from gnet.runs.experiments import EXPERIMENTS
from gnet.serving.reviews import ReviewProgress
from gnet.words import counted, listed, percent, rounded_percent

PAPERS = (
    {
        "source": "Szegedy and others 2014, arXiv 1409.4842, section 5",
        "says": "The two early heads should carry the gradient to the lower modules while the "
        "network learns; afterwards they are thrown away.",
        "here": "early",
    },
    {
        "source": "Szegedy and others 2015, arXiv 1512.00567, section 4",
        "says": "The heads do not make the first epochs faster. Near the end a network with them "
        "gets a little further; the lower one can be left out without harm. They regularise.",
        "here": "heads",
    },
    {
        "source": "BVLC/caffe, pull request 1598",
        "says": "Without batch norm the deep heads may stay at guessing while the first head "
        "learns: 56.2 % for loss1 (aux1), 0.1 % for loss2 (aux2) and loss3 (main).",
        "here": "depth",
    },
)
"""What was published of the early heads, and what stands beside it: a figure or an experiment."""


def look_deep(explorers: Explorers, net: Any) -> dict[str, Any]:
    """The figures of a network, or how far they are, or why there are none; `state` says which."""
    found = explorers.depth(net)
    if isinstance(found, Depth):
        metrics = explorers.find(net).model.info.metrics
        gallery = explorers.gallery(net)
        return {"state": "ready"} | describe_depth(found, gallery, _tiles_of(net), metrics)
    if isinstance(found, ReviewProgress):
        return {"state": found.state, "said": _waiting(found)}
    return {
        "state": "none",
        "said": "Nobody has measured this network on many pictures; "
        "`python -m gnet measure-depth` does it for any data set of its classes.",
    }


def describe_depth(
    depth: Depth,
    gallery: Review | None,
    tiles: str = "",
    metrics: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The figures as plain values with their sentences.

    `gallery` holds the pictures that `depth.gallery` numbers; `tiles` names them in the picture
    input, see `Explorers.resolve`.
    """
    shown = [label for label, course in enumerate(depth.courses) if course is not None]
    return {
        "about": about(depth, metrics or {}),
        "readers": [asdict(reader) for reader in depth.readers],
        "agreement": [[round(share, 4) for share in row] for row in depth.agreement],
        "classes": [
            {
                "name": depth.classes[label],
                "count": depth.counts[label],
                "course": [round(value, 4) for value in depth.courses[label] or ()],
            }
            for label in shown
        ],
        "size": depth.size,
        "costs": {
            head: asdict(cost) | {"counted": counted(cost.macs)}
            for head, cost in depth.costs.items()
        },
        "rules": [_rule(depth, at) for at in range(len(depth.rules))],
        "gallery": _pictures(depth, gallery, tiles),
        "sentences": {
            "accuracy": _unbroken(accuracy_sentence(depth)),
            "agreement": _unbroken(agreement_sentence(depth)),
            "early": early_sentence(depth),
            "exits": _unbroken(exits_sentence(depth)),
        },
        "papers": [paper | {"here": _here(depth, paper["here"])} for paper in PAPERS],
        "learn": learner_text(depth),
    }


def about(depth: Depth, metrics: Mapping[str, Any]) -> str:
    """What the figures were measured on, and main's accuracy where `metrics` has it on more.

    `metrics` are those of the network's weights: "count" pictures, "heads" with their "top1".
    """
    whole = metrics.get("count", 0)
    main = metrics.get("heads", {}).get("main", {}).get("top1")
    part = whole > depth.count and main is not None
    first = f"{depth.count:,} of the {whole:,}" if part else f"{depth.count:,}"
    said = (
        f"All figures here are of {first} validation pictures of {depth.data}, {depth.size} px; "
        "the network was not trained on them."
    )
    if not part:
        return said
    here = f"here {percent(_of(depth, 'main').top1)}" if "main" in depth.heads else ""
    also = f"On all {whole:,} main is right for {percent(main)}"
    return _unbroken(f"{said} {also}{here and f', {here}'}.")


def accuracy_sentence(depth: Depth) -> str:
    """Where the network learns most of what it knows, from probe to probe and head to head."""
    probes = [reader for reader in depth.readers if reader.name in STAGES]
    heads = [reader for reader in depth.readers if reader.name not in STAGES]
    said = listed(f"{head.name} in {100 * head.top1:.0f}" for head in heads)
    first = f"On these {depth.count:,} pictures the heads are right: {said} of 100."
    first = first if heads else ""
    if len(probes) < 2:
        return first
    step = max(itertools.pairwise(probes), key=lambda pair: pair[1].top1 - pair[0].top1)
    gained = step[1].top1 - step[0].top1
    return (
        f"{first} The probe at {probes[0].name} gets {100 * probes[0].top1:.0f} right, that at "
        f"{probes[-1].name} {100 * probes[-1].top1:.0f}; the largest step, {100 * gained:.1f} "
        f"points, is from {step[0].name} to {step[1].name}."
    ).strip()


def agreement_sentence(depth: Depth) -> str:
    """How often the early heads say what the main head says."""
    place = {reader.name: at for at, reader in enumerate(depth.readers)}
    early = [head for head in depth.heads if head != "main"]
    if "main" not in place or not early:
        return ""
    shares = (
        f"{head} to {rounded_percent(depth.agreement[place[head]][place['main']])} of the pictures"
        for head in early
    )
    return f"Main's first class is also given by {listed(shares)}."


def early_sentence(depth: Depth) -> str:
    """How often more depth makes a right answer wrong, and how often the other way round."""
    if not depth.earlier:
        return "There is no trained early head to compare the main head with."
    return " ".join(
        f"On {count:,} of {depth.count:,} pictures {head} is right where main is wrong; on "
        f"{depth.later[head]:,} it is the other way round."
        for head, count in depth.earlier.items()
    )


def exits_sentence(depth: Depth) -> str:
    """What leaving early saves at the threshold that costs at most half a point of accuracy."""
    if not depth.rules:
        return "Leaving early needs a trained early head."
    whole = depth.rules[-1]
    kept = [rule for rule in depth.rules if rule.top1 >= whole.top1 - 0.005]
    cheapest = min(kept, key=lambda rule: rule.macs)
    main = depth.costs[depth.heads[-1]]
    saved, threads = 1 - cheapest.macs / main.macs, depth.machine["threads"]
    if saved <= 0:
        return "No threshold saves multiply-adds without losing more than half a point."
    return (
        f"Of the thresholds that cost at most half a point, {rounded_percent(cheapest.threshold)} "
        f"saves most: a picture takes {percent(saved)} fewer multiply-adds on average than with "
        "main alone, and "
        f"{percent(cheapest.top1)} of these {depth.count:,} are right (main alone: "
        f"{percent(_of(depth, 'main').top1)}). The threshold was chosen on them, too, "
        "which flatters it. Milliseconds: on "
        f"{threads} {'thread' if threads == 1 else 'threads'} of the machine that measured them."
    )


def learner_text(depth: Depth) -> dict[str, str]:
    """What a learner sees here, can try, and cannot conclude."""
    probes = [reader for reader in depth.readers if reader.name in STAGES]
    spread = (
        f"from {percent(probes[0].top1)} at {probes[0].name} to {percent(probes[-1].top1)} at "
        f"{probes[-1].name}"
        if probes
        else "for the heads alone"
    )
    return {
        "see": f"How often each depth of the network is right on {depth.count:,} pictures: "
        f"{spread}. A probe is one linear layer that was fitted later and changed nothing.",
        "try": "Choose a class whose line rises late and think about what it needs that others do "
        "not. Then move the threshold until half of the pictures leave at the first head.",
        "limits": "A probe reads the mean of each channel, so it misses where things are; the "
        "network may know more than its probe says. The milliseconds hold for one machine.",
    }


def _here(depth: Depth, what: str) -> dict[str, str]:
    """What stands beside a published finding: a figure measured here, or an experiment to run."""
    if what != "early":
        return {"experiment": EXPERIMENTS[what].title}
    early = [head for head in depth.heads if head != "main"]
    if not early:
        return {"said": "This network has no trained early head."}
    whole = depth.costs[depth.heads[-1]].macs
    said = (
        f"{head} alone is right for {percent(_of(depth, head).top1)} with "
        f"{rounded_percent(depth.costs[head].macs / whole)} of main's multiply-adds at "
        f"{depth.size} px"
        for head in early
    )
    return {"said": _unbroken(f"Here {listed(said)}: worth keeping where time is short.")}


def _unbroken(sentence: str) -> str:
    """The same with numbers that stay beside their %."""
    return sentence.replace(" %", "\u00a0%")


def _of(depth: Depth, name: str) -> Reader:
    return next(reader for reader in depth.readers if reader.name == name)


def _rule(depth: Depth, at: int) -> dict[str, Any]:
    rule = depth.rules[at]
    main = depth.costs[depth.heads[-1]]
    return {
        "threshold": rule.threshold,
        "top1": round(rule.top1, 5),
        "macs": round(rule.macs),
        "counted": counted(rule.macs),
        "milliseconds": round(rule.milliseconds, 3),
        "saved": round(1 - rule.macs / main.macs, 4),
        "leaving": [round(share, 4) for share in rule.leaving.values()],
    }


def _pictures(depth: Depth, gallery: Review | None, tiles: str) -> list[dict[str, Any]]:
    if gallery is None:
        return []
    return [
        gallery.answer(at)
        | {
            "truth": gallery.classes[int(gallery.labels[at])],
            "said": {
                head: f"{gallery.classes[int(answers.first[at])]}, "
                + _unbroken(rounded_percent(float(answers.confidence[at])))
                for head, answers in gallery.heads.items()
            },
            "src": _source(gallery.pictures[at]),
            "tile": f"{tiles}.{at}",
        }
        for at in depth.gallery
        if at < len(gallery)
    ]


@lru_cache(maxsize=128)
def _source(content: bytes) -> str:
    """A picture of the gallery as the page's images take it."""
    return as_data_url(open_picture(content))


def _tiles_of(net: Any) -> str:
    return str(net) if net else "everyday"


def _waiting(progress: ReviewProgress) -> str:
    if progress.state == "failed":
        return f"It could not be measured. {progress.message}"
    if progress.state == "looking" and progress.total:
        share = rounded_percent(progress.done / progress.total)
        return f"Its validation pictures are read at every depth: {share} of this step."
    return "Its validation pictures are read at every depth soon."
