"""The experiments: what is claimed and said of runs, whatever they come to.

Whether training keeps the claims is measured by `python -m gnet claims`, not here: rounding moves
the accuracy of a run that is short enough for a test by more than any margin.
"""

import json
import math
from dataclasses import replace

import pytest

from gnet.commands.main import main
from gnet.runs.events import EpochDone, Event, RunEnded, RunResumed, RunStarted, StepDone
from gnet.runs.experiments import EXPERIMENTS, Experiment
from gnet.runs.outcomes import NEAR_CHANCE, outcome
from gnet.runs.verdicts import LEAD, STUCK
from gnet.training.loop import train
from gnet.words import percent
from support.training_runs import tiny

CLASSES = tuple("abcdefghij")


def carried_out(experiment: Experiment) -> dict[str, list[Event]]:
    return {name: list(train(config)) for name, config in experiment.runs}


def ended_at(
    main: float,
    *,
    aux1: float | None = None,
    loss: float = 1.0,
    finished: bool = True,
    parameters: int = 1000,
) -> list[Event]:
    """The events of a run of one epoch that came to this."""
    accuracy = {"main": main} if aux1 is None else {"main": main, "aux1": aux1, "aux2": main}
    losses = dict.fromkeys(accuracy, loss)
    events: list[Event] = [
        RunStarted(
            step=0,
            steps=1,
            classes=CLASSES,
            pictures={"train": 16, "val": 500},
            parameters=parameters,
            precision="fp32",
            threads=1,
            processes=1,
        ),
        StepDone(
            step=1,
            epoch=1,
            size=32,
            loss=loss,
            losses=losses,
            accuracy=accuracy,
            learning_rate=0.1,
            pictures_per_second=50.0,
            seconds=3.0,
        ),
        EpochDone(
            step=1,
            epoch=1,
            train_loss=losses,
            train_accuracy=accuracy,
            val_loss=losses,
            val_accuracy=accuracy,
            seconds=4.0,
        ),
    ]
    return [*events, RunEnded(step=1, reason="finished", seconds=4.0)] if finished else events


KEPT = {
    "first-run": {"first run": ended_at(0.95, aux1=0.9)},
    "heads": {
        "with heads": ended_at(0.95, aux1=0.9, parameters=3000),
        "without heads": ended_at(0.94),
    },
    "depth": {"no norm": ended_at(0.1, aux1=0.7), "batch norm": ended_at(0.9, aux1=0.9)},
    "collapse": {
        "as published": ended_at(0.1, loss=math.log(10)),
        "outputs cured": ended_at(0.1, loss=math.log(10)),
        "loss cured": ended_at(0.5),
        "both cured": ended_at(0.8),
    },
    "five-by-five": {
        "left out": ended_at(0.9, parameters=1000),
        "3×3": ended_at(0.91, parameters=2000),
        "5×5": ended_at(0.92, parameters=4000),
    },
    "fine-tune": {"from the bundled network": ended_at(0.9), "from scratch": ended_at(0.4)},
}
"""Experiment → runs that came to what it promises."""
BROKEN = {
    "first-run": {"first run": ended_at(0.89, aux1=0.9)},
    "heads": {"with heads": ended_at(0.95, aux1=0.9), "without heads": ended_at(0.12)},
    "depth": {"no norm": ended_at(0.66, aux1=0.7), "batch norm": ended_at(0.9, aux1=0.9)},
    "collapse": KEPT["collapse"] | {"as published": ended_at(0.6)},
    "five-by-five": KEPT["five-by-five"] | {"3×3": ended_at(0.1)},
    "fine-tune": {"from the bundled network": ended_at(0.6), "from scratch": ended_at(0.7)},
}
"""The same where the runs came to something else."""


SMALL = {"per_class": 2, "epochs": 1, "batch": 10, "size": 32, "pinned": -1, "gradients_every": 0}


@pytest.mark.parametrize("key", EXPERIMENTS)
def test_an_experiments_runs_can_be_trained_and_come_to_numbers_to_speak_of(key) -> None:
    """Two steps each: what is certain of them. The claim itself takes thousands."""
    experiment = EXPERIMENTS[key].changed(**SMALL)
    events = carried_out(experiment)
    found = experiment.outcomes(events)
    assert list(found) == [name for name, _ in experiment.runs]
    margin = experiment.margin_of(found)
    assert margin is not None and math.isfinite(margin)
    assert experiment.claim(events) is (margin > 0)
    assert experiment.after(events).count(". ") in (1, 2)


