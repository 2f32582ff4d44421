"""The bench of one forward: what it measures of which sizes and threads, and what it prints."""

import pytest
import torch

from gnet.network.weights import load
from gnet.studies.speed import bench_forward
from gnet.studies.speed.bench_forward import GOALS, networks, table, threads


def test_each_size_and_thread_count_is_measured_and_printed(monkeypatch):
    monkeypatch.setattr(bench_forward, "GOALS", {32: 1.0, 48: 2.0})
    monkeypatch.setattr(bench_forward, "THREADS", (1,))
    monkeypatch.setattr(bench_forward, "TIMES", 1)
    monkeypatch.setattr(bench_forward, "SIDE", 64)
    monkeypatch.setattr(bench_forward, "networks", lambda size: networks(size, classes=10))
    turns = []
    result = bench_forward.bench_forward(rounds=1, progress=lambda *turn: turns.append(turn))
    assert turns == [(1, 2), (2, 2)]
    assert list(result) == ["forward_32_1", "forward_48_1"]
    for row in result.values():
        assert row["ratio"] == row["torchvision_milliseconds"] / row["milliseconds"] > 0
        assert row["max_error"] < 1e-4 and row["goal"] == (1.0 if row["size"] == 32 else 2.0)
        assert row["of_product"] > 0
    lines = table(result).splitlines()
    assert len(lines) == 2 and "at 48 px on 1 thread " in lines[1] and "goal 2.0" in lines[1]
    assert result["forward_32_1"]["runs_on"] in lines[0]


def test_the_bundled_networks_size_is_measured():
    assert load("everyday").info.preprocessing.size in GOALS


def test_threads_are_as_before_when_what_is_measured_fails():
    before = torch.get_num_threads()

    def measure() -> None:
        with threads(before + 1):
            raise ValueError(torch.get_num_threads())

    with pytest.raises(ValueError, match=str(before + 1)):
        measure()
    assert torch.get_num_threads() == before
