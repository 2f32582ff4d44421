"""A lesson's figures of the runs that a learner started from an experiment."""

from __future__ import annotations

from typing import Any

from gnet.answers.lessons.found import Number, Ranking, Scene
from gnet.answers.lessons.of_picture import YES_NO
from gnet.errors import GnetError
from gnet.runs.experiments import EXPERIMENTS
from gnet.runs.folder import EVENTS
from gnet.runs.outcomes import Outcome, has_learned, outcome_of
from gnet.serving.runs import UNDER_WAY
from gnet.words import listed


def accuracy(scene: Scene, experiment: str, run: str, head: str) -> Number:
    found = _outcome(scene, experiment, run).accuracy
    if head not in found:
        raise GnetError(f"The run “{run}” has no head {head}; its heads are {listed(found)}.")
    return Number(value=100 * found[head], unit="%")


def loss(scene: Scene, experiment: str, run: str) -> Number:
    return Number(value=_outcome(scene, experiment, run).train_loss["main"], unit="nats")


def flat(scene: Scene, experiment: str, run: str) -> Number:
    return Number(value=_outcome(scene, experiment, run).uniform_loss, unit="nats")


def guessing(scene: Scene, experiment: str, run: str) -> Number:
    return Number(value=100 * _outcome(scene, experiment, run).chance, unit="%")


def learned(scene: Scene, experiment: str, run: str) -> Ranking:
    did = has_learned(_outcome(scene, experiment, run))
    return Ranking(names=YES_NO, values={"yes": float(did), "no": float(not did)}, unit="yes")


def best_run(scene: Scene, experiment: str) -> Ranking:
    found = _outcomes(scene, experiment)
    values = {run: 100 * one.main for run, one in found.items()}
    return Ranking(names={run: run for run in found}, values=values, unit="%")


def fastest_run(scene: Scene, experiment: str) -> Ranking:
    found = _outcomes(scene, experiment)
    values = {run: one.pictures_per_second for run, one in found.items()}
    return Ranking(names={run: run for run in found}, values=values, unit="pictures per second")


def best_head_of_run(scene: Scene, experiment: str, run: str) -> Ranking:
    values = {h: 100 * v for h, v in _outcome(scene, experiment, run).accuracy.items()}
    return Ranking(names={head: head for head in values}, values=values, unit="%")


def _outcome(scene: Scene, experiment: str, run: str) -> Outcome:
    found = _finished(scene, experiment)
    if run not in found:
        raise GnetError(_missing(scene, experiment, [run]))
    return found[run]


def _outcomes(scene: Scene, experiment: str) -> dict[str, Outcome]:
    found = _finished(scene, experiment)
    if missing := [name for name, _ in EXPERIMENTS[experiment].runs if name not in found]:
        raise GnetError(_missing(scene, experiment, missing))
    return {name: found[name] for name, _ in EXPERIMENTS[experiment].runs}


def _finished(scene: Scene, experiment: str) -> dict[str, Outcome]:
    """The latest finished run of each of an experiment's parts, this learner's own alone."""
    if scene.runs is None:
        raise GnetError("Nobody can train on this server, so there is no run to look at.")
    found: dict[str, Outcome] = {}
    for row in _own(scene, experiment):
        if row["part"] in found:
            continue
        came_out = outcome_of(scene.runs.run_folder(row["id"]).path / EVENTS)
        if came_out is not None and came_out.finished:
            found[row["part"]] = came_out
    return found


def _own(scene: Scene, experiment: str) -> list[dict[str, Any]]:
    """This learner's runs of an experiment, the newest first."""
    rows = scene.runs.list(scene.owner) if scene.runs is not None and scene.owner else []
    return [row for row in rows if row["mine"] and row["experiment"] == experiment]


def _missing(scene: Scene, experiment: str, names: list[str]) -> str:
    under_way = [
        row["part"]
        for row in _own(scene, experiment)
        if row["part"] in names and row["state"] in ("queued", *UNDER_WAY)
    ]
    runs, has = ("run", "has") if len(names) == 1 else ("runs", "have")
    if set(under_way) == set(names):
        return f"Once {_quoted(names)} {has} ended, the answer stands here."
    return (
        f"You have no finished {runs} {_quoted(names)} yet. Choose the experiment "
        f"“{EXPERIMENTS[experiment].title}” under Train, press Start and come back when it has "
        "ended."
    )


def _quoted(names: list[str]) -> str:
    return listed(f"“{name}”" for name in names)