def test_the_margin_is_the_smallest_distance_to_a_bound() -> None:
    def margin(key: str, events: dict[str, list[Event]]) -> float | None:
        return EXPERIMENTS[key].margin_of(EXPERIMENTS[key].outcomes(events))

    assert margin("first-run", KEPT["first-run"]) == pytest.approx(0.95 - 0.9)
    assert margin("heads", BROKEN["heads"]) == pytest.approx(0.12 - 0.5)
    assert margin("depth", KEPT["depth"]) == pytest.approx(0.7 - 0.5)
    assert margin("depth", BROKEN["depth"]) == pytest.approx(0.7 - 0.66 - LEAD)
    assert margin("collapse", KEPT["collapse"]) == pytest.approx(STUCK)
    assert margin("collapse", BROKEN["collapse"]) == pytest.approx(1.0 - math.log(10) + STUCK)
    assert margin("fine-tune", BROKEN["fine-tune"]) == pytest.approx(0.6 - 0.7)
    assert margin("heads", {}) is None


@pytest.mark.parametrize("key", EXPERIMENTS)
def test_a_claim_is_kept_by_runs_that_show_it_and_broken_by_others(key) -> None:
    assert EXPERIMENTS[key].claim(KEPT[key])
    assert not EXPERIMENTS[key].claim(BROKEN[key])


@pytest.mark.parametrize("key", EXPERIMENTS)
def test_what_is_said_after_differs_when_the_claim_does_not_hold(key) -> None:
    experiment = EXPERIMENTS[key]
    kept, broken = experiment.after(KEPT[key]), experiment.after(BROKEN[key])
    without_numbers = ["".join(c for c in text if c.isalpha()) for text in (kept, broken)]
    assert without_numbers[0] != without_numbers[1]


@pytest.mark.parametrize("key", EXPERIMENTS)
def test_what_is_said_after_holds_every_run_s_accuracy_in_two_sentences(key) -> None:
    for events in (KEPT[key], BROKEN[key]):
        said = EXPERIMENTS[key].after(events)
        results = [result for result in map(outcome, events.values()) if result is not None]
        assert len(results) == len(events)
        assert all(percent(result.main) in said for result in results)
        assert said.count(". ") == 1
        assert said.endswith(".")


@pytest.mark.parametrize("key", EXPERIMENTS)
def test_two_sentences_stand_before_an_experiment(key) -> None:
    before = EXPERIMENTS[key].before
    assert before.count(". ") == 1
    assert before.endswith(".")


@pytest.mark.parametrize("key", EXPERIMENTS)
def test_nothing_is_claimed_of_a_run_without_an_epoch(key) -> None:
    experiment = EXPERIMENTS[key]
    name = experiment.runs[-1][0]
    events = KEPT[key] | {name: KEPT[key][name][:1]}
    assert not experiment.claim(events)
    assert name in experiment.after(events)
    assert not experiment.claim({})


def test_a_run_under_way_is_said_to_be_unfinished() -> None:
    said = EXPERIMENTS["first-run"].after({"first run": ended_at(0.95, aux1=0.9, finished=False)})
    assert said.startswith("Not finished: first run (epoch 1)")


def test_a_first_run_says_how_long_it_took_and_no_time_was_promised() -> None:
    slow = [
        replace(e, seconds=75.0) if isinstance(e, EpochDone) else e
        for e in ended_at(0.95, aux1=0.9)
    ]
    said = EXPERIMENTS["first-run"].after({"first run": slow})
    assert said.startswith("After 75 s")
    first = EXPERIMENTS["first-run"]
    assert "promise" not in said + first.line + first.before
    assert "minute" not in first.line + first.before
    assert "4 epochs of 188 steps" in first.line


def test_a_difference_is_told_apart_only_beyond_two_standard_errors() -> None:
    experiment = EXPERIMENTS["heads"]

    def said(with_heads: float, without: float) -> str:
        runs = {"with heads": ended_at(with_heads, aux1=0.5), "without heads": ended_at(without)}
        return experiment.after(runs)

    # 500 pictures, both near 0.8: by hand √(2 · 0.8 · 0.2 / 500) = 2.5 points.
    assert "no more than twice" in said(0.82, 0.78)
    assert "+4.0 points" in said(0.82, 0.78)
    assert "(±2.5)" in said(0.82, 0.78)
    assert "no more than twice" not in said(0.84, 0.76)


def test_a_dead_head_is_told_from_one_that_learns_slowly_and_from_one_that_keeps_up() -> None:
    experiment = EXPERIMENTS["depth"]
    for accuracy, words in (
        (0.1 + NEAR_CHANCE, "the deep one did not"),
        (0.11 + NEAR_CHANCE, "is ahead of the deep one"),
        (0.71 - LEAD, "was not ahead"),
    ):
        runs = {"no norm": ended_at(accuracy, aux1=0.7), "batch norm": ended_at(0.9, aux1=0.9)}
        assert words in experiment.after(runs)
        assert experiment.claim(runs) is ("not ahead" not in words)


