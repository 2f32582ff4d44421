"""Weights on disk and over the network: what comes back equals what was saved, or one sentence."""

import hashlib
import json
import pickle
import struct
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from gnet import weights
from gnet.config import TRAINED, UNTRAINED, ModelConfig, ModelInfo, Preprocessing
from gnet.errors import GnetError
from gnet.header import MOST_HEADER_BYTES
from gnet.model import GoogLeNet

CLASSES = ("cat", "coffee cup", "Möwe")
INFO = ModelInfo(
    name="three things",
    classes=CLASSES,
    preprocessing=Preprocessing(size=64, crop=0.875, mean=(0.5, 0.4, 0.3), std=(0.2, 0.2, 0.1)),
    heads={"aux1": TRAINED, "aux2": UNTRAINED, "main": TRAINED},
    metrics={"heads": {"main": {"top1": 0.5}}},
)


def small(preset: str = "batch-norm", **changes) -> GoogLeNet:
    torch.manual_seed(0)
    config = ModelConfig.preset(preset, width=0.0625, num_classes=3, **changes)
    model = GoogLeNet(config, INFO)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean = torch.randn(module.num_features)
            module.running_var = torch.rand(module.num_features) + 0.5
    return model


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    return weights.save(small(), tmp_path / "small.safetensors")


def refusal(path: str | Path) -> str:
    with pytest.raises(GnetError) as caught:
        weights.load(path)
    sentence = str(caught.value)
    assert ";" in sentence, "says what was given and what is allowed"
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return sentence


def write(path: Path, header: object, data: bytes = b"") -> Path:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
    return path


def with_description(path: Path, change) -> Path:
    """A copy of the file at `path` whose config and info went through `change`."""
    record = json.loads(weights.description(weights.load(path)))
    change(record)
    copy = path.with_name("changed.safetensors")
    save_file(load_file(path), copy, {"gnet": json.dumps(record)})
    return copy


@pytest.mark.parametrize("preset", ["paper", "batch-norm", "pre-activation"])
def test_what_is_loaded_equals_what_was_saved(preset, tmp_path):
    model = small(preset)
    loaded = weights.load(weights.save(model, tmp_path / "new" / "m.safetensors"))
    assert not loaded.training
    assert loaded.config == model.config
    assert loaded.info == replace(INFO, digest=weights.digest(model))
    state = loaded.state_dict()
    assert list(state) == list(model.state_dict())
    for name, value in model.state_dict().items():
        assert torch.equal(state[name], value), name
        assert state[name].dtype == value.dtype
    assert all(p.requires_grad and p.is_leaf for p in loaded.parameters())


def test_a_loaded_network_computes_the_same_logits(saved):
    x = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        for ours, theirs in zip(small().eval()(x), weights.load(saved)(x), strict=True):
            assert torch.equal(ours, theirs)


def test_half_precision_is_for_convolutions_and_linear_layers_only(tmp_path):
    model = small()
    path = weights.save(model, tmp_path / "half.safetensors", half=True)
    layers = {n for n, m in model.named_modules() if isinstance(m, nn.Conv2d | nn.Linear)}
    stored = load_file(path)
    for name, value in stored.items():
        owner, _, kind = name.rpartition(".")
        if owner in layers and kind == "weight":
            assert value.dtype == torch.float16, name
        else:
            assert value.dtype in (torch.float32, torch.int64), name
    loaded = weights.load(path)
    for name, value in loaded.state_dict().items():
        assert value.dtype in (torch.float32, torch.int64)
        assert torch.equal(value, stored[name].to(value.dtype)), name
    assert path.stat().st_size < weights.save(model, tmp_path / "full.safetensors").stat().st_size


def test_half_precision_refuses_what_it_cannot_hold(tmp_path):
    model = small()
    with torch.no_grad():
        model.fc.weight[0, 0] = 1e6
    with pytest.raises(GnetError, match="65504"):
        weights.save(model, tmp_path / "half.safetensors", half=True)
    assert list(tmp_path.iterdir()) == []


def test_the_digest_is_of_the_values_and_stable(tmp_path):
    model = small()
    full = weights.load(weights.save(model, tmp_path / "full.safetensors"))
    assert full.info.digest == weights.digest(model)
    assert weights.digest(model.to(memory_format=torch.channels_last)) == full.info.digest  # pyright: ignore[reportCallIssue]
    half = weights.save(model, tmp_path / "half.safetensors", half=True)
    once, twice = weights.load(half), weights.load(half)
    assert once.info.digest == twice.info.digest == weights.digest(once) != full.info.digest
    with torch.no_grad():
        model.conv1.conv.weight[0] += 1e-3
    assert weights.digest(model) != full.info.digest


