"""Switches and the 36-cell map as the page gets them."""

import json
from dataclasses import replace

import pytest
import torch

from gnet.answers.explorer import Chosen, Explorer
from gnet.errors import FieldError, GnetError
from gnet.explain.ablation import MEAN, ablate
from gnet.explain.belief import probabilities
from gnet.explain.branches import LABELS
from gnet.network.config import HEADS, TRAINED
from gnet.network.info import ModelInfo, Preprocessing
from support.networks import network


@pytest.fixture
def explorer() -> Explorer:
    model = network("batch-norm")
    model.info = ModelInfo(
        preprocessing=Preprocessing(size=64), heads=dict.fromkeys(HEADS, TRAINED), digest="these"
    )
    return Explorer(model)


@pytest.fixture
def chosen(photo) -> Chosen:
    return Chosen(content=photo, name="a photo")


@pytest.fixture
def photo() -> bytes:
    from io import BytesIO

    from gnet.data.patterns import pattern
    from gnet.data.pictures import to_image

    file = BytesIO()
    to_image(pattern(2, 64, (1, 2, 3))).save(file, "PNG")
    return file.getvalue()


def test_an_answer_with_switches_is_that_of_the_ablation(explorer, chosen):
    answer = explorer.ablate(chosen, {"4b/5x5": 0, "4c/pool": MEAN, "3a/1x1": 1})
    expected = ablate(
        explorer.model,
        explorer.view(chosen).pixels,
        {"4b/5x5": 0, "4c/pool": MEAN},
        means=explorer.means,
    )
    assert answer["switched"]["switches"] == {"4b/5x5": 0.0, "4c/pool": MEAN}
    assert answer["switched"]["reached"] == ["aux2", "main"]
    fractions = probabilities(expected.after.logits["main"])
    assert answer["heads"]["main"]["probabilities"] == pytest.approx(fractions.tolist(), rel=1e-3)
    assert answer["stages"]["4b"]["branches"]["5x5"]["share"] == 0
    assert "the 5×5 branch of 4b off" in answer["switched"]["sentence"]
    assert answer["switched"]["named"] == (
        "the 5×5 branch of 4b off and the pool branch of 4c at its mean"
    )
    assert len(answer["switched"]["changes"]) == 2
    assert answer["switched"]["most"].startswith("What changed most: class ")
    json.dumps(answer, allow_nan=False)


def test_a_key_finds_the_recording_without_the_picture(explorer, chosen):
    key = explorer.ablate(chosen, {})["key"]
    gone = Chosen(content=b"", name="gone")
    assert explorer.ablate(gone, {"5b/1x1": 0}, key)["key"] == key
    assert explorer.worth(gone, "main", 0, key)["key"] == key
    with pytest.raises(GnetError):
        explorer.ablate(gone, {"5b/1x1": 0}, "another key")


def test_the_map_says_which_branch_a_class_needs_most(explorer, chosen):
    found = explorer.worth(chosen, "main", 2)
    assert len(found["branches"]) == 36
    off = {name: cell["off"]["logit"] for name, cell in found["branches"].items()}
    best = max(off, key=lambda name: off[name])
    stage, branch = best.split("/")
    assert f"{LABELS[branch]} branch of {stage}" in found["sentence"] or off[best] <= 0
    falls = {name: cell["off"]["probability"] for name, cell in found["branches"].items()}
    likely = max(falls, key=lambda name: falls[name])
    stage, branch = likely.split("/")
    told = found["sentence"].partition("probability")[2]
    if falls[likely] >= 0.005 and likely != best:
        assert f"{LABELS[branch]} branch of {stage}" in told
    assert found["limit"] >= 0.999 * max(map(abs, off.values()))
    early = explorer.worth(chosen, "aux1", 2)
    assert early["branches"]["4b/1x1"] == {"off": None, "mean": None}


def test_the_account_names_the_branch_that_adds_most_and_the_gap_to_the_worth(explorer, chosen):
    found = explorer.account(chosen, "main", 2)
    most = max(found["branches"], key=lambda name: found["branches"][name])
    stage, branch = most.split("/")
    assert f"The {LABELS[branch]} branch of {stage} adds most" in found["sentence"]
    off = {n: c["off"]["logit"] for n, c in explorer.worth(chosen, "main", 2)["branches"].items()}
    stage, branch = max(off, key=lambda n: abs(found["branches"][n] - off[n])).split("/")
    assert f"differ most for the {LABELS[branch]} branch of {stage}" in found["sentence"]
    gaps = {name: found["branches"][name] - off[name] for name in off}
    name = f"{stage}/{branch}"
    carried, lost = found["branches"][name], off[name]
    others = "the others more than make up for it" if lost < 0 < carried else "at least in part"
    assert ("more is lost than went through it" if lost >= carried else others) in found["sentence"]
    widest = max(gaps.values(), key=abs)
    other = min(gaps, key=lambda n: gaps[n] * widest)  # furthest on the other side, if any is
    assert ("The other way round" in found["sentence"]) == (gaps[other] * widest < 0)
    if gaps[other] * widest < 0:
        stage, branch = other.split("/")
        told = found["sentence"].partition("The other way round")[2]
        assert f"the {LABELS[branch]} branch of {stage} adds" in told
    assert explorer.account(chosen, "aux1", 2)["branches"]["4b/1x1"] is None


@pytest.mark.parametrize(("head", "target"), [("aux3", 0), (None, 0), ("main", 99), ([], 0)])
def test_an_account_of_an_unknown_head_or_class_is_refused(explorer, chosen, head, target):
    with pytest.raises(GnetError):
        explorer.account(chosen, head, target)


@pytest.mark.parametrize("switches", [None, [], "4b/5x5", {"4b/5x5": -1}, {"9z/5x5": 0}])
def test_switches_that_are_wrong_are_refused(explorer, chosen, switches):
    with pytest.raises(FieldError):
        explorer.ablate(chosen, switches)


@pytest.mark.parametrize(("head", "target"), [("aux3", 0), (None, 0), ("main", 99), ("main", "x")])
def test_a_map_of_an_unknown_head_or_class_is_refused(explorer, chosen, head, target):
    with pytest.raises(GnetError):
        explorer.worth(chosen, head, target)


def test_means_are_taken_once(explorer):
    assert explorer.means is explorer.means
    assert torch.isfinite(explorer.means.values["3a"]["1x1"]).all()


def test_a_key_of_another_network_finds_nothing(explorer, chosen):
    other = Explorer(network("batch-norm"), recordings=explorer.recordings)
    other.model.info = replace(explorer.model.info, digest="others")
    key = explorer.ablate(chosen, {})["key"]
    assert other.ablate(chosen, {"5b/1x1": 0}, key)["key"] != key
