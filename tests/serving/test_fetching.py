"""Data sets known by name are fetched once, however many wait, and say how far they are."""

import threading

import pytest

from gnet.data.catalogue import bytes_so_far
from gnet.errors import GnetError
from gnet.serving.fetching import Fetching


@pytest.fixture(autouse=True)
def empty_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GNET_CACHE", str(tmp_path))


def test_what_is_there_or_is_no_name_needs_no_fetching(tmp_path):
    (tmp_path / "data" / "mnist").mkdir(parents=True)
    for spec in ("mnist", "built-in", "/a/b.zip"):
        assert list(Fetching().fetch(spec)) == []


def test_two_who_ask_wait_for_one_download(tmp_path):
    go, calls = threading.Event(), []

    def fetch(name, split):
        calls.append(name)
        partial = tmp_path / "data" / f".{name}.0.partial" / "raw"
        partial.mkdir(parents=True)
        (partial / "file").write_bytes(bytes(3_000_000))
        assert go.wait(20)

    fetching = Fetching(fetch=fetch)
    one, two = (fetching.fetch(name, every=0.01) for name in ("MNIST", "mnist"))
    for waiting in (one, two):
        next(waiting)
    while bytes_so_far("mnist") < 3_000_000:
        next(one)
    assert next(one) == "Downloading MNIST (12 MB): 3 MB so far"
    go.set()
    assert [list(one), list(two)] == [[], []]
    assert calls == ["mnist"]


def test_a_download_that_fails_is_a_sentence_and_the_next_one_begins_anew():
    def fetch(name, split):
        raise GnetError("Not here.")

    fetching = Fetching(fetch=fetch)
    for _ in range(2):
        with pytest.raises(GnetError, match="Not here"):
            list(fetching.fetch("mnist", every=0.01))
