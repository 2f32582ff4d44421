"""The bench: its keys, its goals, and that its error would notice one."""

import itertools

import pytest
import torch

from gnet.network.config import ModelConfig
from gnet.network.folding import fold
from gnet.network.model import GoogLeNet
from gnet.studies import bench


@pytest.fixture(scope="module")
def networks():
    """torchvision's network, ours folded with the same weights, and a picture."""
    torch.manual_seed(0)
    theirs = bench.torchvision_network(10)
    model = GoogLeNet(ModelConfig.preset("torchvision", num_classes=10))
    normalise = model.info.preprocessing.normalise
    pictures = bench.patterns(96)
    bench.settle(theirs, normalise(pictures))
    model.load_state_dict(theirs.state_dict())
    return theirs, fold(model), pictures[:1], normalise(pictures[:1])


def test_our_recording_agrees_with_torchvisions_own_values(networks):
    assert bench.recording_error(*networks) < 1e-4


@pytest.mark.parametrize("name", ["conv1", "inception3a.branch3.1", "inception5b.branch4.1"])
def test_the_error_notices_a_weight_that_is_off(networks, name):
    theirs, folded, pixels, inputs = networks
    weight = folded.get_submodule(name).conv.weight
    before = weight.clone()
    weight *= 1.1
    try:
        assert bench.recording_error(theirs, folded, pixels, inputs) > 1e-3
    finally:
        weight.copy_(before)


@pytest.mark.parametrize("head", ["fc", "aux1.fc2", "aux2.fc2"])
def test_the_error_notices_a_head_that_is_off(networks, head):
    theirs, folded, pixels, inputs = networks
    bias = folded.get_submodule(head).bias
    bias[0] += 3.0
    try:
        assert bench.recording_error(theirs, folded, pixels, inputs) > 1e-3
    finally:
        bias[0] -= 3.0


def test_the_bench_prints_the_keys_it_promises(monkeypatch):
    monkeypatch.setattr(bench, "RECORD_SIZE", 32)
    monkeypatch.setattr(bench, "BATCH", 2)
    monkeypatch.setattr(bench, "STEPS", 1)
    monkeypatch.setattr(bench, "LEAD_IN", 0)
    monkeypatch.setattr(bench, "WORKERS", (0,))
    monkeypatch.setattr(bench, "TRAIN_SIZES", {"train_128": 32, "train_64": 32})
    turns = []
    result = bench.bench(rounds=1, progress=lambda done, total: turns.append((done, total)))
    assert turns == [(1, 5), (2, 5), (3, 5), (4, 5), (5, 5)]
    assert set(result) == {"record", "map", "account", "train_128", "train_64", "machine"}
    assert result["record"]["ratio"] > 0 and result["record"]["max_error"] < 1e-4
    for name in ("train_128", "train_64"):
        assert result[name]["ratio"] > 0 and result[name]["precision"] in ("fp32", "bf16")
    assert all(
        name in bench.table(result)
        for name in ("record", "map ", "account", "train_128", "matrix units")
    )


def test_goals_depend_on_what_the_processor_can_do():
    for able, name in itertools.product((True, False), bench.GOALS):
        expected = bench.GOALS[name] if able or name in ("record", "map", "account") else 1.3
        assert bench.goal(name, {"bf16_matrix_units": able}) == expected


def test_the_reference_carries_signal_through_every_module(networks):
    theirs, _, _, inputs = networks
    x = inputs
    for name, module in theirs.named_children():
        if name.startswith(("conv", "maxpool", "inception")):
            x = module(x)
            if name.startswith("inception"):
                assert x.std() > 1e-3, name
