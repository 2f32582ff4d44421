"""What the page tells of runs: what sets them apart, and what those of one start have shown."""

from dataclasses import replace

import pytest

from gnet.network.config import ModelConfig
from gnet.runs.events import EpochDone, RunEnded, RunStarted, SettingsChanged, to_line
from gnet.runs.experiments import EXPERIMENTS
from gnet.runs.folder import EVENTS, RunFolder
from gnet.runs.train_config import TrainConfig
from gnet.serving.reviews import Reviews
from gnet.serving.run_card import write_card
from gnet.serving.runs import NewRun, Runs
from support.opened_runs import OWNER, STRANGER

HEADS = EXPERIMENTS["heads"]
ACCURACY = {"with heads": 0.75, "without heads": 0.625}


@pytest.fixture(autouse=True)
def gradio(gradio_environment: None) -> None:
    """Gradio is imported by what is tested here."""


@pytest.fixture
def runs(tmp_path):
    return Runs(tmp_path)


def asked(experiment, owner=OWNER, key=None):
    wanted = [NewRun(name=name, config=config, part=name) for name, config in experiment.runs]
    return {"wanted": wanted, "owner": owner, "experiment": experiment.key if key is None else key}


def started(runs, experiment=HEADS, **changes):
    """The experiment's runs, by their names in it."""
    said = asked(experiment, **changes)
    ids = runs.start_all(said["wanted"], owner=said["owner"], experiment=said["experiment"])
    return dict(zip([name for name, _ in experiment.runs], ids, strict=True))


def finish(runs, run_id, accuracy, epochs=2):
    """Let a run have ended with its main head that good."""
    heads = {"main": accuracy}
    events = [
        RunStarted(
            step=0,
            steps=10,
            classes=tuple("abcdefghij"),
            pictures={"train": 100, "val": 1000},
            parameters=7,
            precision="fp32",
            threads=1,
            processes=1,
        ),
        EpochDone(
            step=10,
            epoch=epochs,
            train_loss=heads,
            train_accuracy=heads,
            val_loss=heads,
            val_accuracy=heads,
            seconds=1.0,
        ),
        RunEnded(step=10, reason="finished", seconds=1.0),
    ]
    (runs.folder / run_id / EVENTS).write_text("".join(map(to_line, events)))
    write_card(
        runs.folder / run_id, replace(runs.shelf.card(run_id), queued=0.0, process=2**22 + 1)
    )


def test_runs_that_were_started_together_are_judged_together(runs):
    from gnet.ui.train.rows import after_runs

    ids = started(runs)
    for name in reversed(ids):  # in whatever order they end
        finish(runs, ids[name], ACCURACY[name])
    said = {after_runs(runs, run_id, OWNER) for run_id in ids.values()}
    (sentences,) = said
    assert "75.0 % with" in sentences and "62.5 %" in sentences


def test_runs_of_one_experiment_started_twice_within_a_moment_are_kept_apart(runs):
    from gnet.ui.train.rows import after_runs

    first, second = started(runs), started(runs)
    for name, accuracy in ACCURACY.items():
        finish(runs, first[name], accuracy)
        finish(runs, second[name], accuracy - 0.5)
    for ids, figure, other in ((first, "62.5 %", "12.5 %"), (second, "12.5 %", "62.5 %")):
        for run_id in ids.values():
            sentences = after_runs(runs, run_id, OWNER)
            assert figure in sentences and other not in sentences


def test_a_group_of_which_a_run_was_deleted_is_not_judged(runs):
    from gnet.ui.train.rows import after_runs

    ids, others = started(runs), started(runs)
    for name, accuracy in ACCURACY.items():
        finish(runs, ids[name], accuracy)
        finish(runs, others[name], accuracy)
    runs.steer(ids["with heads"], OWNER, "delete")
    assert after_runs(runs, ids["without heads"], OWNER) == ""
    assert after_runs(runs, ids["with heads"], OWNER) == ""
    assert after_runs(runs, others["without heads"], OWNER) != ""


def test_a_group_that_a_viewer_does_not_see_whole_is_not_judged(runs):
    from gnet.ui.train.rows import after_runs

    ids, single = started(runs), started(runs, EXPERIMENTS["first-run"])
    for name, accuracy in ACCURACY.items():
        finish(runs, ids[name], accuracy)
    finish(runs, single["first run"], 0.95)
    for owner in (STRANGER, ""):
        assert after_runs(runs, ids["with heads"], owner) == ""
        assert "95.0 %" in after_runs(runs, single["first run"], owner)  # it is whole