def test_saving_twice_gives_the_same_bytes(tmp_path):
    files = {weights.save(small(), tmp_path / "m.safetensors").read_bytes() for _ in range(4)}
    assert len(files) == 1


def test_loading_leaves_the_random_state_alone(saved):
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    weights.load(saved)
    assert torch.equal(torch.rand(1), expected)


def test_a_loaded_network_outlives_its_file(saved):
    model = weights.load(saved)
    before = weights.digest(model)
    saved.write_bytes(b"\0" * saved.stat().st_size)
    assert weights.digest(model) == before


def test_a_failed_save_leaves_the_old_file(saved, monkeypatch):
    before = saved.read_bytes()

    def fail(_tensors, path, _metadata):
        Path(path).write_bytes(b"half of it")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(weights, "save_file", fail)
    with pytest.raises(GnetError, match="No space left"):
        weights.save(small(), saved)
    assert saved.read_bytes() == before
    assert list(saved.parent.iterdir()) == [saved]


def test_saving_into_a_file_as_a_folder_is_a_sentence(saved):
    with pytest.raises(GnetError, match="Cannot write"):
        weights.save(small(), saved / "below.safetensors")


def test_the_bundled_weights_are_what_load_gives_by_default():
    if not weights.BUNDLED.is_file():
        assert "bundled weights are missing" in refusal("everyday")
        return
    model = weights.load()
    assert model.config.kernel_5x5 == 5
    assert len(model.info.classes) == model.config.num_classes == 139
    assert set(model.info.heads.values()) == {TRAINED}


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
        assert "from_torchvision" in sentence
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
    path = tmp_path / "m.safetensors"
    save_file(small().state_dict(), path)
    assert "says nothing of the network" in refusal(path)
    save_file(small().state_dict(), path, {"format": "pt"})
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
        ("preprocessing", {"size": 10_000}),
        ("preprocessing", {"size": "big"}),
        ("preprocessing", {"crop": 0}),
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


def test_torchvision_state_dicts_come_in_and_go_out_strictly():
    torch.manual_seed(1)
    state = GoogLeNet(ModelConfig.preset("torchvision", num_classes=5)).state_dict()
    model = weights.from_torchvision(state)
    assert model.config == ModelConfig.preset("torchvision", num_classes=5)
    assert set(model.info.heads.values()) == {UNTRAINED}
    out = weights.to_torchvision(model)
    assert list(out) == list(state)
    assert all(torch.equal(out[name], value) for name, value in state.items())
    out["fc.bias"].add_(1)
    assert torch.equal(model.fc.bias, state["fc.bias"]), "a copy"

    bare = {name: value for name, value in state.items() if not name.startswith("aux")}
    assert not weights.from_torchvision(bare).config.aux
    uncounted = {n: v for n, v in state.items() if not n.endswith("num_batches_tracked")}
    weights.from_torchvision(uncounted)
    for given in (
        {name: value for name, value in state.items() if name != "conv2.bn.weight"},
        state | {"conv9.conv.weight": torch.zeros(1)},
        state | {"conv2.bn.weight": torch.zeros(1)},
        {},
        {"fc.weight": torch.tensor(1.0)},
        {"epoch": 3},
        [1],
    ):
        with pytest.raises(GnetError, match="allowed"):
            weights.from_torchvision(given)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    "changes",
    [{"kernel_5x5": 5}, {"norm": "none"}, {"order": "norm-relu-conv"}, {"pool4": 3, "width": 0.25}],
)
def test_to_torchvision_refuses_what_torchvision_cannot_compute(changes):
    with torch.device("meta"):
        model = GoogLeNet(ModelConfig.preset("torchvision", num_classes=4, **changes))
    with pytest.raises(GnetError) as caught:
        weights.to_torchvision(model)
    for name, value in changes.items():
        assert f"{name} {value!r}" in str(caught.value)


class Answer:
    """What the loopback server says: `body`, claiming `length` bytes."""

    body = b""
    length = 0
    status = 200
    requests = 0


