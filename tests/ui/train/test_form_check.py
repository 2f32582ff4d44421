"""What a form asks for with a question's runs: wrong values, locked fields, what was changed."""

from dataclasses import replace
from typing import Any

import pytest

from gnet.errors import GnetError
from gnet.runs.experiments import EXPERIMENTS
from gnet.serving.limits import RunLimits
from gnet.serving.runs import Runs
from gnet.training.precision import Machine
from gnet.training.starting import first_weights, resolved

OWNER = "the-token-of-somebody-who-started-a-run"
FIRST = EXPERIMENTS["first-run"]


@pytest.fixture(autouse=True)
def gradio(gradio_environment: None) -> None:
    """Gradio is imported by what is tested here."""


@pytest.fixture
def runs(tmp_path) -> Runs:
    """Runs that wait for ever: nobody keeps their queue."""
    return Runs(tmp_path)


def form(key: str = "first-run", **changes: Any) -> dict[str, Any]:
    """What the form holds for a question, some fields filled in anew; `model__x` is model.x."""
    from gnet.ui.train.form import form_values

    held = form_values(EXPERIMENTS[key].runs[0][1])
    changed = {name.replace("__", "."): value for name, value in changes.items()}
    assert set(changed) <= set(held)
    return held | changed


def said(key: str = "first-run", limits: RunLimits | None = None, **changes: Any):
    from gnet.ui.train.form_check import check

    return check(EXPERIMENTS[key], form(key, **changes), limits)


@pytest.mark.parametrize("key", EXPERIMENTS)
def test_the_form_shows_what_each_run_will_be(key: str) -> None:
    """Fields in which the runs differ apart: there it shows the first run's."""
    from gnet.ui.train.form import differing, to_form, value_of
    from gnet.ui.train.form_check import wanted

    values = form(key)
    told = said(key)
    held = values | told.locked
    kept = differing([config for _, config in EXPERIMENTS[key].runs])
    assert told.troubles == {} and told.changed == ()
    for name in kept:
        assert name in told.locked or name not in held
    for _, config in wanted(EXPERIMENTS[key], values):
        will_be = resolved(config, 10, first_weights(config), Machine())
        for name, shown in held.items():
            if name not in kept:
                assert to_form(name, value_of(will_be, name)) == shown, name


def test_fields_in_which_a_questions_runs_differ_cannot_be_set_and_say_how_they_differ() -> None:
    told = said("five-by-five", model__left_out=["pool"], model__kernel_5x5=3)
    assert told.locked["model.left_out"] == ["5x5"] and told.locked["model.kernel_5x5"] == 5
    assert told.notes["model.left_out"] == "Each run has its own: 5×5 · none · none."
    assert told.changed == ()


def test_bundled_weights_bring_their_network_along_and_the_form_shows_it() -> None:
    from gnet.ui.train.form import FIELDS
    from gnet.ui.train.form_check import wanted

    given = {"start": "everyday", "model__width": 0.5, "model__norm": "none"}
    told = said(**given)
    assert {s.name for s in FIELDS if s.name.startswith("model.")} <= set(told.locked)
    assert told.locked["model.width"] == 1.0 and told.locked["model.norm"] == "batch"
    assert told.notes["model.width"] == "As in the bundled network."
    assert "train_only" not in told.locked
    ((_, config),) = wanted(FIRST, form(**given))
    assert (config.model.width, config.model.norm) == (1.0, "batch")


def test_only_part_of_a_network_is_trained_only_where_it_begins_from_weights() -> None:
    from gnet.ui.train.form_check import wanted

    told = said(train_only="heads")
    assert told.locked["train_only"] == "all" and told.troubles == {}
    assert wanted(FIRST, form(train_only="heads"))[0][1].train_only == "all"


def test_a_kernel_of_a_branch_that_is_left_out_cannot_be_set() -> None:
    told = said(model__left_out=["5x5"])
    assert told.notes["model.kernel_5x5"] == "The branch is left out."


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("epochs", None, "Epochs: nothing was given; allowed are whole numbers from 1 to 100."),
        ("epochs", 0, "Epochs: 0 was given; allowed are whole numbers from 1 to 100."),
        ("epochs", 2.5, "Epochs: 2.5 was given; allowed are whole numbers from 1 to 100."),
        ("model.width", 5, "Width: 5 was given; allowed are numbers from 0.25 to 1."),
        (
            "batch",
            100_000,
            "Pictures per step: 100000 was given; allowed are whole numbers from 8 to 256.",
        ),
        ("learning_rate", -1, "Learning rate: -1 was given; allowed are numbers from 0 to 100."),
        (
            "learning_rate",
            "fast",
            "Learning rate: 'fast' was given; allowed are numbers from 0 to 100.",
        ),
        ("aux1_weight", 11, "Weight of aux1: 11 was given; allowed are numbers from 0 to 1."),
        ("seed", -3, "Seed: -3 was given; allowed are whole numbers from 0 to 2147483647."),
        ("optimiser", "magic", "Optimiser: 'magic' was given; allowed are adam, adamw, muon, sgd."),
        ("optimiser", None, "Optimiser: nothing was given; allowed are the choices listed."),
        (
            "model.left_out",
            ["1x1", "3x3", "5x5", "pool"],
            "Branches left out: all four were given; at least one must stay.",
        ),
    ],
)
def test_what_cannot_be_is_one_sentence_at_its_field(field, value, sentence) -> None:
    from gnet.ui.train.form_check import wanted

    changes = {field.replace(".", "__"): value}
    assert said(**changes).troubles == {field: sentence}
    with pytest.raises(GnetError) as caught:
        wanted(FIRST, form(**changes))
    assert str(caught.value) == sentence


