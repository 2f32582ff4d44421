"""The views of a picture as exports: records in, numbers and figures out."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from gnet.answers.depths.course import story
from gnet.answers.exports.export import Export
from gnet.explain.ablation import MEAN, OFF, Switches, branch_name, switched_words
from gnet.explain.account import Account
from gnet.explain.attribution.all_branches import GradCams
from gnet.explain.attribution.attribute import Attribution
from gnet.explain.attribution.curves import Curves
from gnet.explain.attribution.methods import METHODS, PICTURE
from gnet.explain.belief import belief
from gnet.explain.branches import channel_words, mean_map, statistics
from gnet.explain.probes import Probes, course
from gnet.explain.recording import Recording
from gnet.explain.worth import Worth
from gnet.figures.branches import account_figure, worth_figure
from gnet.figures.channel import channel_figure
from gnet.figures.depths import depth_figure, heads_figure
from gnet.figures.exploring import check_stage, explore_figure, overview_figure
from gnet.figures.reasons import attribution_figure, cams_figure
from gnet.network.config import BRANCHES, EXITS, STAGES

NONE: Switches = {}


def export_module(recording: Recording, stage: str, switches: Switches = NONE) -> Export:
    """The four branches of a module: shares, means, silence and the range of the mean maps."""
    check_stage(stage)
    maps = {branch: mean_map(recording, stage, branch) for branch in recording.branches[stage]}
    return Export(
        name=f"module-{stage}",
        about=_switched(switches) | {"maps": {b: _table(values) for b, values in maps.items()}},
        rows=_marked(_branch_rows(recording, stage), switches),
        figure=lambda: explore_figure(recording, stage, switched=switched_words(switches)),
    )


def export_overview(recording: Recording, switches: Switches = NONE) -> Export:
    """All 36 branches: the share of its module's activity each carries."""
    rows = [row for stage in STAGES for row in _branch_rows(recording, stage)]
    return Export(
        name="overview",
        about=_switched(switches),
        rows=_marked(rows, switches),
        figure=lambda: overview_figure(recording, switched=switched_words(switches)),
    )


def export_heads(recording: Recording, switches: Switches = NONE, top: int = 5) -> Export:
    """The first classes of each trained head."""
    rows = [
        {
            "head": head,
            "rank": rank + 1,
            "class": recording.class_name(index),
            "probability": held.probabilities[index],
            "entropy_nats": held.entropy,
            "sure": held.sure,
            "trained": held.status,
        }
        for head, held in belief(recording, top=top).heads.items()
        for rank, index in enumerate(held.top)
    ]
    return Export(
        name="heads",
        about=_switched(switches),
        rows=_marked(rows, switches),
        figure=lambda: heads_figure(recording, top=top, switched=switched_words(switches)),
    )


def export_depth(
    recording: Recording, probes: Probes | None, target: int, switches: Switches = NONE
) -> Export:
    """One class from depth to depth: what probes and heads make of it."""
    taken = course(probes, recording) if probes else None
    words = story(taken, recording, target)
    heads = belief(recording, top=1).heads
    readers: list[tuple[str, str, Any]] = []
    for stage in STAGES:
        if taken and stage in taken.readings:
            readers.append((stage, "probe", taken.readings[stage]))
        readers += [(stage, head, held) for head, held in heads.items() if EXITS[head] == stage]
    rows = [
        {
            "module": stage,
            "reader": reader,
            "class": recording.class_name(target),
            "probability": read.probabilities[target],
            "first_class": recording.class_name(read.top[0]),
            "first_probability": read.probabilities[read.top[0]],
            "entropy_nats": read.entropy,
        }
        for stage, reader, read in readers
    ]
    return Export(
        name="depth",
        about=_switched(switches) | {"story": words},
        rows=_marked(rows, switches),
        figure=lambda: depth_figure(
            recording, taken, target, words=words, switched=switched_words(switches)
        ),
    )


def export_channel(
    recording: Recording, stage: str, branch: str, channel: int, patches: Sequence[Tensor] = ()
) -> Export:
    """One channel's map, a row for each cell; `patches` stand in the figure."""
    values = recording.branches[stage][branch][channel]
    return Export(
        name=f"channel-{stage}-{branch}-{channel}",
        about={
            "channel": f"{stage}, {channel_words(recording, stage, branch, channel)}",
            "min": float(values.min()),
            "max": float(values.max()),
            "mean": float(values.mean()),
        },
        rows=_cells(values),
        figure=lambda: channel_figure(recording, stage, branch, channel, patches),
    )