@pytest.fixture
def answer(tmp_path, monkeypatch) -> Iterator[tuple[Answer, str]]:
    """An answer to fill in and the address of a server on loopback that gives it."""
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setenv("GNET_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    given = Answer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            given.requests += 1
            self.send_response(given.status)
            self.send_header("Content-Length", str(given.length or len(given.body)))
            self.end_headers()
            self.wfile.write(given.body)

        def log_message(self, format, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield given, f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def named(body: bytes) -> str:
    return f"googlenet-{hashlib.sha256(body).hexdigest()[:8]}.pth"


@pytest.fixture(scope="module")
def published(tmp_path_factory) -> bytes:
    """A file as torchvision publishes it: a pickled state dict, 1,000 classes, all heads."""
    torch.manual_seed(2)
    path = tmp_path_factory.mktemp("published") / "state.pth"
    torch.save(GoogLeNet(ModelConfig.preset("torchvision")).state_dict(), path)
    return path.read_bytes()


def test_imagenet_is_fetched_once_checked_converted_and_kept(
    answer, published, tmp_path, monkeypatch
):
    given, address = answer
    given.body = published
    monkeypatch.setenv("GNET_IMAGENET_URL", f"{address}/{named(published)}")
    seen: list[tuple[int, int | None]] = []
    model = weights.load("imagenet", progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (len(published), len(published))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert len(seen) > 10
    converted = tmp_path / "cache" / named(published).replace(".pth", ".safetensors")
    assert list((tmp_path / "cache").iterdir()) == [converted]

    assert not model.training
    assert model.config == ModelConfig.preset("torchvision", transform_input=True)
    assert model.info.heads == {"main": TRAINED, "aux1": UNTRAINED, "aux2": UNTRAINED}
    assert model.info.preprocessing == Preprocessing(size=224, crop=0.875)
    assert model.info.classes[0] == "tench"
    assert len(model.info.classes) == 1000
    assert model.info.metrics["heads"]["main"]["top1"] == 0.69778
    torch.manual_seed(2)
    original = GoogLeNet(ModelConfig.preset("torchvision"))
    assert model.info.digest == weights.digest(original)

    again = weights.load("imagenet")
    assert given.requests == 1, "the second time comes from the cache"
    assert again.info == model.info


def test_a_file_that_torch_hub_already_holds_is_used(answer, published, tmp_path):
    given, address = answer
    held = tmp_path / "torch" / "hub" / "checkpoints" / named(published)
    held.parent.mkdir(parents=True)
    held.write_bytes(published)
    weights.imagenet(url=f"{address}/{held.name}")
    assert given.requests == 0
    assert held.read_bytes() == published


@pytest.mark.parametrize("fault", ["wrong bytes", "cut off", "not found", "gone", "held but bad"])
def test_a_failed_download_is_one_sentence_and_leaves_nothing(fault, answer, tmp_path):
    given, address = answer
    whole = b"weights" * 1000
    given.body = whole
    address = f"{address}/{named(whole)}"
    if fault == "wrong bytes":
        given.body = whole[:-1] + b"!"
    elif fault == "cut off":
        given.body, given.length = whole[:3000], len(whole)
    elif fault == "not found":
        given.status = 404
    elif fault == "gone":
        address = f"http://127.0.0.1:1/{named(whole)}"
    else:
        held = tmp_path / "torch" / "hub" / "checkpoints" / named(whole)
        held.parent.mkdir(parents=True)
        held.write_bytes(b"rubbish")
        given.body = b"rubbish"
    with pytest.raises(GnetError) as caught:
        weights.imagenet(url=address, cache=tmp_path / "own")
    sentence = str(caught.value)
    assert named(whole) in sentence
    assert "; " in sentence or ", so " in sentence
    expected = {"wrong bytes": "checksum", "cut off": "cut off after 3000 of 7000 bytes"}
    expected |= {"not found": "404", "gone": "network", "held but bad": "checksum"}
    assert expected[fault] in sentence
    assert list((tmp_path / "own").iterdir()) == []


def test_a_pickle_with_the_right_checksum_still_runs_no_code(answer, tmp_path):
    class Harmful:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "harm",))

    given, address = answer
    for given.body in (
        pickle.dumps(Harmful(), protocol=2),
        b"no pickle at all",
        b"PK\x03\x04 no zip at all",
    ):
        with pytest.raises(GnetError, match="state dict"):
            weights.imagenet(url=f"{address}/{named(given.body)}")
    assert not (tmp_path / "harm").exists()


def test_addresses_without_a_checksum_or_off_the_web_are_refused(tmp_path):
    with pytest.raises(GnetError, match="sha256"):
        weights.imagenet(url="http://127.0.0.1:1/googlenet.pth", cache=tmp_path)
    with pytest.raises(GnetError, match="only http and https"):
        weights.imagenet(url="file:///etc/googlenet-00000000.pth", cache=tmp_path)
