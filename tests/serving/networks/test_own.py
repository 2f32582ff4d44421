"""Weights files of visitors: only whole, finite networks; bounded in size, number and time."""

import os
from pathlib import Path

import pytest
import torch

from gnet.errors import GnetError
from gnet.network import weights
from gnet.serving.networks.own import AT_ONCE, PREFIX, OwnNetworks
from support.networks import network


@pytest.fixture
def files(tmp_path: Path) -> OwnNetworks:
    return OwnNetworks(tmp_path / "own")


def given(files: OwnNetworks, content: bytes, name: str = "birds.safetensors") -> str:
    path = files.reserve(name, len(content))
    path.write_bytes(content)
    return files.accept(path)


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("own") / "a.safetensors"
    return weights.save(network("batch-norm"), path).read_bytes()


def test_a_network_is_kept_under_an_id_that_cannot_be_guessed(files, content) -> None:
    one, other = given(files, content), given(files, content)
    assert one != other and one.startswith(PREFIX) and len(one) == len(PREFIX) + 22
    assert files.find(one).name == "birds.safetensors"
    assert files.find(one).read_bytes() == content


def not_finite(tmp_path: Path) -> bytes:
    model = network("batch-norm")
    with torch.no_grad():
        model.fc.weight[0, 0] = float("nan")
    return weights.save(model, tmp_path / "nan.safetensors").read_bytes()


def pickled(tmp_path: Path) -> bytes:
    path = tmp_path / "a.pth"
    torch.save({"fc.weight": torch.zeros(2)}, path)
    return path.read_bytes()


@pytest.mark.parametrize(
    ("make", "name", "words"),
    [
        (not_finite, "birds.safetensors", "birds.safetensors holds NaN"),
        (pickled, "birds.pth", "birds.pth is a pickle or zip"),
        (lambda _: b"just words", "notes.txt", "notes.txt is a text file"),
        (lambda _: b"", "a.safetensors", "is empty"),
        (lambda _: b"\x89PNG\r\n\x1a\n\0\0" * 90, "a.png", "is no safetensors file"),
    ],
    ids=["NaN", "pickle", "text", "empty", "other"],
)
def test_what_is_no_network_is_refused_by_name_and_deleted(
    files, tmp_path, make, name: str, words: str
) -> None:
    with pytest.raises(GnetError, match=words):
        given(files, make(tmp_path), name)
    assert list(files.folder.glob("*/*")) == []


def test_a_cut_file_is_refused(files, content) -> None:
    with pytest.raises(GnetError, match="cut off or damaged"):
        given(files, content[:-100])


def test_a_file_above_the_limit_is_refused_before_and_while_it_arrives(tmp_path, content) -> None:
    files = OwnNetworks(tmp_path, most_bytes=1_000_000)
    with pytest.raises(GnetError, match="has 2 MB; allowed are up to 1 MB"):
        files.reserve("a.safetensors", 2_000_000)
    path = files.reserve("a.safetensors", 0)
    with pytest.raises(GnetError, match="allowed are up to 1 MB"):
        files.check_received(path, 1_000_001)


def test_the_files_used_longest_ago_make_room(tmp_path, content) -> None:
    files = OwnNetworks(tmp_path / "own", most_files=2)
    first, second = given(files, content), given(files, content)
    for net, time in ((first, 100), (second, 200)):
        os.utime(files.find(net), (time, time))
    files.find(first)  # used now
    third = given(files, content)
    assert files.path_of(second) is None
    assert files.path_of(first) and files.path_of(third)
    with pytest.raises(GnetError, match="no longer here"):
        files.find(second)


def test_few_files_arrive_at_the_same_time(files) -> None:
    paths = [files.reserve("a.safetensors", 1) for _ in range(AT_ONCE)]
    with pytest.raises(GnetError, match="try again in a minute"):
        files.reserve("a.safetensors", 1)
    files.discard(paths[0])
    files.reserve("a.safetensors", 1)


@pytest.mark.parametrize("net", ["file-", "file-../../etc", "file-" + "a" * 22, "file-*", "x"])
def test_an_id_that_names_no_file_finds_none(files, net: str) -> None:
    assert files.path_of(net) is None
    with pytest.raises(GnetError, match="no longer here"):
        files.find(net)


def test_without_a_folder_no_file_is_taken() -> None:
    files = OwnNetworks(None)
    assert not files.takes_files and files.path_of("file-" + "a" * 22) is None
    with pytest.raises(GnetError, match="takes no network files"):
        files.reserve("a.safetensors", 1)


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("my birds (2).safetensors", "my birds -2.safetensors"),
        ("C:\\nets\\a.pth", "a.pth"),
        ("Möwe.safetensors", "Möwe.safetensors"),
        ("..", "network"),
        ("", "network"),
        (".safetensors", "network.safetensors"),
        ("x" * 500 + ".safetensors", "x" * 60 + ".safetensors"),
    ],
)
def test_a_file_keeps_a_safe_form_of_its_name(files, name: str, kept: str) -> None:
    assert files.reserve(name, 0).name == kept