def export_map(worth: Worth, head: str, target: int) -> Export:
    """What each of the 36 branches is worth for a class of a head."""
    maps = {setting: worth.values(head, target, setting) for setting in worth.logits}
    rows = []
    for branch in maps[OFF]:
        row: dict[str, Any] = {"branch": branch_name(branch)}
        for setting, values in maps.items():
            kind, value = MEAN if setting == MEAN else "off", values[branch]
            row[f"{kind}_logit"] = value and value.logit
            row[f"{kind}_probability"] = value and value.probability
        rows.append(row)
    return Export(
        name="map",
        about={
            "head": head,
            "class": worth.recording.class_name(target),
            "reference": worth.reference,
        },
        rows=rows,
        figure=lambda: worth_figure(worth, head, target),
    )


def export_account(account: Account) -> Export:
    """What each branch carries of a class's logit, and the error of its module's sum."""
    return Export(
        name="account",
        about={
            "head": account.head,
            "class": account.target_name,
            "logit_of_plain_picture": account.baseline_score,
            "logit": account.score,
            "steps": account.steps,
        },
        rows=[
            {
                "branch": branch_name(branch),
                "logit": value,
                "error_of_module": account.errors[branch[0]],
            }
            for branch, value in account.values.items()
        ],
        figure=lambda: account_figure(account),
    )


def export_why(
    attribution: Attribution,
    pixels: Tensor,
    curves: Curves | None = None,
    limit: float | None = None,
) -> Export:
    """An attribution map, a row for each pixel or branch.

    Method, options, class, head, range and finding stand in the JSON, and so do the map's `curves`
    and the `limit` of its scale, where they are given.
    """
    rows = _cells(attribution.map)
    if METHODS[attribution.method].about != PICTURE:
        rows = [
            {"branch": f"{STAGES[row['row']]}/{BRANCHES[row['column']]}", "value": row["value"]}
            for row in rows
        ]
    return Export(
        name="-".join(
            ["why", attribution.method, *filter(None, (attribution.stage, attribution.branch))]
            + [attribution.target_name]
            + ([attribution.head] if attribution.head != "main" else [])
        ),
        about=attribution.to_json()
        | ({"curves": curves.to_json()} if curves else {})
        | ({"scale_limit": limit} if limit else {}),
        rows=rows,
        figure=lambda: attribution_figure(attribution, pixels, curves, limit),
    )


def export_cams(found: GradCams, recording: Recording) -> Export:
    """The Grad-CAM of each branch, a row for each cell; those of a module have one scale."""
    rows = [
        {"branch": branch_name(place)} | row
        for place, values in found.maps.items()
        for row in _cells(values)
    ]
    return Export(
        name="-".join(
            ["grad-cam-all", found.target_name] + [found.head] * (found.head != "main"),
        ),
        about={
            "head": found.head,
            "class": found.target_name,
            "limits": found.limits,
            "sentence": found.sentence,
        },
        rows=rows,
        figure=lambda: cams_figure(found, recording),
    )


def _branch_rows(recording: Recording, stage: str) -> list[dict[str, Any]]:
    rows = []
    for branch, numbers in statistics(recording, stage).items():
        values = mean_map(recording, stage, branch)
        rows.append(
            {
                "module": stage,
                "branch": branch,
                "channels": numbers.channels,
                "share": numbers.share,
                "mean": numbers.mean,
                "silent": numbers.sparsity,
                "map_min": float(values.min()),
                "map_max": float(values.max()),
                "cell_sees_px": recording.fields[stage][branch].size,
            }
        )
    return rows


def _switched(switches: Switches) -> dict[str, Any]:
    return {"switches": {branch_name(branch): setting for branch, setting in switches.items()}}


def _marked(rows: list[dict[str, Any]], switches: Switches) -> list[dict[str, Any]]:
    """The rows; where branches are switched, each says which."""
    if not switches:
        return rows
    words = " ".join(f"{name}={value}" for name, value in _switched(switches)["switches"].items())
    return [row | {"switches": words} for row in rows]


def _cells(values: Tensor) -> list[dict[str, Any]]:
    return [
        {"row": row, "column": column, "value": value}
        for row, line in enumerate(values.tolist())
        for column, value in enumerate(line)
    ]


def _table(values: Tensor) -> list[list[float]]:
    return values.tolist()
