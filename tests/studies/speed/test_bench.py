"""The bench: its keys, its goals, and that its error would notice one."""

from collections.abc import Iterator
from contextlib import ExitStack, nullcontext
from functools import cache

import pytest
import torch

from gnet.explain.attribution.all_branches import grad_cams
from gnet.explain.attribution.attribute import attribute
from gnet.network.config import BRANCHES, STAGES
from gnet.network.folding import fold
from gnet.studies.speed import bench, bench_forward, bench_reasons
from gnet.studies.speed.plain_loop import own_process
from gnet.system.processes import LARGE_PAGES, TUNABLES


@pytest.fixture(scope="module")
def networks():
    """torchvision's network, ours folded with the same weights, and a picture."""
    theirs, model, pictures = bench_forward.networks(96, classes=10)
    normalise = model.info.preprocessing.normalise
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


@pytest.fixture
def one_own_process(monkeypatch) -> Iterator[None]:
    """Rows of training that ask for the same turns share the process that runs them apart."""
    with ExitStack() as ends:
        opened = cache(lambda *given: ends.enter_context(own_process(*given)))
        monkeypatch.setattr(bench, "own_process", lambda *given: nullcontext(opened(*given)))
        yield


def test_the_bench_prints_the_keys_it_promises(one_own_process, monkeypatch):
    monkeypatch.setattr(bench, "RECORD_SIZE", 32)
    monkeypatch.setattr(bench, "POINTS", 4)
    monkeypatch.setattr(bench_reasons, "STEPS", 2)
    monkeypatch.setattr(bench_reasons, "BATCH", 2)
    monkeypatch.setattr(bench_forward, "GOALS", {32: 1.0})
    monkeypatch.setattr(bench_forward, "THREADS", (1,))
    monkeypatch.setattr(bench, "BATCH", 2)
    monkeypatch.setattr(bench, "STEPS", 1)
    monkeypatch.setattr(bench, "LEAD_IN", 0)
    monkeypatch.setattr(bench, "WORKERS", (0,))
    monkeypatch.setattr(bench, "TRAIN_SIZES", {"train_128": 32, "train_64": 32})
    turns = []
    result = bench.bench(rounds=1, progress=lambda done, total: turns.append((done, total)))
    assert turns == [(done, 7) for done in range(1, 8)]
    expected = {"record", "map", "account", "forward_32_1", "train_128", "train_64", "machine"}
    assert set(result) == expected | set(bench_reasons.GOALS)
    assert result["record"]["ratio"] > 0 and result["record"]["max_error"] < 1e-4
    for name in ("train_128", "train_64"):
        row = result[name]
        ours, alone = row["pictures_per_second"], row["torchvision_own_process_pictures_per_second"]
        assert row["ratio"] == ours / row["torchvision_pictures_per_second"] > 0
        assert row["ratio_to_own_process"] == ours / alone > 0
        assert row["precision"] in ("fp32", "bf16")
    assert all(
        name in bench.table(result)
        for name in (
            "record",
            "map ",
            "account",
            "occlusion",
            "forward",
            "train_128",
            "in the same process",
            "in a process of its own, without GLIBC_TUNABLES",
            "large memory pages",
            "matrix units",
        )
    )


def test_goals_depend_on_what_the_processor_can_do():
    with_units = {"record": 1.6, "map": 9.0, "account": 60.0, "train_128": 3.0, "train_64": 2.0}
    without = with_units | {"train_128": 2.4}
    for able, goals in ((True, with_units), (False, without)):
        unit = {"bf16_matrix_units": able}
        assert {name: bench.goal(name, unit) for name in bench.GOALS} == goals


def test_both_sides_of_the_bench_of_reasons_draw_the_same_maps(networks):
    theirs, folded, pixels, _ = networks
    ours = attribute(folded, pixels, method="integrated-gradients", target=0, steps=50)
    torch.testing.assert_close(
        ours.map, bench_reasons.integrated(theirs, folded, pixels), rtol=0, atol=0.05 * ours.high
    )
    hidden = attribute(folded, pixels, method="occlusion", target=0, patch=32, stride=16)
    torch.testing.assert_close(
        hidden.map, bench_reasons.occluded(theirs, folded, pixels), rtol=1e-3, atol=1e-3
    )
    every = grad_cams(folded, pixels, target=0).maps
    for number, (stage, values) in enumerate(
        zip(STAGES, bench_reasons.called(folded, pixels), strict=True)
    ):
        torch.testing.assert_close(every[stage, BRANCHES[number % 4]], values)


def test_the_reference_carries_signal_through_every_module(networks):
    theirs, _, _, inputs = networks
    x = inputs
    for name, module in theirs.named_children():
        if name.startswith(("conv", "maxpool", "inception")):
            x = module(x)
            if name.startswith("inception"):
                assert x.std() > 1e-3, name


@pytest.mark.parametrize(
    ("given", "large"),
    [
        (LARGE_PAGES, True),
        ("glibc.malloc.hugetlb=1", True),
        ("glibc.malloc.trim_threshold=1:glibc.malloc.hugetlb=1", True),
        ("glibc.malloc.hugetlb=10", False),
        ("glibc.malloc.trim_threshold=1", False),
        ("", False),
    ],
)
def test_large_pages_are_known_by_their_own_setting(monkeypatch, given, large):
    monkeypatch.setenv(TUNABLES, given)
    assert bench.machine()["large_pages"] is large
