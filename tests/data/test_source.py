"""A data set's text is parsed once, into what it means."""

from pathlib import Path

import pytest

from gnet.data.files.archives import LIMITS
from gnet.data.source import BuiltIn, Known, Stored, is_missing, parse
from gnet.errors import GnetError


@pytest.mark.parametrize(
    "spec, source, name",
    [
        ("built-in", BuiltIn(), "built-in"),
        ("CIFAR10", Known("cifar10"), "cifar10"),
        (Path("cifar10"), Stored(Path("cifar10")), "cifar10"),
        ("~nobody-of-that-name/pets", Stored(Path("~nobody-of-that-name/pets")), "pets"),
        ("~/a/pets.zip", Stored(Path.home() / "a" / "pets.zip"), "pets.zip"),
    ],
)
def test_a_text_means_one_source_and_a_source_itself(spec, source, name):
    assert parse(spec) == parse(source) == source
    assert source.name == name


def test_only_a_known_data_set_can_be_missing(tmp_path, monkeypatch):
    monkeypatch.setenv("GNET_CACHE", str(tmp_path))
    assert [is_missing(parse(text)) for text in ("built-in", "mnist", "/no/where")] == [
        False,
        True,
        False,
    ]
    (tmp_path / "data" / "mnist").mkdir(parents=True)
    assert not is_missing(parse("MNIST"))


def test_a_source_that_does_not_exist_names_those_that_do(tmp_path):
    with pytest.raises(GnetError, match="allowed are built-in, cifar10"):
        Stored(tmp_path / "none").open(LIMITS)