def test_several_wrong_fields_each_have_their_sentence() -> None:
    told = said(epochs=0, batch=None, model__left_out=["1x1", "3x3", "5x5", "pool"])
    assert set(told.troubles) == {"epochs", "batch", "model.left_out"}


def test_what_a_server_does_not_allow_is_said_at_the_field_too() -> None:
    told = said(limits=RunLimits(max_epochs=2), epochs=3)
    assert told.troubles == {"epochs": "Epochs: 3 was given; allowed are at most 2 on this server."}
    assert said(limits=RunLimits(enabled=False)).troubles == {}


def test_a_step_that_needs_too_much_memory_is_said_where_its_pictures_are_set() -> None:
    told = said(limits=RunLimits(memory=1e9), batch=4096, size=320, model__width=1)
    assert list(told.troubles) == ["batch"] and "choose a smaller" in told.troubles["batch"]


def test_a_rate_at_which_nothing_is_learnt_has_a_word_and_is_allowed() -> None:
    for rate, word in ((10, "Above 1 hardly any network learns."), (0, "At 0 nothing is learnt.")):
        told = said(learning_rate=rate)
        assert told.notes["learning_rate"] == word and told.troubles == {}


def test_an_experiment_that_was_changed_says_in_what() -> None:
    assert said(epochs=7, model__width=0.5).changed == ("Epochs", "Width")
    assert said(seed=7, gradients_every=0).changed == ()
    assert said("heads", epochs=1).changed == ("Epochs",)


def test_pictures_of_ones_own_are_what_the_experiment_for_them_is_about(tmp_path) -> None:
    from gnet.ui.train.form_check import departures

    experiment = EXPERIMENTS["fine-tune"]
    own = [replace(config, data=str(tmp_path)) for _, config in experiment.runs]
    assert departures(experiment, own) == ()
    first = [replace(FIRST.runs[0][1], data=str(tmp_path))]
    assert departures(FIRST, first) == ("Pictures",)


def test_numbers_arrive_without_their_point_and_change_nothing() -> None:
    """JSON has 0 for 0.0."""
    told = said("collapse", weight_decay=0, aux1_weight=0.3)
    assert told.changed == ()


def test_only_a_run_that_is_its_experiment_is_kept_with_its_key(runs: Runs) -> None:
    from gnet.ui.train.handlers import begin

    def kept(**changes: Any) -> str:
        return runs.shelf.card(begin(runs, OWNER, FIRST, form(**changes))).experiment

    assert kept() == "first-run"
    assert kept(seed=5) == "first-run"
    assert kept(epochs=1) == kept(model__width=0.5) == ""


def test_an_experiments_runs_start_together_or_not_at_all(runs: Runs) -> None:
    from gnet.ui.train.handlers import begin

    experiment = EXPERIMENTS["five-by-five"]
    begin(runs, OWNER, experiment, form("five-by-five"))
    cards = runs.shelf.cards().values()
    assert {card.part for card in cards} == {name for name, _ in experiment.runs}
    assert len({card.group for card in cards}) == 1 and len(cards) == 3
    small = Runs(runs.folder, replace(runs.limits, max_waiting=4))
    with pytest.raises(GnetError):
        begin(small, OWNER, experiment, form("five-by-five"))
    assert len(small.shelf.cards()) == 3


def test_a_server_with_narrow_limits_fills_in_what_it_allows() -> None:
    from gnet.ui.train.handlers import filled_in

    values = filled_in(FIRST, {"epochs": 2, "size": 48})
    assert (values["epochs"], values["size"]) == (2, 48)


def test_weights_that_the_form_does_not_list_are_never_opened(tmp_path) -> None:
    told = said(start=str(tmp_path / "secret.safetensors"))
    assert "start" in " ".join(told.troubles) or told.troubles
    assert "model.width" not in told.locked


def test_pictures_that_are_gone_are_said_where_they_are_chosen(runs: Runs, tmp_path) -> None:
    from gnet.serving.offers import Offers
    from gnet.ui.train.handlers import checked

    offers = Offers((), tmp_path / "zips")
    given = form(data=f"uploaded:{'a' * 22}")
    told = checked(runs, offers, FIRST, given)
    assert told["troubles"] == {
        "data": "That zip was deleted, as zips are after an hour; upload it again."
    }
    assert told["locked"] == ["train_only"]


def test_a_field_that_was_never_locked_is_left_alone() -> None:
    from gnet.ui.train.form import FIELDS
    from gnet.ui.train.handlers import locked

    def touched(values: dict[str, Any], ever: Any) -> dict[str, bool]:
        updates = zip([shown.name for shown in FIELDS], locked(FIRST, values, ever), strict=True)
        return {name: update["interactive"] for name, update in updates if "interactive" in update}

    assert touched(form(), ["train_only"]) == {"train_only": False}
    assert touched(form(), ["train_only", "model.width"]) == {
        "train_only": False,
        "model.width": True,
    }
    assert touched(form(start="everyday"), ["train_only"])["train_only"]
    for nonsense in (None, 7, [["seed"]]):
        assert touched(form(), nonsense) == {"train_only": False}