def test_an_experiment_about_heads_can_be_told_of_a_network_without_them() -> None:
    experiment = EXPERIMENTS["depth"]
    runs = {name: ended_at(0.1) for name, _ in experiment.runs}
    assert not experiment.claim(runs)
    assert "aux1 " not in experiment.after(runs).split(",")[0]


def test_the_collapse_is_judged_by_ln_of_the_classes_at_hand() -> None:
    collapse = EXPERIMENTS["collapse"]
    elsewhere = KEPT["collapse"] | {"as published": ended_at(0.1, loss=math.log(47))}
    assert not collapse.claim(elsewhere)
    assert "ln 10 = 2.303" in collapse.after(KEPT["collapse"])


def test_runs_of_an_experiment_differ_in_the_switch_they_are_about() -> None:
    def differences(key: str) -> set[str]:
        rows = [
            {f"model.{k}": v for k, v in record["model"].items()} | record
            for record in (config.to_json() for _, config in EXPERIMENTS[key].runs)
        ]
        names = {name for name in rows[0] if name != "model"}
        return {name for name in names if len({str(row[name]) for row in rows}) > 1}

    assert differences("heads") == {"model.aux"}
    assert differences("depth") == {"model.norm"}
    assert differences("collapse") == {"model.rectified_outputs", "loss"}
    assert differences("five-by-five") == {"model.left_out", "model.kernel_5x5"}
    assert differences("fine-tune") == {"start", "train_only"}


def test_the_short_form_changes_how_long_an_experiment_runs_and_not_what_it_compares() -> None:
    for experiment in EXPERIMENTS.values():
        for (name, full), (same, short) in zip(
            experiment.runs, experiment.short().runs, strict=True
        ):
            assert name == same
            assert replace(short, **{k: getattr(full, k) for k in experiment.quick}) == full


def test_seconds_of_a_resumed_run_are_those_of_all_its_sessions() -> None:
    events = ended_at(0.9)
    resumed = [*events[:2], RunResumed(step=1), *events[1:]]
    whole, pieced = outcome(events), outcome(resumed)
    assert whole is not None
    assert pieced is not None
    assert (whole.seconds, pieced.seconds) == (4.0, 7.0)


def test_the_command_lists_the_experiments(capsys) -> None:
    assert main(["experiment"]) == 0
    listed = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in listed] == list(EXPERIMENTS)
    assert main(["preset", "--json"]) == 0  # the older name of the command
    assert [row["key"] for row in json.loads(capsys.readouterr().out)] == list(EXPERIMENTS)


def test_the_command_runs_an_experiment_for_each_seed_and_says_what_it_came_to(
    monkeypatch, capsys
) -> None:
    experiment = replace(EXPERIMENTS["first-run"], runs=(("first run", tiny(epochs=1)),))
    monkeypatch.setitem(EXPERIMENTS, "first-run", experiment)
    assert main(["experiment", "first-run", "--seeds", "2", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert [row["seed"] for row in answer["seeds"]] == [0, 1]
    for row in answer["seeds"]:
        events = carried_out(experiment.changed(seed=row["seed"]))
        found = experiment.outcomes(events)
        assert {name: run["accuracy"] for name, run in row["runs"].items()} == {
            name: result.accuracy for name, result in found.items()
        }
        assert row["shown"] is experiment.claim(events)
        assert all(percent(result.main) in row["after"] for result in found.values())
    assert main(["experiment", "first-run"]) == 0
    said = capsys.readouterr().out
    assert (
        said.startswith(f"You will see: {experiment.see}\nLook at: ") and experiment.before in said
    )
    assert "first run  epoch 1  " in said
    assert "seed 0: After " in said


def test_an_experiment_that_does_not_exist_is_refused_in_a_sentence(capsys) -> None:
    assert main(["experiment", "deep"]) == 2
    assert "'deep'; there are first-run, heads" in capsys.readouterr().err


@pytest.mark.parametrize("key", EXPERIMENTS)
def test_an_experiment_first_says_in_plain_words_what_is_seen_and_where(key) -> None:
    for line in (EXPERIMENTS[key].see, EXPERIMENTS[key].look):
        assert len(line.split()) <= 20 and line[0].isupper() and line.endswith(".")
        for term in ("batch norm", "Xavier", "seed", "gradient"):
            assert term.lower() not in line.lower()


def test_no_experiment_calls_a_curve_by_a_colour_that_the_dark_page_changes() -> None:
    assert not [key for key, experiment in EXPERIMENTS.items() if "black" in experiment.look]
