"""Weights on disk: what is loaded equals what was saved; torchvision's come in and go out."""

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn

from gnet.errors import GnetError
from gnet.network import weights
from gnet.network.config import TRAINED, UNTRAINED, ModelConfig
from gnet.network.info import ModelInfo, Preprocessing
from gnet.network.model import GoogLeNet
from gnet.studies.everyday import known_classes

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


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("name", ["fc.weight", "aux1.fc2.bias", "conv1.bn.running_var"])
def test_weights_that_are_not_finite_are_refused(name, wrong, tmp_path):
    model = small()
    model.state_dict()[name].view(-1)[0] = wrong
    path = weights.save(model, tmp_path / "diverged.safetensors")
    with pytest.raises(GnetError, match=rf"NaN or infinity in {name}, .* allowed are finite"):
        weights.load(path)


def test_weights_that_hold_a_complex_tensor_are_refused_by_its_name(saved):
    with safe_open(saved, framework="pt") as file:
        header = file.metadata()
    tensors = load_file(saved)
    save_file(tensors | {"fc.bias": tensors["fc.bias"].to(torch.complex64)}, saved, header)
    with pytest.raises(GnetError, match=r"holds fc\.bias as a complex tensor; allowed are dense"):
        weights.load(saved)
    with pytest.raises(GnetError, match=r"network holds conv1\.conv\.weight as a meta tensor"):
        weights.save(small().to("meta"), saved)


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

    monkeypatch.setattr("gnet.system.tensor_file.save_file", fail)
    with pytest.raises(GnetError, match="No space left"):
        weights.save(small(), saved)
    assert saved.read_bytes() == before
    assert list(saved.parent.iterdir()) == [saved]


def test_saving_into_a_file_as_a_folder_is_a_sentence(saved):
    with pytest.raises(GnetError, match="Cannot write"):
        weights.save(small(), saved / "below.safetensors")


def test_the_bundled_weights_are_what_load_gives_by_default():
    if not weights.BUNDLED.is_file():
        with pytest.raises(GnetError, match="bundled weights are missing"):
            weights.load()
        return
    model = weights.load()
    assert model.config.kernel_5x5 == 5
    assert len(model.info.classes) == model.config.num_classes == len(known_classes())
    assert set(model.info.heads.values()) == {TRAINED}


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


def test_saved_weights_have_the_permissions_of_new_files(tmp_path):
    (tmp_path / "new").touch()
    path = weights.save(small(), tmp_path / "weights.safetensors")
    assert path.stat().st_mode == (tmp_path / "new").stat().st_mode
