"""Two sides on one scale: pictures, classes, networks; what is gone costs the other nothing."""

from pathlib import Path

import pytest

from gnet.answers.explorer import Explorer
from gnet.answers.explorers import Explorers
from gnet.answers.lab.comparison import MOST, compare
from gnet.errors import GnetError
from gnet.explain.branches import statistics
from gnet.network.config import BRANCHES, HEADS, STAGES, TRAINED, UNTRAINED
from gnet.network.info import ModelInfo, Preprocessing
from gnet.network.weights import save
from gnet.serving.networks.own import OwnNetworks
from support.networks import network
from support.pages import photo, random_network

CAT, COFFEE = {"picture": {"example": "cat"}}, {"picture": {"example": "coffee"}}


@pytest.fixture(scope="module")
def uploads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("uploads")


@pytest.fixture(scope="module")
def explorers(uploads: Path) -> Explorers:
    return Explorers(Explorer(random_network()), uploads=uploads)


def numbers(explorers: Explorers, asked: dict) -> dict:
    explorer, chosen = explorers.resolve(asked["picture"])
    recording = explorer.found(chosen, None)[1].recording
    return {stage: statistics(recording, stage) for stage in STAGES}


def test_two_pictures_share_one_scale_for_all_their_branches(explorers):
    found = compare(explorers, {"left": CAT, "right": COFFEE})
    table, expected = found["branches"], [numbers(explorers, one) for one in (CAT, COFFEE)]
    largest = 0.0
    for stage in STAGES:
        for branch in BRANCHES:
            shares = [one[stage][branch].share for one in expected]
            assert table["cells"][stage][branch] == pytest.approx(shares, rel=1e-3)
            largest = max(largest, *shares)
    assert table["measure"] == "share" and table["limit"] == pytest.approx(largest, rel=1e-3)
    assert "on the left and" in table["sentence"]
    assert [side["name"] for side in found["sides"]] == ["a cat", "a cup of coffee"]
    assert set(found["depth"]["heads"]) == set(HEADS)
    assert "There are no probes for random" in found["depth"]["note"]


def test_bars_hold_the_likeliest_classes_of_both(explorers):
    found = compare(explorers, {"left": CAT, "right": COFFEE})
    rows = {row["class"]: row["values"] for row in found["bars"]["rows"]}
    assert len(rows) <= MOST
    assert {side["class"] for side in found["sides"]} <= rows.keys()
    assert all(0 <= value <= 1 for values in rows.values() for value in values)


def test_two_classes_of_one_picture_differ_in_what_branches_are_worth(explorers):
    left, right = {**CAT, "class": "thing 1"}, {**CAT, "class": "thing 2"}
    found = compare(explorers, {"left": left, "right": right})
    table = found["branches"]
    explorer, chosen = explorers.resolve(CAT["picture"])
    worth = explorer.worth(chosen, "main", 2)["branches"]["4b/3x3"]["off"]["logit"]
    assert table["measure"] == "worth" and table["signed"]
    assert table["cells"]["4b"]["3x3"][1] == pytest.approx(worth, rel=1e-3)
    assert [side["class"] for side in found["sides"]] == ["thing 1", "thing 2"]


def test_a_picture_that_is_gone_is_named_and_the_other_one_is_shown(explorers, uploads):
    file = uploads / "holiday.jpg"
    file.write_bytes(photo(80, 60))
    mine = {"picture": {"path": str(file), "orig_name": "holiday.jpg"}}
    assert not any(
        one["error"] for one in compare(explorers, {"left": mine, "right": CAT})["sides"]
    )
    file.unlink()
    found = compare(explorers, {"left": CAT, "right": mine})
    left, right = found["sides"]
    assert left["error"] == "" and left["name"] == "a cat"
    assert right["error"].startswith("The right picture, holiday.jpg, cannot be shown: the picture")
    assert found["branches"]["cells"]["4b"]["1x1"][1] is None
    assert found["branches"]["cells"]["4b"]["1x1"][0] is not None
    assert found["branches"]["sentence"] == ""
    with pytest.raises(GnetError, match="left picture, holiday"):
        compare(explorers, {"left": mine, "right": mine})


def test_a_key_shows_a_picture_whose_file_is_gone(explorers, uploads):
    file = uploads / "kept.jpg"
    file.write_bytes(photo(80, 60, 1))
    mine = {"picture": {"path": str(file), "orig_name": "kept.jpg"}}
    explorer, chosen = explorers.resolve(mine["picture"])
    key, _ = explorer.found(chosen, None)
    file.unlink()
    found = compare(explorers, {"left": CAT, "right": {**mine, "key": key}})
    assert [one["error"] for one in found["sides"]] == ["", ""]


@pytest.mark.parametrize("asked", [None, [], "cat", {"left": 3}, {"left": CAT["picture"]}])
def test_a_question_without_a_picture_is_refused(explorers, asked):
    with pytest.raises(GnetError):
        compare(explorers, asked)


def test_an_unknown_class_or_network_is_a_trouble_of_its_side(explorers):
    for right in ({**CAT, "class": "nothing"}, {"picture": {"example": "cat", "net": "x" * 22}}):
        found = compare(explorers, {"left": CAT, "right": right})
        assert found["sides"][0]["error"] == "" and found["sides"][1]["error"]


@pytest.fixture
def own(explorers, tmp_path):
    """Ids of three networks: 3×3 in place of 5×5, without heads, with untrained heads."""
    files = OwnNetworks(tmp_path)
    explorers.offers.own = files

    def given(name: str, **changes) -> str:
        model = network("batch-norm", num_classes=3, **changes)
        heads = dict.fromkeys(HEADS, UNTRAINED) | {"main": TRAINED}
        classes = ("thing 1", "thing 2", "moon")
        model.info = ModelInfo(classes=classes, heads=heads, preprocessing=Preprocessing(size=32))
        path = files.reserve(f"{name}.safetensors", 0)
        save(model, path)
        return files.accept(path)

    return {"small": given("small", kernel_5x5=3), "bare": given("bare", aux=False)}


def of(net: str) -> dict:
    return {"picture": {"example": "cat", "net": net}}


def test_two_networks_are_told_apart_in_classes_heads_and_kernels(explorers, own):
    found = compare(explorers, {"left": CAT, "right": of(own["small"])})
    assert [side["network"] for side in found["sides"]] == ["random", "small"]
    rows = {row["class"]: row["values"] for row in found["bars"]["rows"]}
    assert rows["moon"][0] is None and rows["moon"][1] is not None
    assert "random knows 12 classes and small 3; 2 names are the same" in found["bars"]["note"]
    assert found["branches"]["note"] == "The 5×5 branch of small is really 3×3."
    assert found["depth"]["heads"]["aux1"][1] is None, "untrained: no belief"
    assert "aux1 and aux2 of small are untrained and not shown." in found["depth"]["note"]


def test_a_network_without_heads_stands_beside_one_with_heads(explorers, own):
    found = compare(explorers, {"left": of(own["small"]), "right": of(own["bare"])})
    assert found["bars"]["note"] == "", "the same classes"
    assert set(found["depth"]["heads"]) == {"main"}
    assert "bare has no auxiliary heads." in found["depth"]["note"]
    assert all(pair == [None, None] for pair in found["depth"]["stages"].values())


def test_an_answer_says_what_was_asked(explorers):
    asked = {"left": CAT, "right": COFFEE}
    assert compare(explorers, asked)["asked"] == asked
