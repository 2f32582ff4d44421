"""The figures of lessons against what the page itself shows, and the table in the documentation."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gnet.answers import examples
from gnet.answers.explorer import Explorer
from gnet.answers.explorers import Explorers
from gnet.answers.lessons.figures import FIGURES, PLACES, fill, find, parse_figure, rows
from gnet.answers.lessons.found import Number, Ranking, Scene
from gnet.answers.lessons.teaching import Learner, scene_of
from gnet.errors import FieldError, GnetError
from gnet.network.config import BRANCHES, STAGES
from gnet.runs.outcomes import outcome
from gnet.serving.shelf import RunShelf
from support import told_runs
from support.pages import random_network
from support.root import ROOT

CAT = {"example": "cat"}


@pytest.fixture(scope="module")
def explorers() -> Explorers:
    return Explorers(Explorer(random_network()))


@pytest.fixture(scope="module")
def scene(explorers: Explorers) -> Scene:
    return scene_of(explorers, Learner(picture=CAT))


@pytest.fixture(scope="module")
def shown(explorers: Explorers) -> dict[str, Any]:
    """The same picture's answer as the page draws it."""
    return explorers.served.explore(examples.chosen("cat"))


def value(scene: Scene, text: str) -> float:
    found = find(scene, text)
    assert isinstance(found, Number)
    return found.value


def ranking(scene: Scene, text: str) -> Ranking:
    found = find(scene, text)
    assert isinstance(found, Ranking)
    return found


@pytest.mark.parametrize("stage", STAGES)
def test_a_branch_has_the_numbers_that_the_page_shows(scene, shown, stage):
    for branch in BRANCHES:
        drawn = shown["stages"][stage]["branches"][branch]
        place = f"{stage}, {branch}"
        assert value(scene, f"share: {place}") == pytest.approx(100 * drawn["share"], rel=1e-3)
        assert value(scene, f"silent: {place}") == pytest.approx(100 * drawn["sparsity"], rel=1e-3)
        assert value(scene, f"channels: {place}") == drawn["channels"]
        assert value(scene, f"field: {place}") == drawn["field"][0]
        assert value(scene, f"cells: {stage}") == drawn["grid"][1]


def test_branches_are_ranked_by_those_numbers(scene, shown):
    drawn = shown["stages"]["4b"]["branches"]
    assert ranking(scene, "busiest: 4b").best == max(drawn, key=lambda b: drawn[b]["share"])
    assert ranking(scene, "strongest: 4b").best == max(drawn, key=lambda b: drawn[b]["mean"])
    widest = ranking(scene, "widest: 4b")
    assert widest.best == "5x5" and widest.words == "5×5"
    assert widest.values["3x3"] == widest.values["pool"] > widest.values["1x1"]


def test_heads_are_those_of_the_belief(scene, shown):
    for head, held in shown["heads"].items():
        first = held["top"][0]
        assert value(scene, f"chance: {head}") == pytest.approx(
            100 * held["probabilities"][first], rel=1e-3
        )
        assert value(scene, f"entropy: {head}") == pytest.approx(held["entropy"], rel=1e-3)
        assert ranking(scene, f"answer: {head}").best == str(first)
    assert ranking(scene, "agree").best == ("yes" if shown["agree"] else "no")


def test_what_a_branch_is_worth_is_that_of_a_switched_network(explorers, scene, shown):
    first = shown["heads"]["main"]["top"][0]
    explorer, cat = explorers.served, examples.chosen("cat")
    after = explorer.ablate(cat, {"4b/5x5": 0})["heads"]["main"]
    before = shown["heads"]["main"]["probabilities"][first]
    lost = 100 * (before - after["probabilities"][first])
    assert value(scene, "fall: 4b, 5x5") == pytest.approx(lost, abs=0.02)
    assert value(scene, "left: 4b, 5x5") == pytest.approx(100 * before - lost, abs=0.02)
    assert ranking(scene, "without: 4b, 5x5").best == str(after["top"][0])
    falls = {b: value(scene, f"fall: 4b, {b}") for b in BRANCHES}
    assert ranking(scene, "needed: 4b").values == pytest.approx(falls)
    most = {s: max(ranking(scene, f"needed: {s}").values.values()) for s in STAGES}
    assert ranking(scene, "needed-module").values == pytest.approx(most)


def test_branches_that_can_be_spared_are_counted_one_by_one(explorers, scene, shown):
    first = shown["heads"]["main"]["top"][0]
    explorer, cat = explorers.served, examples.chosen("cat")
    same = [
        explorer.ablate(cat, {f"{stage}/{branch}": 0})["heads"]["main"]["top"][0] == first
        for stage in STAGES
        for branch in BRANCHES
    ]
    assert value(scene, "spare") == sum(same)


