"""What is seen after a run: what it gets right and wrong, how surely, and what it differs in.

Reviews are made by processes of their own; the page asks for what there is, outside Gradio's queue.
"""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

from PIL import Image

from gnet.answers.answer import as_data_url
from gnet.errors import FieldError, GnetError
from gnet.evaluation.review import Review
from gnet.network.config import HEADS
from gnet.runs.comparison import compare
from gnet.runs.folder import BEST
from gnet.serving.reviews import Reviews
from gnet.serving.runs import ENDED, Runs
from gnet.system.paths import without_paths
from gnet.ui.components import drawing
from gnet.ui.events import answered
from gnet.ui.train.rows import IN_MID_RUN, PASSED_OVER, in_mid_run, label, word
from gnet.ui.train.sentences import (
    accuracy_of,
    chosen_count,
    chosen_title,
    evaluated,
    without_answers,
)
from gnet.words import cut, percent

TILES, _TILE_SIDE = 12, 96
"""Pictures sent at once, and the side (px) they are shrunk to."""
MOST_COMPARED = 12
_CONFUSED = 6
_AS_SURE = 0.02
"""Difference of confidence and accuracy that is none."""


def build(runs: Runs, reviews: Reviews) -> None:
    """Put the components where the caller stands."""
    questions = Questions(runs, reviews)
    drawing(
        "review/bar",
        server_functions=[
            answered(questions.look, "run"),
            answered(questions.pictures, "run", "head", "right", "truth", "answer", "start"),
            answered(questions.differ, "runs"),
        ],
    )
    drawing("review/matrix")
    drawing("review/pictures")
    drawing("review/table")


class Questions:
    """What the page asks about runs that have ended; every value comes from outside."""

    def __init__(self, runs: Runs, reviews: Reviews) -> None:
        self.shelf = runs.shelf
        self.reviews = reviews

    def look(self, run: Any) -> dict[str, Any]:
        """An ended run's review, or how far it is; the first question has it made."""
        if self.shelf.state(run, self.shelf.card(run)) not in ENDED:
            return {"state": "running"}
        found = self.reviews.ask(self.shelf.run_folder(run).path)
        if isinstance(found, Review):
            best = (self.shelf.run_folder(run).path / BEST).is_file()
            return {"state": "ready", "review": described(found, best=best)}
        shown = replace(found, message=without_paths(found.message))
        return {"state": found.state, "said": evaluated(shown)}

    def pictures(
        self, run: Any, head: Any, right: Any, truth: Any, answer: Any, start: Any
    ) -> dict[str, Any]:
        """Some pictures of a review: right or wrong ones of a head, or those of a matrix's cell."""
        review = self._review(run)
        which = _which(review, right, truth=truth, answer=answer)
        first = _whole(start or 0, "start", 10**9)
        found = review.chosen(cut(head), **which)
        return {"title": chosen_title(review, **which)} | _shown(review, found, first)

    def _review(self, run: Any) -> Review:
        review = self.reviews.find(self.shelf.run_folder(run).path)
        if review is None:
            raise GnetError(
                "The run's pictures have not been looked at yet; open the run once more."
            )
        return review

    def differ(self, runs: Any) -> dict[str, Any]:
        """The settings in which some runs differ, and how each did in the end."""
        if not isinstance(runs, list) or len(runs) > MOST_COMPARED:
            raise FieldError("runs", cut(runs), f"up to {MOST_COMPARED} runs, by their ids")
        configs = [self.shelf.run_folder(run).config() for run in runs]
        rows = [self.shelf.describe(run, self.shelf.card(run), "") for run in runs]
        steered = [in_mid_run(row["settings"], c) for row, c in zip(rows, configs, strict=True)]
        mid_run = {
            "setting": IN_MID_RUN,
            "help": "by hand, while it was training",
            "values": steered,
        }
        return {
            "runs": [{key: row[key] for key in ("name", "accuracy", "untrained")} for row in rows],
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


def _which(review: Review, right: Any, **cell: Any) -> dict[str, Any]:
    """Which pictures are asked for, checked."""
    if right not in (None, True, False):
        raise FieldError("right", cut(right), "true, false and nothing")
    last = len(review.classes) - 1
    checked = {name: v if v is None else _whole(v, name, last) for name, v in cell.items()}
    return {"right": right, **checked}


def _shown(review: Review, found: list[int], first: int) -> dict[str, Any]:
    """The pictures of one page, from number `first` of those that were found."""
    return {
        "count": len(found),
        "start": first,
        "said": chosen_count(min(first + TILES, len(found)), len(found), review.untrained),
        "tiles": [
            review.answer(index) | {"src": _tile(review.pictures[index])}
            for index in found[first : first + TILES]
        ],
    }


def described(review: Review, *, best: bool = False) -> dict[str, Any]:
    """A review as the page draws it: numbers of each head, and no picture yet.

    `best`: whether it is of a run's best weights.
    """
    return {
        "classes": list(review.classes),
        "pictures": len(review),
        "of": review.total,
        "size": review.size,
        "untrained": list(review.untrained),
        "heads": {
            head: _head(review, head) | {"said": accuracy_of(review, head, best=best)}
            for head in reversed(HEADS)
            if head in review.heads
        },
        "first": _first(review),
    }


def _head(review: Review, head: str) -> dict[str, Any]:
    matrix = review.confusion(head)
    rows, columns = (part.tolist() for part in matrix.nonzero(as_tuple=True))
    cells = [[r, c, int(matrix[r, c])] for r, c in zip(rows, columns, strict=True)]
    mistaken = sorted((cell for cell in cells if cell[0] != cell[1]), key=lambda cell: -cell[2])
    right, error = int(review.right(head).sum()), review.calibration_error(head)
    return {
        "status": review.heads[head].status,
        "right": right,
        "wrong": len(review) - right,
        "accuracy": review.accuracy(head),
        "confidence": review.confidence(head),
        "error": error,
        "calibration": f"{_sureness(review, head)}; expected calibration error {percent(error)}."
        + without_answers(review.untrained),
        "cells": cells,
        "confused": mistaken[:_CONFUSED],
        "counts": matrix.sum(1).tolist(),
        "by_class": review.class_accuracy(head),
        "bins": [[b.confidence, b.accuracy, b.count] for b in review.bins(head) if b.count],
    }


def _sureness(review: Review, head: str) -> str:
    """Whether a head's mean confidence meets its accuracy."""
    gap = review.confidence(head) - review.accuracy(head)
    if abs(gap) < _AS_SURE:
        return "is on average as sure as it is right"
    return "is too sure" if gap > 0 else "is not sure enough"


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
        raise FieldError(name, cut(value), f"whole numbers from 0 to {most}")
    return value
