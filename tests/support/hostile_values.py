"""What strangers may send in place of a value or a file: wrong types, sizes, ids, damaged bytes.

Everything is drawn from a seed, so that a case that fails can be had again.
"""

import random
from collections.abc import Iterator
from typing import Any

VALUES: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    3,
    10**30,
    1e308,
    "",
    "main",
    "4b",
    "../../etc/passwd",
    "/etc/passwd",
    "C:\\secret.txt",
    "http://127.0.0.1:1/x.jpg",
    "<img src=x onerror=alert(1)>",
    "\x00\u202e",
    "\ud800",
    float("nan"),
    float("-inf"),
    "x" * 3000,
    [],
    [[]],
    [None, "4b", -1],
    list(range(300)),
    {},
    {"": None},
    {"path": "/etc/passwd"},
    {"path": "../x", "orig_name": ["a"]},
    {"path": {"path": []}},
    {"example": ["cat"]},
    {"example": "cat", "box": [1e308, -1e308, 0]},
    {"example": "cat", "box": ["a", {}, None]},
    {"example": "cat", "net": {"a": 1}},
    {"example": "cat", "net": "../runs"},
    {"example": "cat", "tile": ["everyday", -1]},
    {"example": "cat", "tile": "everyday.99999999999"},
    {"4b/5x5": {"a": []}},
    {"4b/5x5": 1e308},
    {"picture": {"example": "cat"}, "methods": [[]], "head": {}},
    {"run": "..", "since": -5, "owner": {}},
    {"net": [], "stage": 5, "branch": None},
)
"""Values of every type, some of which mean something somewhere."""


PICTURE: dict[str, Any] = {"example": "cat"}
"""A picture that there is: with it first, the values behind it are read."""
KNOWN: tuple[Any, ...] = ("4b", "4b/5x5", "main", 0, "saliency", "heads", "svg", {"4b/5x5": 0})
"""Values that a page sends in some place."""


def behind_a_picture(count: int, seed: int, tries: int) -> Iterator[list[Any]]:
    """As `arguments`, most of them behind a picture that there is and beside values that are."""
    draw = random.Random(seed)
    for case, values in enumerate(arguments(count, seed, tries)):
        if not case % 4:
            yield values
            continue
        yield [PICTURE, *(draw.choice(KNOWN) if draw.random() < 0.4 else v for v in values[1:])]


def arguments(count: int, seed: int, tries: int) -> Iterator[list[Any]]:
    """Lists of `count` values, drawn one by one."""
    draw = random.Random(seed)
    for _ in range(tries):
        yield [draw.choice(VALUES) for _ in range(count)]


def damaged(content: bytes, seed: int, tries: int) -> Iterator[bytes]:
    """The content truncated, with bytes flipped, cut out, repeated, or other bytes put in."""
    draw = random.Random(seed)
    for _ in range(tries):
        kind = draw.choice(("truncate", "flip", "cut", "repeat", "put", "start"))
        place = draw.randrange(len(content))
        end = min(len(content), place + draw.choice((1, 2, 8, 64, 1000)))
        if kind == "truncate":
            yield content[:place]
        elif kind == "flip":
            changed = bytearray(content)
            for _ in range(draw.choice((1, 3, 20))):
                changed[draw.randrange(len(changed))] ^= 1 << draw.randrange(8)
            yield bytes(changed)
        elif kind == "cut":
            yield content[:place] + content[end:]
        elif kind == "repeat":
            yield content[:end] + content[place:]
        elif kind == "put":
            yield content[:place] + draw.randbytes(end - place) + content[end:]
        else:  # where the header is, and so what decides the rest
            early = min(place, draw.randrange(200))
            yield content[:early] + draw.randbytes(2) + content[early + 2 :]
