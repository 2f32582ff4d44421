"""Lists, fractions, durations and numbers as people read them; one form for each, everywhere."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable


def listed(names: Iterable[object], last: str = "and") -> str:
    """`a, b and c`; `last` is the word before the last one. Empty for nothing."""
    *most, final = [str(name) for name in names] or [""]
    return f"{', '.join(most)} {last} {final}" if most else final


def some(names: Iterable[object], most: int = 3, what: str = "") -> str:
    """`a, b, c and 2 more`: the first `most` names, and how many there are besides.

    `what` names those: "classes" gives `a, b, c and 2 more classes`.
    """
    every = [str(name) for name in names]
    rest = len(every) - most
    return ", ".join(every[:most]) + (f" and {rest} more {what}".rstrip() if rest > 0 else "")


def percent(fraction: float | None, digits: int = 1) -> str:
    """`71.1 %`; a dash where there is no number."""
    return "–" if fraction is None else f"{_rounded(100 * fraction, digits):.{digits}f} %"


def rounded_percent(fraction: float) -> str:
    """`37 %`; one decimal below 10 % and from 99.5 %.

    What is there but would be written as 0 is `<0.1 %`, and what is not all but would be written
    as 100, `>99.9 %`.
    """
    tenths = _rounded(100 * fraction, 1)
    if fraction > 0 and tenths == 0:
        return "<0.1 %"
    if tenths == 100 and float(f"{fraction:.6g}") < 1:  # a sum of all may miss 1 by rounding
        return ">99.9 %"
    return percent(fraction, 1 if tenths < 10 or 99.5 <= tenths < 100 else 0)


def fixed(value: float, digits: int = 2) -> str:
    """`−4.85`: a number with so many decimals and a real minus sign."""
    return minus(f"{_rounded(value, digits):.{digits}f}")


def duration(seconds: float) -> str:
    """`45 s`, `2.5 min` or `3.1 h`."""
    for unit, length in (("h", 3600.0), ("min", 60.0)):
        if seconds >= 2 * length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.0f} s"


def number(value: float) -> str:
    """Three digits that count, with a real minus sign: `0.0123`, `−4.5`, `1,200`."""
    text = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return text.replace("-", "−")


def counted(count: float) -> str:
    """A count of weights or operations as it is said: `6,140`, `1.2 million`, `52 million`."""
    count = float(f"{count:.3g}")
    for unit, size in (("billion", 1e9), ("million", 1e6)):
        if count >= size:
            value = _rounded(count / size, 1 if count < 10 * size else 0)
            return f"{value:g} {unit}"
    return f"{count:,.0f}"


def _rounded(value: float, digits: int) -> float:
    """A value to so many decimals; a half is rounded up.

    Six digits of it count, which is what travels to the page: so a sentence made here and a number
    that a script writes agree.
    """
    size = float(f"{abs(value) * 10**digits:.6g}")
    return math.copysign(math.floor(size + 0.5) / 10**digits, value) + 0.0


def minus(text: str) -> str:
    """The text with a real minus sign before each of its negative numbers."""
    return re.sub(r"(?<![\w-])-(?=[\d.])", "−", text)


def opening(text: str) -> str:
    """The text with a capital first letter, as a sentence opens."""
    return text[:1].upper() + text[1:]


def cut(value: object, most: int = 60) -> str:
    """What somebody gave, short enough for a sentence."""
    text = str(value)
    return text if len(text) <= most else f"{text[: most - 1]}…"