def test_runs_that_are_no_longer_an_experiments_are_not_judged(runs):
    from gnet.ui.train.rows import after_runs

    ids = started(runs, key="")
    for name, accuracy in ACCURACY.items():
        finish(runs, ids[name], accuracy)
    assert after_runs(runs, ids["with heads"], OWNER) == ""


def test_runs_of_an_older_program_are_not_judged(runs):
    from gnet.ui.train.rows import after_runs

    ids = started(runs)
    for name, run_id in ids.items():
        finish(runs, run_id, ACCURACY[name])
        write_card(runs.folder / run_id, replace(runs.shelf.card(run_id), group="", part=""))
    assert after_runs(runs, ids["with heads"], OWNER) == ""


def test_what_is_still_to_come_is_said(runs):
    from gnet.ui.train.rows import after_runs

    ids = started(runs)
    finish(runs, ids["with heads"], 0.5)
    assert "No epoch of “without heads”" in after_runs(runs, ids["with heads"], OWNER)


def test_a_runs_events_are_read_once_until_it_says_more(runs, monkeypatch):
    from gnet.ui.train.rows import after_runs

    read = []
    plain = RunFolder.events
    monkeypatch.setattr(
        RunFolder, "events", lambda self: read.append(self.path.name) or plain(self)
    )
    ids = started(runs)
    for name, run_id in ids.items():
        finish(runs, run_id, ACCURACY[name])
    for _ in range(3):
        for run_id in ids.values():
            after_runs(runs, run_id, OWNER)
    assert sorted(read) == sorted(ids.values())
    finish(runs, ids["with heads"], 0.875, epochs=3)
    assert "87.5 %" in after_runs(runs, ids["without heads"], OWNER)
    assert len(read) == 3


def test_a_list_reads_no_runs_events_again_that_has_said_nothing_more(runs, monkeypatch):
    from gnet.ui.train.rows import described

    ids = [i for _ in range(2) for i in started(runs).values()]
    for run_id in ids:
        finish(runs, run_id, 0.5)
    first = described(runs.shelf.list(OWNER))
    monkeypatch.setattr(
        "gnet.serving.story.Story.progress", lambda _: pytest.fail("it was read again")
    )
    assert described(runs.shelf.list(OWNER)) == first
    assert {row["accuracy"]["main"] for row in first} == {0.5}


def test_rows_tell_first_what_sets_a_run_apart_within_its_question():
    from gnet.ui.train.rows import described

    def row(name, experiment, config):
        return {
            "id": name,
            "name": name,
            "experiment": experiment,
            "state": "finished",
            "weights": [],
            "settings": {},
            "config": config.to_json(),
        }

    heads = TrainConfig()
    without = replace(heads, model=ModelConfig(aux=False))
    other = TrainConfig(seed=4, model=ModelConfig(left_out="5x5"))
    told = described([row("a", "heads", heads), row("b", "heads", without), row("c", "", other)])
    assert [line["differs"][0] for line in told[:2]] == [
        ("auxiliary heads", "on"),
        ("auxiliary heads", "off"),
    ]
    assert ("branches left out", "5×5") in told[2]["differs"]
    assert "seed 4" in told[2]["differs_more"]
    assert all("config" not in line for line in told)


def test_nothing_is_concluded_from_a_run_whose_settings_were_changed_on_its_way(runs):
    from gnet.ui.train.review import Questions
    from gnet.ui.train.rows import after_runs, described

    ids = started(runs)
    for name, run_id in ids.items():
        finish(runs, run_id, ACCURACY[name])
    assert "without" in after_runs(runs, ids["with heads"], OWNER)
    change(runs, ids["with heads"], learning_rate=HEADS.runs[0][1].learning_rate)
    assert "during the run" not in after_runs(runs, ids["with heads"], OWNER), "nothing else holds"
    change(runs, ids["with heads"], learning_rate=0.002)
    assert after_runs(runs, ids["without heads"], OWNER) == (
        "Settings of “with heads” changed during the run, "
        "so it no longer answers the experiment's question."
    )
    rows = {row["id"]: row for row in described(runs.shelf.list(OWNER))}
    assert rows[ids["with heads"]]["differs"][0] == (
        "changed during the run",
        "learning rate 0.002",
    )
    assert "during the run" not in rows[ids["without heads"]]["differs_more"]
    told = Questions(runs, Reviews()).differ(list(ids.values()))
    assert told["rows"][-1]["values"] == ["learning rate 0.002", ""]


def change(runs, run_id, *, learning_rate):
    config = runs.shelf.run_folder(run_id).config()
    event = SettingsChanged(
        step=10,
        learning_rate=learning_rate,
        aux1_weight=config.aux1_weight,
        aux2_weight=config.aux2_weight,
    )
    with (runs.shelf.run_folder(run_id).path / EVENTS).open("a") as file:
        file.write(to_line(event))
