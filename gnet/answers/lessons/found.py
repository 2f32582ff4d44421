"""What a lesson's figures are computed from, and the two forms they have: number and ranking."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gnet.answers.explorer import Chosen, Explorer
from gnet.answers.recordings import Kept
from gnet.serving.shelf import RunShelf
from gnet.words import listed, number, rounded_percent

_ONE = {
    "branches": "branch",
    "cells": "cell",
    "channels": "channel",
    "classes": "class",
    "points": "point",
}
"""Units that are counted, and what one of them is called."""


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What a learner has before them: a picture, the network that sees it, and their runs."""

    explorer: Explorer
    chosen: Chosen
    key: str
    """Of the picture's answer."""
    kept: Kept
    runs: RunShelf | None = None
    owner: str = ""
    """The token of the learner's browser, which their runs belong to."""


@dataclass(frozen=True, kw_only=True)
class Number:
    """A figure that is one number."""

    value: float
    unit: str = ""
    """`%`, `points`, `px`, `nats`, or what is counted."""

    @property
    def words(self) -> str:
        """As people read it, such as `12 %` or `0.93 nats`."""
        if self.unit == "%":
            return rounded_percent(self.value / 100).replace(" ", "\u00a0")
        digits = self._digits()
        unit = _ONE.get(self.unit, self.unit) if digits == "1" else self.unit
        return f"{digits}\u00a0{unit}" if unit else digits

    def _digits(self) -> str:
        if self.unit == "points":
            return f"{self.value:.{int(abs(self.value) < 0.995)}f}".replace("-", "−")
        return number(self.value)


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """A figure that sets several things in order: each has a value, the largest comes first."""

    names: Mapping[str, str]
    """Id → name, in the order they are offered; it tells nothing of the values."""
    values: Mapping[str, float]
    unit: str = ""
    """As of a number; "yes" where a value only says whether it is the one."""
    tied: float = field(default=1e-9)
    """Values no further apart than this count as equal."""

    @property
    def best(self) -> str:
        """The id with the largest value."""
        return max(self.values, key=lambda one: self.values[one])

    @property
    def words(self) -> str:
        """The names with the largest value."""
        return listed((self.names[one] for one in self.names if self.is_best(one)), "or")

    def is_best(self, one: str) -> bool:
        """Whether nothing has a larger value, as far as people can read it."""
        return self.reaches(one, self.best)

    def reaches(self, one: str, other: str) -> bool:
        """Whether the first's value is no smaller than the other's, exactly or as it is shown."""
        if self.values[one] >= self.values[other] - self.tied:
            return True
        return self.unit != "yes" and self._shown(one) == self._shown(other)

    def named(self, one: str) -> str:
        """A name and its value, such as `3×3 (42 %)`."""
        return self.names[one] if self.unit == "yes" else f"{self.names[one]} ({self._shown(one)})"

    def _shown(self, one: str) -> str:
        return Number(value=self.values[one], unit=self.unit).words

    def only(self, ids: tuple[str, ...]) -> Ranking:
        """The same of these alone; all of them where none is named."""
        if not ids:
            return self
        return Ranking(
            names={one: name for one, name in self.names.items() if one in ids},
            values={one: value for one, value in self.values.items() if one in ids},
            unit=self.unit,
            tied=self.tied,
        )


Found = Number | Ranking
