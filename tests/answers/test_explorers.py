"""Networks of runs in Explore: any shape of network, few in memory, and nothing named unchecked."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from gnet.answers import channel, examples
from gnet.answers import explorer as exploring
from gnet.answers.explorer import Chosen, Explorer
from gnet.answers.explorers import MOST, Explorers
from gnet.data.datasets import open_dataset
from gnet.errors import GnetError
from gnet.evaluation.review import review
from gnet.explain.belief import belief
from gnet.explain.recording import record
from gnet.network.config import BRANCHES, HEADS, STAGES, TRAINED, UNTRAINED, ModelConfig
from gnet.network.info import ModelInfo, Preprocessing
from gnet.network.model import GoogLeNet
from gnet.network.weights import BUNDLED, save
from gnet.runs.folder import BEST, LAST, RunFolder
from gnet.serving.networks.offered import NetworkOffers
from gnet.serving.networks.own import OwnNetworks
from gnet.serving.reviews import Reviews
from gnet.serving.run_card import RunCard, write_card
from gnet.serving.run_review import REVIEW
from gnet.serving.shelf import RunShelf
from gnet.system.download import sha256_of
from support.pages import photo, random_network

CAT = {"example": "cat"}


A, B = "a" * 22, "b" * 22
"""Ids of runs."""


class Shelf(RunShelf):
    """Runs as a server has them, each with the weights it was given."""

    def put(self, net: str, model: GoogLeNet, name: str = LAST) -> None:
        save(model, self.folder / net / name)
        card = RunCard(name=f"run {net[0]}", experiment="", owner="", created=0.0)
        write_card(self.folder / net, card)


@pytest.fixture(scope="module")
def served() -> Explorer:
    return Explorer(random_network())


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


@pytest.fixture
def explorers(served: Explorer, shelf: Shelf) -> Explorers:
    return Explorers(served, shelf, Reviews())


def small(preset: str = "batch-norm", size: int = 32, **changes) -> GoogLeNet:
    torch.manual_seed(1)
    config = ModelConfig.preset(preset, **({"num_classes": 10, "width": 0.0625} | changes))
    there = HEADS if config.aux else ("main",)
    heads = {head: TRAINED if head in there else UNTRAINED for head in HEADS}
    names = tuple(f"thing {index}" for index in range(config.num_classes))
    info = ModelInfo(classes=names, heads=heads, preprocessing=Preprocessing(size=size))
    return GoogLeNet(config, info).eval()


def test_a_picture_without_a_network_goes_to_the_one_that_is_served(
    explorers: Explorers, served: Explorer
) -> None:
    for named in ({}, {"net": ""}, {"net": None}):
        explorer, chosen = explorers.resolve(CAT | named)
        assert explorer is served and chosen.example == "cat"
    assert "network" not in served.explore(examples.chosen("cat"))


def test_a_run_is_looked_at_with_its_own_weights(explorers: Explorers, shelf: Shelf) -> None:
    model = small()
    shelf.put(A, model)
    explorer, chosen = explorers.resolve(CAT | {"net": A})
    answer = explorer.explore(chosen)
    told = belief(record(model, explorer.view(chosen).pixels)).heads["main"]
    assert answer["heads"]["main"]["probabilities"] == pytest.approx(told.probabilities, abs=2e-3)
    assert answer["net"] == A and answer["network"]["name"] == "run a"
    assert len(answer["network"]["classes"]) == 10 and answer["picture"]["size"] == 32
    assert {head["status"] for head in answer["network"]["heads"]} == {TRAINED}


@pytest.mark.parametrize(
    "model",
    [
        lambda: small(size=64, width=0.25),
        lambda: small(left_out="5x5,pool"),
        lambda: small(aux=False),
        lambda: small("pre-activation"),
        lambda: small("torchvision", num_classes=2),
        lambda: small(stem="small", norm="none"),
        lambda: GoogLeNet(small().config).eval(),
    ],
    ids=["64 px", "left out", "no heads", "pre-activation", "two classes", "no norm", "unnamed"],
)
def test_networks_of_every_shape_can_be_explored_measured_and_asked(
    explorers: Explorers, shelf: Shelf, model
) -> None:
    shelf.put(A, model())
    explorer, chosen = explorers.resolve(CAT | {"net": A})
    answer = explorer.explore(chosen)
    assert "NaN" not in json.dumps(answer)
    for stage in STAGES:
        parts = answer["stages"][stage]["branches"]
        assert sum(part["share"] for part in parts.values()) == pytest.approx(1, abs=1e-3)
        assert all(part["channels"] >= len(part["top"]) > 0 for part in parts.values())
    sides = explorer.measure(chosen, "4b", answer["key"])["sides"]
    assert set(sides) == set(BRANCHES)
    trained = [head for head, told in answer["heads"].items() if "top" in told]
    for head in trained:
        why = explorer.attribute(chosen, "saliency", head, "1", None)
        assert why["net"] == A and why["target"] == 1
    unnamed = not explorer.model.info.classes
    assert (
        bool(trained) != unnamed
        and len(explorer.network["classes"]) == explorer.model.config.num_classes
    )


def test_newer_weights_take_the_place_of_older_ones(explorers: Explorers, shelf: Shelf) -> None:
    shelf.put(A, small())
    first = explorers.find(A)
    assert explorers.find(A) is first
    shelf.put(A, small(num_classes=3))
    assert explorers.find(A).model.config.num_classes == 3
    shelf.put(A, small(num_classes=4), BEST)
    assert explorers.find(A).model.config.num_classes == 4


def test_only_the_networks_looked_at_last_are_kept(
    explorers: Explorers, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gnet.answers.explorers.MOST", MOST - 1)
    names = [f"r{index:021}" for index in range(MOST)]
    for name in names:
        shelf.put(name, small())
    first = {name: explorers.find(name) for name in names}
    assert [explorers.find(name) is first[name] for name in names[1:]] == [True] * (MOST - 1)
    assert explorers.find(names[0]) is not first[names[0]]


def test_recordings_of_all_networks_share_one_memory(
    explorers: Explorers, shelf: Shelf, served: Explorer
) -> None:
    shelf.put(A, small())
    explorer = explorers.find(A)
    assert explorer.recordings is served.recordings
    cat = examples.chosen("cat")
    assert explorer.view(cat).key != served.view(cat).key


@pytest.fixture
def looked_at(shelf: Shelf):
    """A run whose network was reviewed on ten patterns."""
    patterns = open_dataset("built-in", "val", per_class=1, size=32)
    model = small()
    model.info = replace(model.info, classes=patterns.classes)
    shelf.put(A, model)
    made = review(model, patterns, model.info.preprocessing)
    made = replace(made, weights=sha256_of(shelf.weights(A)))
    made.save(shelf.folder / A / REVIEW)
    return made


def test_a_picture_of_a_review_is_explored_as_it_was_judged(
    explorers: Explorers, looked_at
) -> None:
    for index in (0, 7):
        explorer, chosen = explorers.resolve({"net": A, "tile": f"{A}.{index}"})
        answer = explorer.explore(chosen)
        assert answer["tile"] == f"{A}.{index}" and looked_at.classes[index] in answer["name"]
        for head, told in looked_at.answer(index)["heads"].items():
            [likeliest, sure] = told["top"][0]
            assert answer["heads"][head]["top"][0] == likeliest
            assert answer["heads"][head]["probabilities"][likeliest] == pytest.approx(
                sure, abs=2e-3
            )
        right = looked_at.answer(index)["heads"]["main"]["right"]
        mark = "✓ right:" if right else "✗ it is:"
        truth = looked_at.classes[looked_at.labels[index]]
        assert answer["verdict"] == {"right": right, "sentence": f"{mark} {truth}"}
    assert explorer.network["heads"][0]["top1"] is not None


def test_before_a_review_the_picture_that_a_run_watches_is_explored(
    explorers: Explorers, shelf: Shelf
) -> None:
    shelf.put(A, random_network(size=32))
    with pytest.raises(GnetError, match="pinned no picture"):
        explorers.resolve({"net": A, "tile": f"{A}.pinned"})
    RunFolder(shelf.folder / A).keep_pinned(torch.full((3, 32, 32), 7, dtype=torch.uint8))
    explorer, chosen = explorers.resolve({"net": A, "tile": f"{A}.pinned"})
    answer = explorer.explore(chosen)
    assert answer["tile"] == f"{A}.pinned" and not answer.get("verdict")


def test_a_run_that_is_renamed_is_named_so_in_explore(explorers: Explorers, shelf: Shelf) -> None:
    shelf.put(A, random_network(size=32))
    assert explorers.find(A).network["name"] == "run a"
    assert explorers.find(A) is explorers.find(A)
    write_card(shelf.folder / A, replace(shelf.card(A), name="the best"))
    assert explorers.find(A).network["name"] == "the best"


def test_another_network_can_look_at_the_picture_of_a_review(
    explorers: Explorers, looked_at
) -> None:
    explorer, chosen = explorers.resolve({"tile": f"{A}.3", "box": [0, 0, 16]})
    assert explorer is explorers.served and explorer.view(chosen).box == (0, 0, 16)


@pytest.mark.parametrize(
    ("picture", "sentence"),
    [
        (CAT | {"net": B}, "no such run here"),
        (CAT | {"net": "../etc"}, "no such run here"),
        (CAT | {"net": 7}, "There is no network '7'"),
        (CAT | {"net": ["a"] * 999}, "There is no network"),
        ({"net": A, "tile": f"{A}.10"}, "number 10; allowed are 0 to 9"),
        ({"net": A, "tile": f"{A}.-1"}, "allowed are a run, a dot"),
        ({"net": A, "tile": [A, 1]}, "allowed are a run, a dot"),
        ({"net": A, "tile": f"{B}.1"}, "no such run here"),
        ({"net": A, "tile": f"{A}.1", "box": "x"}, "three numbers"),
        ({"net": A}, "No picture was given"),
        (None, "No picture was given"),
    ],
)
def test_what_names_no_network_or_picture_is_refused(
    explorers: Explorers, looked_at, picture, sentence: str
) -> None:
    with pytest.raises(GnetError, match=sentence) as caught:
        explorers.resolve(picture)
    assert len(str(caught.value)) < 200


def test_without_runs_there_is_only_the_served_network(served: Explorer) -> None:
    with pytest.raises(GnetError, match="there is the one served here"):
        Explorers(served).find(A)


@pytest.fixture
def offered(served: Explorer, shelf: Shelf, tmp_path: Path) -> Explorers:
    offers = NetworkOffers(served="first", own=OwnNetworks(tmp_path / "own"))
    return Explorers(served, shelf, offers=offers)


def given(explorers: Explorers, name: str = "birds.safetensors", **changes) -> str:
    path = explorers.offers.own.reserve(name, 0)
    save(small(**changes), path)
    return explorers.offers.own.accept(path)


def test_a_file_of_ones_own_is_explored_under_its_name(offered: Explorers) -> None:
    net = given(offered, kernel_5x5=3)
    explorer, chosen = offered.resolve(CAT | {"net": net})
    answer = explorer.explore(chosen)
    assert answer["net"] == net and answer["network"]["name"] == "birds"
    assert "from a file of yours" in answer["network"]["about"]
    assert "Its 5×5 is really 3×3." in answer["network"]["about"]
    assert offered.find(net) is explorer, "loaded once, shared by all"


def test_a_file_that_is_gone_is_gone_from_memory_too(offered: Explorers) -> None:
    net = given(offered)
    offered.find(net)
    offered.offers.own.discard(offered.offers.own.find(net))
    for _ in range(2):
        with pytest.raises(GnetError, match="no longer here"):
            offered.find(net)


def test_files_and_runs_share_one_bound_in_memory(
    offered: Explorers, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gnet.answers.explorers.MOST", 2)
    shelf.put(A, small())
    nets = [given(offered, f"{name}.safetensors") for name in "xy"]
    first = offered.find(nets[0])
    offered.find(A)
    assert offered.find(nets[0]) is first
    offered.find(nets[1])  # the run was looked at longest ago
    assert offered.find(nets[0]) is first


def test_the_name_of_the_served_network_means_the_served_one(
    offered: Explorers, served: Explorer
) -> None:
    assert offered.find("first") is served
    if BUNDLED.is_file():
        assert offered.find("everyday").network["name"] == "everyday"


def test_published_weights_are_not_fetched_for_an_address(
    offered: Explorers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GNET_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("GNET_IMAGENET_URL", "http://127.0.0.1:1/googlenet-00000000.pth")
    with pytest.raises(GnetError, match="not on this server"):
        offered.find("imagenet")


@pytest.mark.parametrize(
    ("net", "words"),
    [
        (B, "no such run here"),
        ("file:birds", "only the browser tab which gave it can show"),
        ("file-" + "a" * 22, "no longer here"),
        (["a"], "There is no network"),
    ],
)
def test_an_address_of_a_network_that_is_gone_opens_the_served_one_and_says_so(
    offered: Explorers, served: Explorer, net, words: str
) -> None:
    asked = CAT | {"net": net, "tile": f"{B}.1", "opening": True}
    picture, instead = offered.opened(asked)
    assert picture == CAT and words in instead
    assert instead.endswith("Shown here is random, the network served first.")
    assert offered.resolve(picture)[0] is served


def test_an_address_of_a_network_that_is_there_opens_it(offered: Explorers, shelf: Shelf) -> None:
    shelf.put(A, small())
    asked = CAT | {"net": A}
    assert offered.opened(asked | {"opening": True}) == (asked, "")
    assert offered.opened(asked) == (asked, "")
    assert offered.opened(None) == (None, "")


def test_two_pictures_at_once_are_answered_as_one_after_the_other(tmp_path: Path) -> None:
    pictures = [tmp_path / f"{seed}.jpg" for seed in range(8)]
    for seed, path in enumerate(pictures):
        path.write_bytes(photo(160, 120, seed))
    model = random_network()

    def answer(explorer: Explorer, path: Path) -> str:
        chosen = Chosen(path=path, name=path.name)
        answers = explorer.explore(chosen), explorer.ablate(chosen, {"4b/3x3": 0})
        return json.dumps([*answers, explorer.measure(chosen, "3b")])

    alone, together = Explorer(model), Explorer(model)
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda path: answer(together, path), pictures))
    assert found == [answer(alone, path) for path in pictures]
    assert len(set(found)) == len(pictures)


def test_what_explains_one_picture_changes_no_other_answer_and_waits_for_its_own_kind() -> None:
    explorer = Explorer(random_network())
    chosen = examples.chosen("cat")
    before = explorer.explore(chosen)
    with ThreadPoolExecutor(1) as other, explorer.reasoning() as model:
        hiding = [one.register_forward_hook(lambda *a: 0 * a[2]) for one in model.modules()]
        waits = other.submit(explorer.attribute, chosen, "saliency", "main", 0, None)
        assert explorer.explore(replace(chosen, box=(0.0, 0.0, 90.0)))["heads"]
        assert explorer.explore(chosen) == before
        assert not waits.done()
        for handle in hiding:
            handle.remove()
    assert (
        waits.result()["map"]
        == Explorer(explorer.built).attribute(chosen, "saliency", "main", 0, None)["map"]
    )


def test_a_picture_that_is_kept_is_not_decoded_again(
    served: Explorer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(photo(200, 120))
    chosen = Chosen(path=path, name="photo")
    place = {"stage": "4b", "branch": "3x3", "channel": 0}
    explored = served.explore(chosen)
    decoded, original = list[object](), exploring.open_picture

    def counted(source: Path, max_side: int) -> object:
        decoded.append(source)
        return original(source, max_side=max_side)

    monkeypatch.setattr(exploring, "open_picture", counted)
    assert channel.open_channel(served, chosen, place)["key"] == explored["key"]
    assert decoded == []
    moved = replace(chosen, box=(0.0, 0.0, 60.0))
    assert channel.open_channel(served, moved, place)["key"] != explored["key"]
    path.write_bytes(photo(200, 120, seed=1))
    assert channel.open_channel(served, chosen, place)["key"] != explored["key"]
    assert decoded == [path, path]
