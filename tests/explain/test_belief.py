"""The answer of a head in words: the class, or its family where the class is not certain."""

import json
from dataclasses import replace

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from gnet.explain.belief import answer, belief, doubt, heads_compared, sentence, some_of
from gnet.explain.recording import Recording, record
from gnet.network.config import TRAINED
from gnet.network.info import ModelInfo, Sureness
from support.networks import network

CLASSES = ("beagle", "poodle", "hat", "shoe", "lake")
FAMILIES = ("dog", "dog", "clothing", "clothing", "building or place")


@pytest.fixture(scope="module")
def recorded() -> Recording:
    model = network("batch-norm")
    model.info = ModelInfo(classes=CLASSES, families=FAMILIES, heads={"main": TRAINED})
    return record(model, torch.rand(1, 3, 64, 64))


def believing(recorded: Recording, *shares: float, certain: float, threshold: float = 0.0):
    """A recording whose main head believes `shares`, and is certain from `certain` on."""
    known = Sureness(
        score="maximum probability",
        threshold=threshold,
        false_alarms=0.05,
        detected=0.4,
        certain=certain,
    )
    logits = torch.tensor(shares).log()
    return replace(recorded, logits={"main": logits}, sure={"main": known})


@pytest.mark.parametrize(
    ("shares", "words"),
    [
        ((0.41, 0.45, 0.10, 0.02, 0.02), "a dog, 86 %; most likely poodle, 45 %"),
        ((0.28, 0.28, 0.40, 0.02, 0.02), "a dog, 56 %; the likeliest class is hat, 40 %"),
        ((0.02, 0.02, 0.50, 0.002, 0.458), "perhaps hat, 50 %"),
        ((0.05, 0.90, 0.02, 0.02, 0.01), "poodle, 90 %"),
    ],
)
def test_the_family_is_given_where_the_class_is_not_certain(recorded, shares, words) -> None:
    seen = believing(recorded, *shares, certain=0.6)
    assert answer(seen, belief(seen).heads["main"]) == words
    assert sentence(seen, "main") == f"The main classifier says {words}."


@pytest.mark.parametrize(
    ("chances", "words"),
    [
        ({"aux1": 0.9, "aux2": 0.5, "main": 0.6}, "aux1 is surer than main: "),
        ({"aux1": 0.9, "aux2": 0.8, "main": 0.6}, "aux1 and aux2 are surer than main: "),
        ({"aux1": 0.6, "aux2": 0.5, "main": 0.6}, ""),
        ({"aux1": 0.64, "main": 0.6}, ""),
        ({"aux1": 0.9}, ""),
    ],
)
def test_an_early_head_that_is_surer_than_main_is_named(recorded, chances, words) -> None:
    logits = {head: torch.tensor([p, 1 - p, 0, 0, 0]).log() for head, p in chances.items()}
    heads = dict.fromkeys(chances, TRAINED)
    said = heads_compared(replace(recorded, logits=logits, sure={}, heads=heads))
    assert said.startswith(words) and bool(said) == bool(words)


def test_heads_that_name_different_classes_are_said_to_before_any_is_called_surer(recorded) -> None:
    chances = {"aux1": [0.1, 0.9], "aux2": [0.9, 0.1], "main": [0.6, 0.4]}
    logits = {head: torch.tensor([*pair, 0, 0, 0]).log() for head, pair in chances.items()}
    heads = dict.fromkeys(chances, TRAINED)
    seen = replace(recorded, logits=logits, sure={}, heads=heads)
    first, second = recorded.class_name(0), recorded.class_name(1)
    assert heads_compared(seen) == f"aux1 says {second}; aux2 and main say {first}."
    unsure = replace(
        seen, sure=believing(recorded, *chances["main"], certain=0.0, threshold=0.9).sure
    )
    words = f"aux1 says {second}; aux2 says {first}; main is not sure."
    assert heads_compared(unsure) == words


def test_without_families_or_a_threshold_the_class_is_given(recorded) -> None:
    seen = believing(recorded, 0.4, 0.3, 0.1, 0.1, 0.1, certain=0.6)
    bare = replace(seen, families=())
    assert answer(bare, belief(bare).heads["main"]) == "beagle, 40 %"
    unmeasured = replace(seen, sure={})
    assert answer(unmeasured, belief(unmeasured).heads["main"]) == "beagle, 40 %"
    assert doubt(unmeasured, "main") == doubt(seen, "main") == ""


def test_a_head_that_is_not_sure_says_by_which_numbers(recorded) -> None:
    seen = believing(recorded, 0.3, 0.2, 0.2, 0.2, 0.1, certain=0.9, threshold=0.5)
    assert sentence(seen, "main") == "The main classifier is not sure; nearest is beagle, 30 %."
    assert "The maximum probability is 30 %, below 50 %." in doubt(seen, "main")
    assert "for 5.0 % of pictures of known classes and for 40 % of others" in doubt(seen, "main")


def test_a_familys_probability_is_that_of_its_classes_together(recorded) -> None:
    seen = believing(recorded, 0.4, 0.3, 0.1, 0.1, 0.1, certain=0.6)
    shares = belief(seen).heads["main"].families
    assert shares == pytest.approx({"dog": 0.7, "clothing": 0.2, "building or place": 0.1})
    assert next(iter(shares)) == "dog"


def test_one_of_a_family_has_its_article() -> None:
    assert some_of("dog") == "a dog" and some_of("insect or spider") == "an insect or spider"
    assert some_of("clothing") == "clothing"


def test_families_are_kept_and_an_older_recording_loads_without_them(recorded, tmp_path) -> None:
    path = tmp_path / "seen.safetensors"
    recorded.save(path)
    assert Recording.load(path).families == FAMILIES
    with safe_open(path, "pt") as file:
        header = json.loads(file.metadata()["recording"])
    del header["families"]
    save_file(load_file(path), path, {"recording": json.dumps(header)})
    assert Recording.load(path).families == ()
