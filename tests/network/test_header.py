"""Files that are no weights, or not those they say they are: each refused in one sentence."""

import json
import pickle
import struct
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from gnet.errors import GnetError
from gnet.network import weights
from gnet.network.config import TRAINED
from gnet.network.header import MOST_HEADER_BYTES
from support.networks import network


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    return weights.save(network("batch-norm", num_classes=3), tmp_path / "small.safetensors")


def refusal(path: str | Path) -> str:
    with pytest.raises(GnetError) as caught:
        weights.load(path)
    sentence = str(caught.value)
    assert ";" in sentence, "says what was given and what is allowed"
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return sentence


def write(path: Path, header: bytes) -> Path:
    path.write_bytes(struct.pack("<Q", len(header)) + header)
    return path


def with_description(path: Path, change) -> Path:
    """A copy of the file at `path` whose config and info went through `change`."""
    record = json.loads(weights.description(weights.load(path)))
    change(record)
    copy = path.with_name("changed.safetensors")
    save_file(load_file(path), copy, {"gnet": json.dumps(record)})
    return copy


def test_a_missing_file_is_named(tmp_path):
    sentence = refusal(tmp_path / "none.safetensors")
    assert "none.safetensors" in sentence
    assert "everyday" in sentence
    assert "imagenet" in sentence


def test_names_that_are_no_file_names_are_a_sentence(tmp_path):
    refusal(tmp_path)
    refusal("a" * 5000)
    refusal("null\0byte")


@pytest.mark.parametrize("name", ["weights.pth", "weights.safetensors"])
def test_pickles_are_refused_by_content_and_never_opened(name, tmp_path):
    class Harmful:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "harm",))

    plain = tmp_path / name
    plain.write_bytes(pickle.dumps(Harmful()))
    zipped, legacy = tmp_path / f"zipped-{name}", tmp_path / f"legacy-{name}"
    state = {"fc.weight": torch.zeros(2, 2)}
    torch.save(state, zipped)
    torch.save(state, legacy, _use_new_zipfile_serialization=False)
    for path in (plain, zipped, legacy):
        sentence = refusal(path)
        assert "safetensors" in sentence
        assert "python -m gnet convert" in sentence
    assert not (tmp_path / "harm").exists()


def test_other_files_are_named_for_what_they_are(tmp_path):
    path = tmp_path / "m.safetensors"
    path.write_text("A letter\nto a friend, ünd so weiter.")
    assert "is a text file" in refusal(path)
    path.write_text('{"a": 1,{' * 9)
    assert "is a text file" in refusal(path)
    path.write_bytes(b"")
    assert "is empty" in refusal(path)
    path.write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
    assert "is no safetensors file" in refusal(path)


def test_a_file_cut_off_anywhere_is_refused(saved):
    whole = saved.read_bytes()
    header = 8 + int.from_bytes(whole[:8], "little")
    for length in (4, 8, 9, header // 2, header, header + 1, len(whole) // 2, len(whole) - 1):
        saved.write_bytes(whole[:length])
        refusal(saved)
    saved.write_bytes(whole + b"\0")
    refusal(saved)


def test_a_header_of_absurd_length_is_refused_unread(tmp_path):
    path = tmp_path / "m.safetensors"
    for length in (MOST_HEADER_BYTES + 1, 2**62):
        path.write_bytes(struct.pack("<Q", length) + b"{" * 100)
        assert "announces" in refusal(path)


@pytest.mark.parametrize(
    "header", [b"{not json", b"{" * 100_000, b'{"a":' * 50_000, b'{"\xff": 1}', b"{}", b'{"a": 1}']
)
def test_a_malformed_header_is_refused(header, tmp_path):
    refusal(write(tmp_path / "m.safetensors", header))


@pytest.mark.parametrize("text", ["not json", "[]", "7", "{}", '{"config": [], "info": {}}'])
def test_a_malformed_description_is_refused(text, tmp_path):
    path = tmp_path / "m.safetensors"
    save_file({"fc.weight": torch.zeros(2, 2)}, path, {"gnet": text})
    refusal(path)


def test_a_file_without_a_config_is_refused(tmp_path):
    path, state = tmp_path / "m.safetensors", network("batch-norm").state_dict()
    save_file(state, path)
    assert "says nothing of the network" in refusal(path)
    save_file(state, path, {"format": "pt"})
    assert "says nothing of the network" in refusal(path)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("colour", "red"),
        ("norm", "layer"),
        ("norm", ["batch"]),
        ("kernel_5x5", 7),
        ("kernel_5x5", 5.0),
        ("num_classes", 0),
        ("num_classes", "many"),
        ("num_classes", 10**9),
        ("num_classes", None),
        ("width", -1),
        ("width", float("nan")),
        ("aux", "yes"),
        ("dropout", 2),
    ],
)
def test_unknown_config_values_are_refused(saved, field, value):
    path = with_description(saved, lambda record: record["config"].update({field: value}))
    sentence = refusal(path)
    assert field in sentence
    assert str(path) in sentence


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("heads", {"main": "guessed"}),
        ("heads", {"aux9": TRAINED}),
        ("classes", 4),
        ("metrics", 3),
        ("metrics", {"heads": None}),
        ("metrics", {"heads": {"main": 0.5}}),
        ("metrics", {"heads": {"main": {"top1": None}}}),
        ("preprocessing", {"size": 10_000}),
        ("preprocessing", {"size": "big"}),
        ("preprocessing", {"crop": 0}),
        ("preprocessing", {"thumbnail": -1}),
        ("preprocessing", {"thumbnail": 1.5}),
        ("preprocessing", {"quality": 0}),
        ("preprocessing", {"mean": [0.5]}),
        ("preprocessing", {"std": [0, 0, 0]}),
        ("preprocessing", {"colour": 1}),
    ],
)
def test_unknown_info_values_are_refused(saved, field, value):
    refusal(with_description(saved, lambda record: record["info"].update({field: value})))


def test_a_class_count_that_does_not_fit_is_refused(saved):
    def fewer(record):
        record["info"]["classes"] = ["cat", "dog"]

    sentence = refusal(with_description(saved, fewer))
    assert "2 classes" in sentence
    assert "3" in sentence


def test_a_checkpoint_of_another_architecture_names_the_first_keys(saved):
    def without_heads(record):
        record["config"]["aux"] = False

    def wider(record):
        record["config"]["width"] = 0.125

    def without_norm(record):
        record["config"]["norm"] = "none"

    assert "aux1.conv.bn.bias" in refusal(with_description(saved, without_heads))
    assert "conv1.conv.weight (4, 3, 7, 7) for (8, 3, 7, 7)" in refusal(
        with_description(saved, wider)
    )
    sentence = refusal(with_description(saved, without_norm))
    assert "lacks conv1.conv.bias" in sentence
    assert "has besides aux1.conv.bn.bias" in sentence
    assert "more" in sentence
    assert len(sentence) < 600
