"""The tools' answers: what the page shows in maps and bars, as a few lines of text."""

from __future__ import annotations

from typing import Any

from gnet.answers import examples
from gnet.answers.explorer import Chosen, Explorer
from gnet.answers.tools.given import picture
from gnet.explain.branches import LABELS
from gnet.network.config import BRANCHES, STAGES
from gnet.words import fixed, rounded_percent

MOST_CLASSES = 200
"""Class names in one answer."""
_FIRST, _WEIGHED = 5, 6
"""Classes of a head and branches at each end that are named."""


def list_examples(_: Explorer) -> str:
    """The examples' names, and what each shows."""
    return "\n".join(
        f"{name}: {example.words} ({example.group})" for name, example in examples.EXAMPLES.items()
    )


def list_classes(explorer: Explorer, contains: str | None) -> str:
    """The classes the network knows, with the family of each where it has families."""
    network = explorer.network
    names, families = network["classes"], network["families"]
    part = (contains or "").casefold()
    found = [index for index, name in enumerate(names) if part in name.casefold()]
    if not found:
        return network["no_class"].format(given=contains)
    of_each = explorer.model.info.families
    lines = [
        f"{names[index]} ({of_each[index]})" if families else names[index]
        for index in found[:MOST_CLASSES]
    ]
    rest = len(found) - len(lines)
    return "\n".join([*lines, *([f"… and {rest} more; ask with contains."] if rest else [])])


def look_at_picture(explorer: Explorer, example: str | None, content: str | None) -> str:
    """What the three heads believe of a picture."""
    answer = _explored(explorer, picture(example, content))
    lines = []
    for head, believed in answer["heads"].items():
        lines.append(believed["sentence"])
        if believed.get("doubt"):
            lines.append(believed["doubt"])
        if believed.get("top"):
            lines.append(f"{head}, likeliest: {_likeliest(explorer, believed)}.")
    if answer["compared"]:
        lines.append(answer["compared"])
    if answer.get("verdict"):
        lines.append(answer["verdict"]["sentence"])
    return "\n".join(lines)


def list_branch_shares(
    explorer: Explorer, example: str | None, content: str | None, module: str | None
) -> str:
    """How the activity of each module divides between its four branches."""
    stages = _explored(explorer, picture(example, content))["stages"]
    lines = []
    for stage in [module] if module else STAGES:
        branches = stages[stage]["branches"]
        shares = [
            f"{LABELS[branch]} {rounded_percent(branches[branch]['share'])} "
            f"({branches[branch]['channels']} channels)"
            for branch in BRANCHES
            if branch in branches
        ]
        lines.append(f"{stage}: {', '.join(shares)}")
    if module:
        lines.append(stages[module]["sentence"])
    return "\n".join(lines)


def switch_branches(
    explorer: Explorer, switches: dict[str, Any], example: str | None, content: str | None
) -> str:
    """What the heads believe with branches off, at their mean or scaled, and what changed."""
    answer = explorer.ablate(picture(example, content), switches)
    switched = answer["switched"]
    lines = [switched["sentence"], switched["most"], *switched["changes"]]
    lines += [
        f"{head} now: {_likeliest(explorer, believed)}."
        for head, believed in answer["heads"].items()
        if believed.get("top") and head in switched["reached"]
    ]
    return "\n".join(line for line in lines if line)


def weigh_branches(
    explorer: Explorer,
    class_name: str,
    head: str | None,
    example: str | None,
    content: str | None,
) -> str:
    """Which branches a class needs: how far its logit falls without each of them."""
    worth = explorer.worth(picture(example, content), head or "main", class_name)
    falls = {branch: values["off"] for branch, values in worth["branches"].items() if values["off"]}
    ordered = sorted(falls, key=lambda branch: -falls[branch]["logit"])
    helps = [branch for branch in ordered if falls[branch]["logit"] > 0][:_WEIGHED]
    against = [branch for branch in reversed(ordered) if falls[branch]["logit"] < 0][:_WEIGHED]
    lines = [worth["sentence"]]
    for words, branches in (("The logit falls without", helps), ("It rises without", against)):
        named = [f"{branch} (by {fixed(abs(falls[branch]['logit']))})" for branch in branches]
        if named:
            lines.append(f"{words} {', '.join(named)}.")
    return "\n".join(lines)


def _explored(explorer: Explorer, chosen: Chosen) -> dict[str, Any]:
    if chosen.example:
        return examples.answer(explorer, chosen.example)
    return explorer.explore(chosen)


def _likeliest(explorer: Explorer, believed: dict[str, Any]) -> str:
    classes = explorer.network["classes"]
    return ", ".join(
        f"{classes[index]} {rounded_percent(believed['probabilities'][index])}"
        for index in believed["top"][:_FIRST]
    )
