"""Tensor files are of one kind and version, or refused in a sentence."""

import json
import sys

import pytest
import torch
from safetensors import SafetensorError
from safetensors.torch import save_file

from gnet.channels.index import KIND as INDEX
from gnet.channels.index import Index
from gnet.data.gallery import FOLDER
from gnet.errors import GnetError
from gnet.evaluation.review import KIND as REVIEW
from gnet.evaluation.review import Review
from gnet.explain.probes import KIND as PROBES
from gnet.explain.probes import SHIPPED, load_probes
from gnet.explain.recording import KIND as RECORDING
from gnet.explain.recording import Recording
from gnet.runs.folder import STATE, RunFolder
from gnet.training.checkpoint import KIND as STATES
from gnet.training.checkpoint import facts

READERS = {
    "recording": (RECORDING, Recording.load),
    "index": (INDEX, Index.load),
    "review": (REVIEW, Review.read),
    "probes": (PROBES, load_probes),
    "state": (STATES, lambda path: facts(RunFolder(path.parent))),
}
TENSORS = {"a": torch.arange(6.0).view(2, 3), "b": torch.ones(4, dtype=torch.uint8)}


@pytest.fixture(params=READERS)
def kind_and_reader(request):
    return READERS[request.param]


@pytest.fixture
def path(tmp_path):
    return tmp_path / STATE


def test_header_and_tensors_come_back_as_they_were(kind_and_reader, path):
    kind, _ = kind_and_reader
    kind.write(path, {"names": ["ü", "b"]}, TENSORS)
    with kind.reading(path) as (header, tensors):
        assert header == kind.header(path) == {"names": ["ü", "b"]}
        assert tensors.keys() == TENSORS.keys()
        assert all(torch.equal(tensors[name], TENSORS[name]) for name in TENSORS)


def test_a_foreign_file_is_refused(kind_and_reader, path):
    kind, read = kind_and_reader
    for metadata in (None, {"other": "{}"}, {kind.name: "[]"}, {kind.name: '{"format": "x 1"}'}):
        save_file(TENSORS, path, metadata)
        with pytest.raises(GnetError, match=f"is not {kind.called}"):
            read(path)
    for content in (b"", b"a letter"):
        path.write_bytes(content)
        with pytest.raises(GnetError, match=f"is not {kind.called}"):
            read(path)


def test_a_file_cut_off_is_refused(kind_and_reader, path):
    kind, read = kind_and_reader
    kind.write(path, {}, TENSORS)
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(GnetError, match=f"is not {kind.called}, or is damaged"):
        read(path)


def test_a_file_of_a_newer_version_is_refused_with_both_numbers(kind_and_reader, path):
    kind, read = kind_and_reader
    save_file(TENSORS, path, {kind.name: json.dumps({"format": f"gnet {kind.name} 7"})})
    with pytest.raises(GnetError, match="of version 7; this program reads up to version 1"):
        read(path)


@pytest.mark.parametrize("name", [name for name in READERS if name != "state"])
def test_a_file_that_lacks_a_tensor_is_refused(name, path):
    kind, read = READERS[name]
    kind.write(path, {"lengths": []}, TENSORS)
    with pytest.raises(GnetError, match=f"is not {kind.called}"):
        read(path)


def test_a_tensor_of_an_unusual_kind_is_named_in_reading_and_in_writing(kind_and_reader, path):
    kind, _ = kind_and_reader
    rest = {kind.name: json.dumps({"format": f"gnet {kind.name} 1"})}
    save_file(TENSORS | {"c": torch.ones(2, dtype=torch.complex64)}, path, rest)
    sentence = rf"{STATE} holds c as a complex tensor; allowed are dense tensors of real numbers\."
    with pytest.raises(GnetError, match=sentence), kind.reading(path):
        pass
    path.unlink()
    for word, tensor in (
        ("complex", torch.ones(2, dtype=torch.complex64)),
        ("sparse", torch.ones(2).to_sparse()),
        ("meta", torch.ones(2, device="meta")),
    ):
        with pytest.raises(GnetError, match=f"holds c as a {word} tensor"):
            kind.write(path, {}, TENSORS | {"c": tensor})
    assert not list(path.parent.iterdir())


def test_a_missing_file_is_refused(kind_and_reader, path):
    kind, _ = kind_and_reader
    with pytest.raises(GnetError, match="There is no file"):
        kind.header(path)


def test_a_full_disk_is_one_sentence_and_leaves_the_old_file(kind_and_reader, path, monkeypatch):
    kind, _ = kind_and_reader
    kind.write(path, {}, TENSORS)
    before = path.read_bytes()

    def full(tensors, file, metadata):
        file.write_bytes(b"half")
        raise SafetensorError("I/O error: No space left on device (os error 28)")

    monkeypatch.setattr("gnet.system.tensor_file.save_file", full)
    with pytest.raises(GnetError, match=r"Cannot write .*No space left on device.*; make room"):
        kind.write(path, {}, TENSORS)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit of a file's size")
def test_the_error_contains_the_systems_reason(path):
    from support.disks import full_above

    refused = pytest.raises(GnetError, match=r"Cannot write .*\(File too large\); make room")
    with full_above(1000), refused:
        RECORDING.write(path, {}, {"a": torch.zeros(1000)})
    assert not list(path.parent.iterdir())


@pytest.mark.parametrize(("name", "key"), [("review", "review"), ("state", "facts")])
def test_files_from_before_these_kinds_noted_a_version_are_read(name, key, path):
    kind, _ = READERS[name]
    save_file(TENSORS, path, {key: '{"step": 3}'})
    assert kind.header(path) == {"step": 3}


def test_the_shipped_files_are_read():
    assert len(load_probes(SHIPPED).probes) == 9
    assert INDEX.header(FOLDER / "index.safetensors")["count"] > 0
