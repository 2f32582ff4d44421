"""Three rounds of guesses: the answer is the map's, and it comes only after a guess."""

import pytest

from gnet.answers import examples
from gnet.answers.explorer import Explorer
from gnet.answers.lab.rounds import PATTERNS, PHOTOS, play
from gnet.data.patterns import CLASSES
from gnet.errors import FieldError, GnetError
from gnet.network.config import BRANCHES, HEADS, STAGES, UNTRAINED
from support.pages import random_network

CAT = examples.chosen("cat")


@pytest.fixture(scope="module")
def explorer() -> Explorer:
    return Explorer(random_network())


@pytest.fixture(scope="module")
def worth(explorer: Explorer) -> dict[str, float]:
    """Branch → points of probability that the answer of main loses without it."""
    key, _ = explorer.found(CAT, None)
    target = explorer.explore(CAT)["heads"]["main"]["top"][0]
    cells = explorer.worth(CAT, "main", target, key)["branches"]
    return {name: 100 * cell["off"]["probability"] for name, cell in cells.items()}


@pytest.mark.parametrize("turn", ["branch", "module", "picture"])
def test_a_question_does_not_hold_its_answer(explorer, turn):
    asked = play(explorer, CAT, turn=turn, stage="4b")
    assert set(asked) == {"round", "number", "of", "question", "choices"}
    assert asked["of"] == 3


def test_the_branch_that_matters_most_is_that_of_the_map(explorer, worth):
    best = max(BRANCHES, key=lambda branch: worth[f"4b/{branch}"])
    answer = play(explorer, CAT, turn="branch", stage="4b", guess=best)
    assert answer["right"] and answer["best"] == best
    for branch in BRANCHES:
        assert answer["falls"][branch] == pytest.approx(worth[f"4b/{branch}"], rel=1e-2, abs=1e-4)
    worst = min(BRANCHES, key=lambda branch: worth[f"4b/{branch}"])
    wrong = play(explorer, CAT, turn="branch", stage="4b", guess=worst)
    assert not wrong["right"] and wrong["sentence"].startswith("Not ")


def test_the_module_that_matters_most_holds_the_branch_that_does(explorer, worth):
    best = max(worth, key=lambda name: worth[name]).partition("/")[0]
    answer = play(explorer, CAT, turn="module", stage="3a", guess="3a")
    assert answer["best"] == best and set(answer["falls"]) == set(STAGES)
    assert answer["right"] == (best == "3a")


def test_the_pictures_are_measured_one_by_one(explorer, worth):
    answer = play(explorer, CAT, turn="picture", stage="4b", guess="cat")
    assert list(answer["falls"]) == list(PHOTOS)
    best = max(BRANCHES, key=lambda branch: worth[f"4b/{branch}"])
    assert answer["falls"]["cat"] == pytest.approx(worth[f"4b/{best}"], rel=2e-2, abs=1e-3)


def test_a_network_that_learned_patterns_is_asked_about_patterns():
    model = random_network()
    model.info.__dict__["classes"] = (*CLASSES, "a", "b")
    asked = play(Explorer(model), CAT, turn="picture", stage="4b")
    assert [choice["id"] for choice in asked["choices"]] == list(PATTERNS)


@pytest.mark.parametrize(
    "wrong", [{"turn": "fourth"}, {"turn": None}, {"stage": "4f"}, {"guess": "7x7"}, {"guess": {}}]
)
def test_what_cannot_be_asked_is_refused(explorer, wrong):
    with pytest.raises((FieldError, GnetError)):
        play(explorer, CAT, **({"turn": "branch", "stage": "4b"} | wrong))


def test_an_untrained_network_is_not_asked():
    model = random_network(**dict.fromkeys(HEADS, UNTRAINED))
    with pytest.raises(GnetError, match="trained"):
        play(Explorer(model), CAT, turn="branch", stage="4b")
