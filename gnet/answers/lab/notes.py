"""What is said where two networks stand side by side: classes, heads, kernels that differ."""

from __future__ import annotations

from collections.abc import Iterable

from gnet.answers.explorer import Explorer
from gnet.answers.networks.facts import is_true_5x5, untrained_heads
from gnet.words import listed


def classes_note(explorers: Iterable[Explorer]) -> str:
    """How many classes both know; empty where they know the same ones."""
    networks = _distinct(explorers)
    if len(networks) < 2:
        return ""
    left, right = networks
    names = [set(one.network["classes"]) for one in networks]
    if names[0] == names[1]:
        return ""
    both = len(names[0] & names[1])
    return (
        f"{_name(left)} knows {len(names[0]):,} classes and {_name(right)} {len(names[1]):,}; "
        f"{both:,} names are the same. A dash: that network does not know the class."
    )


def heads_note(explorers: Iterable[Explorer]) -> str:
    """Which heads are not shown, and why; empty where all are."""
    found = []
    for one in _distinct(explorers):
        if not one.model.config.aux:
            found.append(f"{_name(one)} has no auxiliary heads.")
            continue
        if untrained := untrained_heads(one.model.config, one.model.info):
            verb = "is" if len(untrained) == 1 else "are"
            found.append(f"{listed(untrained)} of {_name(one)} {verb} untrained and not shown.")
    return " ".join(found)


def kernels_note(explorers: Iterable[Explorer]) -> str:
    """Whose 5×5 branch has another kernel; empty where it is what it is called."""
    return " ".join(
        f"The 5×5 branch of {_name(one)} is really {side}×{side}."
        for one in _distinct(explorers)
        if (side := one.model.config.kernel_5x5) and not is_true_5x5(one.model.config)
    )


def _distinct(explorers: Iterable[Explorer]) -> list[Explorer]:
    return list(dict.fromkeys(explorers))


def _name(explorer: Explorer) -> str:
    return explorer.model.info.name
