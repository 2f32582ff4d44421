"""The menu of networks: what there is for a viewer, and whether it can be shown."""

from pathlib import Path

import pytest

from gnet.answers.explorer import Explorer
from gnet.answers.explorers import Explorers
from gnet.answers.networks.menu import describe_networks, fetch_network
from gnet.errors import GnetError
from gnet.network import weights
from gnet.serving.networks.offered import NetworkOffers
from gnet.serving.networks.own import OwnNetworks
from gnet.serving.networks.published import PublishedWeights
from gnet.serving.run_card import RunCard, hashed, write_card
from gnet.serving.shelf import RunShelf
from support.networks import network
from support.pages import random_network

OWNER = "o" * 40
A, B = "a" * 22, "b" * 22


@pytest.fixture(scope="module")
def served() -> Explorer:
    return Explorer(random_network())


@pytest.fixture(autouse=True)
def no_weights_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GNET_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))


def rows(explorers: Explorers, owner: object = "", files: object = ()) -> dict[str, list[dict]]:
    found = describe_networks(explorers, owner, files)
    return {group["id"]: group["rows"] for group in found["groups"]}


def offers(tmp_path: Path, **options) -> NetworkOffers:
    return NetworkOffers(own=OwnNetworks(tmp_path / "own"), **options)


def test_the_served_network_comes_first_and_others_of_the_server_follow(served, tmp_path) -> None:
    found = rows(Explorers(served, offers=offers(tmp_path, served="a.safetensors")))
    assert list(found) == ["here"]
    assert [row["net"] for row in found["here"]] == ["", "everyday", "imagenet"]
    assert [row["name"] for row in found["here"]] == ["random", "everyday", "imagenet"]
    assert "12 classes, 64 px" in found["here"][0]["facts"]
    assert found["here"][0]["words"] == "served first"
    found = rows(Explorers(served, offers=offers(tmp_path, served="imagenet")))
    assert [row["net"] for row in found["here"]] == ["", "everyday"]


def test_size_and_source_are_told_before_anything_is_fetched(served, tmp_path, monkeypatch) -> None:
    monkeypatch.delenv("GNET_IMAGENET_URL", raising=False)
    allowed = PublishedWeights(allowed=True)
    row = rows(Explorers(served, offers=offers(tmp_path, published=allowed)))["here"][-1]
    assert row["state"] == "absent" and "52 MB from download.pytorch.org" in row["words"]
    assert "1,000 classes, 224 px, “5×5” is really 3×3, auxiliary heads untrained" in row["facts"]


def test_where_the_owner_does_not_allow_the_download_it_says_so(served, tmp_path) -> None:
    explorers = Explorers(served, offers=offers(tmp_path))
    row = rows(explorers)["here"][-1]
    assert row["state"] == "forbidden" and "does not allow" in row["words"]
    with pytest.raises(GnetError, match="--download-weights"):
        fetch_network(explorers, "imagenet")


@pytest.mark.parametrize("net", ["everyday", "", None, ["imagenet"], A])
def test_nothing_else_can_be_downloaded(served, net) -> None:
    with pytest.raises(GnetError, match="Only imagenet"):
        fetch_network(Explorers(served), net)


def test_a_viewer_sees_own_runs_with_weights_and_nobody_elses(served, tmp_path) -> None:
    shelf = RunShelf(tmp_path / "runs")
    for net, owner, created in ((A, OWNER, 1.0), (B, "x" * 40, 2.0), ("c" * 22, OWNER, 3.0)):
        (shelf.folder / net).mkdir(parents=True)
        card = RunCard(name=f"run {net[0]}", experiment="", owner=hashed(owner), created=created)
        write_card(shelf.folder / net, card)
        if net[0] != "c":
            weights.save(network("batch-norm", aux=False), shelf.folder / net / "last.safetensors")
    explorers = Explorers(served, shelf, offers=offers(tmp_path))
    (row,) = rows(explorers, OWNER)["runs"]
    assert row["net"] == A and row["name"] == "run a" and row["state"] == "here"
    assert row["kind"] == "5×5 kernels, without heads" and "as saved last" in row["words"]
    for nobody in ("", None, 7, ["o"], "short"):
        assert "runs" not in rows(explorers, nobody)


def test_a_viewer_sees_the_files_that_the_own_browser_names(served, tmp_path) -> None:
    given = offers(tmp_path)
    path = given.own.reserve("birds.safetensors", 0)
    weights.save(network("batch-norm", kernel_5x5=3), path)
    net = given.own.accept(path)
    explorers = Explorers(served, offers=given)
    (row,) = rows(explorers, "", [net, net, "file-" + "a" * 22, 7, None])["files"]
    assert row["net"] == net and row["name"] == "birds" and "really 3×3" in row["facts"]
    for nothing in ([], None, "birds", {"a": net}, 7):
        assert "files" not in rows(explorers, "", nothing)
    given.own.discard(path)
    assert "files" not in rows(explorers, "", [net])