def test_what_is_measured_for_a_cell_and_for_stripes_is_what_the_page_measures(explorers, scene):
    explorer = explorers.served
    sides = explorer.measure(examples.chosen("cat"), "3b")["sides"]
    assert value(scene, "felt: 3b, 3x3") == sides["3x3"]
    curves, periods = explorer.scales.curves("3a"), explorer.scales.periods
    peaks = {b: periods[c.peak] for b, c in curves.items() if c.peak is not None}
    assert ranking(scene, "coarsest: 3a").values == peaks


def test_the_way_to_an_early_head_costs_a_part_of_the_whole(scene):
    early, late = value(scene, "cost: aux1"), value(scene, "cost: aux2")
    assert 0 < early < late < 100 == value(scene, "cost: main")


def test_what_was_never_measured_is_a_sentence(scene):
    for figure in ("right: main", "best-head", "settled"):
        with pytest.raises(GnetError, match="bundled"):
            find(scene, figure)


def test_a_network_with_one_trained_head_cannot_be_asked_who_agrees():
    model = random_network(aux1="untrained", aux2="untrained")
    scene = scene_of(Explorers(Explorer(model)), Learner(picture=CAT))
    for figure in ("agree", "surest"):
        with pytest.raises(GnetError, match="two heads"):
            find(scene, figure)
    with pytest.raises(GnetError, match="trained heads here are main"):
        find(scene, "chance: aux1")


@pytest.fixture
def trained(explorers: Explorers, tmp_path: Path) -> tuple[Scene, dict[str, Any]]:
    """A learner whose two runs of one experiment have ended, and how each came out."""
    found, told = {}, told_runs.Told(tmp_path)
    for name, aux in (("with heads", True), ("without heads", False)):
        run = told_runs.config(aux=aux)
        told.put(name, run, experiment="heads")
        found[name] = outcome(told_runs.whole(run))
    others = Explorers(explorers.served, RunShelf(tmp_path))
    return scene_of(others, Learner(picture=CAT, owner=told_runs.OWNER)), found


def test_runs_have_the_figures_of_their_events(trained):
    scene, found = trained
    for name, came_out in found.items():
        place = f"heads, {name}"
        assert value(scene, f"accuracy: {place}, main") == pytest.approx(100 * came_out.main)
        assert value(scene, f"loss: {place}") == pytest.approx(came_out.train_loss["main"])
        assert value(scene, f"guessing: {place}") == pytest.approx(10)
        assert fill(scene, f"{{flat: {place}}}") == "2.3\u00a0nats"
    with pytest.raises(GnetError, match="has no head aux1"):
        find(scene, "accuracy: heads, without heads, aux1")
    assert set(ranking(scene, "best-run: heads").values) == set(found)
    assert set(ranking(scene, "best-head-of: heads, with heads").values) == {"aux1", "aux2", "main"}


def test_a_run_that_is_not_there_or_not_ones_own_is_a_sentence(trained, scene):
    with pytest.raises(GnetError, match=r"“first run” yet\. Choose the experiment"):
        find(trained[0], "accuracy: first-run, first run, main")
    for owner in ("", "somebody-else-entirely"):
        with pytest.raises(GnetError, match="You have no finished runs"):
            find(replace(trained[0], owner=owner), "best-run: heads")
    with pytest.raises(GnetError, match="Nobody can train"):
        find(scene, "best-run: heads")


def test_a_run_that_trains_is_waited_for(explorers: Explorers, tmp_path: Path):
    told = told_runs.Told(tmp_path)
    run = told_runs.config()
    told.put("first run", run, told_runs.whole(run)[:2], live=True, experiment="first-run")
    others = Explorers(explorers.served, RunShelf(tmp_path))
    scene = scene_of(others, Learner(picture=CAT, owner=told_runs.OWNER))
    with pytest.raises(GnetError, match=r"Once “first run” has ended, the answer stands here\."):
        find(scene, "accuracy: first-run, first run, main")
    told.end()


def test_a_figure_is_named_with_what_stands_in_its_places():
    figure, places = parse_figure("share: 3a, 5×5", "text")
    assert (figure.name, places) == ("share", ("3a", "5x5"))
    assert {place for one in FIGURES.values() for place in one.places} == {*PLACES, "run"}
    with pytest.raises(FieldError, match="share"):
        parse_figure("__class__", "text")


def test_the_documentation_has_the_table_of_figures():
    page = (ROOT / "docs" / "writing-lessons.md").read_text(encoding="utf-8")
    table = page.split("## The figures")[1]
    found = re.findall(r"^\| `([^`]+)` \| (.+?) \| (.+) \|$", table, re.MULTILINE)
    assert found == rows()
