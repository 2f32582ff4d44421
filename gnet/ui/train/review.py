"""What is seen after a run: what it gets right and wrong, how surely, and what it differs in.

Reviews are made by processes of their own; the page asks for what there is, outside Gradio's queue.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import partial
from typing import Any

from PIL import Image

from gnet.answers.answer import as_data_url
from gnet.answers.explorer import cut
from gnet.errors import GnetError
from gnet.evaluation.review import Review
from gnet.network.config import HEADS
from gnet.runs.comparison import compare
from gnet.serving.reviews import Reviews
from gnet.serving.runs import ENDED, Runs
from gnet.system.paths import without_paths
from gnet.ui.components import drawing
from gnet.ui.train.rows import IN_MID_RUN, PASSED_OVER, in_mid_run, label, word

TILES, _TILE_SIDE = 12, 96
"""Pictures sent at once, and the side (px) they are shrunk to."""
MOST_COMPARED = 12
_CONFUSED = 6


def build(runs: Runs, reviews: Reviews) -> None:
    """Put the components where the caller stands."""
    functions = {"look": look, "pictures": pictures, "differ": differ}
    served = [
        _named(name, partial(_answered, partial(function, runs, reviews)))
        for name, function in functions.items()
    ]
    drawing("review/bar", server_functions=served)
    drawing("review/matrix")
    drawing("review/pictures")
    drawing("review/table")


def look(runs: Runs, reviews: Reviews, asked: dict[str, Any]) -> dict[str, Any]:
    """A run's review, or how far it is; it is made when first asked for, and not while it runs."""
    run_id = asked["run"]
    if runs.state(run_id, runs.card(run_id)) not in ENDED:
        return {"state": "running"}
    found = reviews.ask(runs.run_folder(run_id).path)
    if isinstance(found, Review):
        return {"state": "ready", "review": described(found)}
    return vars(found) | {"message": without_paths(found.message)}


def pictures(runs: Runs, reviews: Reviews, asked: dict[str, Any]) -> dict[str, Any]:
    """Some pictures of a review: right or wrong ones of a head, or those of a matrix's cell."""
    review = reviews.find(runs.run_folder(asked["run"]).path)
    if review is None:
        raise GnetError("The run's pictures have not been looked at yet; open the run once more.")
    right, start = asked.get("right"), _whole(asked.get("start", 0), "start", 10**9)
    if right not in (None, True, False):
        raise GnetError(f"right is {cut(right)!r}; allowed are true, false and nothing.")
    cell = {
        name: None
        if asked.get(name) is None
        else _whole(asked[name], name, len(review.classes) - 1)
        for name in ("truth", "answer")
    }
    found = review.chosen(cut(asked.get("head")), right=right, **cell)
    return {
        "count": len(found),
        "start": start,
        "tiles": [
            review.answer(index) | {"src": _tile(review.pictures[index])}
            for index in found[start : start + TILES]
        ],
    }


def differ(runs: Runs, _: Reviews, asked: dict[str, Any]) -> dict[str, Any]:
    """The settings in which some runs differ, and how each did in the end."""
    ids = list(asked["runs"])
    if len(ids) > MOST_COMPARED:
        raise GnetError(f"{len(ids)} runs are to be compared; allowed are up to {MOST_COMPARED}.")
    configs = [runs.run_folder(run_id).config() for run_id in ids]
    told = [runs.shown(run_id, runs.card(run_id), "") for run_id in ids]
    steered = [in_mid_run(row["settings"], c) for row, c in zip(told, configs, strict=True)]
    mid_run = {"setting": IN_MID_RUN, "help": "by hand, while it was training", "values": steered}
    return {
        "runs": [{key: row[key] for key in ("name", "accuracy", "untrained")} for row in told],
        "rows": [
            {
                "setting": label(row.setting),
                "help": row.help,
                "values": [word(row.setting, value) for value in row.values],
            }
            for row in compare(configs)
            if row.setting not in PASSED_OVER
        ]
        + [mid_run] * any(steered),
    }


def described(review: Review) -> dict[str, Any]:
    """A review as the page draws it: numbers of each head, and no picture yet."""
    return {
        "classes": list(review.classes),
        "pictures": len(review),
        "of": review.total,
        "size": review.size,
        "untrained": list(review.untrained),
        "heads": {head: _head(review, head) for head in reversed(HEADS) if head in review.heads},
        "first": _first(review),
    }


def _head(review: Review, head: str) -> dict[str, Any]:
    matrix = review.confusion(head)
    rows, columns = (part.tolist() for part in matrix.nonzero(as_tuple=True))
    cells = [[r, c, int(matrix[r, c])] for r, c in zip(rows, columns, strict=True)]
    mistaken = sorted((cell for cell in cells if cell[0] != cell[1]), key=lambda cell: -cell[2])
    right = int(review.right(head).sum())
    return {
        "status": review.heads[head].status,
        "right": right,
        "wrong": len(review) - right,
        "accuracy": review.accuracy(head),
        "confidence": review.confidence(head),
        "error": review.calibration_error(head),
        "cells": cells,
        "confused": mistaken[:_CONFUSED],
        "counts": matrix.sum(1).tolist(),
        "by_class": review.class_accuracy(head),
        "bins": [[b.confidence, b.accuracy, b.count] for b in review.bins(head) if b.count],
    }


def _first(review: Review) -> int:
    """The picture to begin exploring with: the one the deepest trained head is surest of."""
    deepest = [head for head in HEADS if head in review.heads][-1:]
    found = [index for head in deepest for index in review.chosen(head, right=True)[:1]]
    return (found or [0])[0]


def _tile(content: bytes) -> str:
    """A picture of a review as an address; large ones are shrunk."""
    with Image.open(io.BytesIO(content)) as image:
        image.load()
        if image.width > _TILE_SIDE:
            small = image.resize(
                (_TILE_SIDE, _TILE_SIDE), Image.Resampling.BILINEAR, reducing_gap=2
            )
            return as_data_url(small, quality=85, method=1)
        return as_data_url(image, lossless=True, method=1)


def _whole(value: Any, name: str, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
        raise GnetError(f"{name} is {cut(value)!r}; allowed are whole numbers from 0 to {most}.")
    return value


def _answered(ask: Callable[[Any], dict[str, Any]], asked: Any) -> dict[str, Any]:
    """What is asked outside Gradio's queue; a refusal is an answer there, too."""
    try:
        return ask(asked)
    except GnetError as error:
        return {"error": without_paths(str(error))}
    except (KeyError, TypeError):
        return {"error": "That is no question this page asks."}


def _named(name: str, function: Any) -> Any:
    """Gradio calls a server function by its name, which a partial one lacks."""

    def called(asked: Any) -> dict[str, Any]:
        return function(asked)

    called.__name__ = name
    return called
