"""What the Train tab says of a run: one sentence for each state, so that its scripts make none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gnet.evaluation.review import Review
from gnet.runs.beginning import Beginning
from gnet.runs.outcomes import Outcome, learned
from gnet.serving.reviews import ReviewProgress
from gnet.words import listed, percent, rounded_percent

WATCHING = "Only the browser that started this run can control it; you can watch."


def called(state: str) -> str:
    """A run's state as the page calls it."""
    return {"queued": "waiting"}.get(state, state)


def share_begun(beginning: Beginning | None) -> float:
    """How far the start of a run is, from 0 to 1: its program, its pictures, its first step."""
    if beginning is None:
        return 0.1
    read = beginning.done / beginning.total if beginning.total else 0.0
    return 0.3 + 0.4 * read if beginning.split == "train" else 0.7 + 0.1 * read


def about(
    run: Mapping[str, Any],
    beginning: Beginning | None = None,
    outcome: Outcome | None = None,
    review: Review | None = None,
    *,
    download: str = "",
    at_once: int = 1,
) -> str:
    """The sentence under a run's name; `run` is one of `RunShelf.list`."""
    sentences = {
        "queued": lambda: _waiting(run["position"], at_once),
        "starting": lambda: f"{download}." if download else _beginning(beginning),
        "running": lambda: _under_way(run),
        "paused": lambda: _under_way(run),
        "stopping": lambda: "It stops after the step under way.",
    }
    said = sentences.get(run["state"], lambda: _ended(run, outcome, review))()
    watches = not run["mine"] and run["state"] in sentences
    return " ".join(filter(None, (said, WATCHING if watches else "")))


def _waiting(position: int, at_once: int) -> str:
    if at_once == 1:
        turns = "Waiting in the queue: one run trains at a time here."
    else:
        turns = f"Waiting in the queue: {at_once} runs train at a time here."
    before = position - 1
    if before < 1:
        return f"{turns} It is next."
    return f"{turns} {before} more {'waits' if before == 1 else 'wait'} before it."


def _beginning(beginning: Beginning | None) -> str:
    if beginning is None:
        return "1 of 3: the training program starts."
    if beginning.split == "val" and beginning.done >= beginning.total:
        return "3 of 3: the network is built for its first step."
    which = "training" if beginning.split == "train" else "validation"
    count = f", {beginning.done:,} of {beginning.total:,}" if beginning.total else ""
    return f"2 of 3: {which} pictures are read{count}."


def _under_way(run: Mapping[str, Any]) -> str:
    if not run["step"]:
        return "3 of 3: the first step is under way."
    right = run["accuracy"].get("main")
    if right is None:
        return "Its validation comes after the first epoch."
    epoch = run["epochs_done"]
    return f"After epoch {epoch}: {rounded_percent(right)} of the validation pictures right."


def _ended(run: Mapping[str, Any], outcome: Outcome | None, review: Review | None) -> str:
    what = learned(outcome, review) if outcome else ""
    if not what and run["state"] in ("finished", "stopped"):
        what = "It ended before its first whole epoch, so there is no result."
    return " ".join(filter(None, (run["message"], what)))


def watched(start: str) -> str:
    """What is seen inside a module of a run that began from the weights `start`, or from none."""
    how = "They start from loaded weights and go on learning"
    if not start:
        how = "They start from random weights and learn to look for different things"
    return f"One validation picture, seen by four branches. {how}. Same scale in all four."


def queue(running: int, waiting: int, *, own: bool) -> str:
    """How busy the server is; `own`: whether one of the viewer's runs trains or waits."""
    if waiting and not running:
        wait = "1 run waits" if waiting == 1 else f"{waiting} runs wait"
        return f"On this server {wait}; the next one starts once the program before it has ended."
    if waiting or running > 1:
        train = "run is" if running == 1 else "runs are"
        wait = "waits" if waiting == 1 else "wait"
        return f"On this server {running} {train} training and {waiting} {wait}."
    if running and not own:
        return "A run is training on this server; the next one waits for it."
    return ""


def evaluated(progress: ReviewProgress) -> str:
    """How far a review is."""
    if progress.state == "failed":
        return f"Its results cannot be shown. {progress.message}"
    if progress.state == "looking":
        share = f", {rounded_percent(progress.done / progress.total)}" if progress.total else ""
        return f"Its validation pictures are evaluated: {progress.done} of {progress.total}{share}."
    if not progress.before:
        return "Its validation pictures are evaluated next."
    others = "another run" if progress.before == 1 else f"{progress.before} other runs"
    return f"Its validation pictures are evaluated after those of {others}."


def accuracy_of(review: Review, head: str, *, best: bool) -> str:
    """How often a head is right and how sure it is; `best`: with a run's best weights."""
    count = f"{len(review)}" if len(review) == review.total else f"{len(review)} of {review.total}"
    which = f"With its best weights {head}" if best else head
    return (
        f"{which} gets {percent(review.accuracy(head))} of {count} validation pictures right "
        f"and is on average {rounded_percent(review.confidence(head))} sure."
    )


def chosen_title(
    review: Review, *, right: bool | None, truth: int | None, answer: int | None
) -> str:
    """What the pictures that were chosen from a review have in common."""
    if truth is None or answer is None:
        return "Right answers, surest first" if right else "Mistakes, surest first"
    if truth == answer:
        return f"{review.classes[truth]}, answered right"
    return f"{review.classes[truth]} mistaken for {review.classes[answer]}"


def chosen_count(shown: int, count: int, untrained: Sequence[str]) -> str:
    """How many of the chosen pictures are shown, and which heads have no answer."""
    if not count:
        return f"There is no such picture.{without_answers(untrained)}"
    return f"{shown} of {count}, as the network saw them.{without_answers(untrained)}"


def without_answers(untrained: Sequence[str]) -> str:
    """Which heads have no answer, to follow another sentence; empty if all have one."""
    if not untrained:
        return ""
    return f" {listed(untrained)} {'are' if len(untrained) > 1 else 'is'} untrained: no answers."
