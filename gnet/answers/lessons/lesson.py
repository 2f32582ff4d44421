"""A lesson as a record: its steps, and the question of each. Knows nothing of files and figures."""

from __future__ import annotations

from dataclasses import dataclass

KINDS = ("choice", "number", "order")
"""How a question is answered: one of several, a number, or all of them in order."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """What a step asks; the answer is a figure of the page as it is, never a constant."""

    kind: str
    """One of `KINDS`."""
    ask: str
    figure: str
    """As `share: 3a, 5x5`: a name in the table of figures, and its places."""
    choices: tuple[str, ...] = ()
    """Those of the figure's own that are offered; empty: all."""
    tolerance: float = 0.0
    """How far from the figure a number may lie, in the figure's unit."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step: what to read, where to look, what to answer."""

    heading: str
    text: str
    """With figures in braces, as `{field: 3a, 5x5}`; a blank line begins a paragraph."""
    go: str = ""
    """The part of an address that puts the page there, as `tab=branches&module=4b`."""
    look: str = ""
    """The drawing that the step speaks of, as `explore/diagram`."""
    hide: tuple[str, ...] = ()
    """Drawings that stay hidden until the question is answered."""
    question: Question | None = None
    after: str = ""
    """What is said once the question is answered, whether rightly or not."""


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """A guided walk through the page."""

    name: str
    """As in the address; the name of its file."""
    title: str
    minutes: int
    intro: str
    steps: tuple[Step, ...]
    place: int = 50
    """Where it stands in the list; those of one place stand by the alphabet."""
