"""The arithmetic of a run goes by what the machine is; nothing is timed."""

import pytest
import torch

from gnet.network.config import ModelConfig
from gnet.runs.train_config import TrainConfig
from gnet.training.distributed import Group
from gnet.training.loop import train
from gnet.training.precision import LEAST_WORK, Machine, chosen_precision, this_machine
from support.training_runs import tiny

WITH = Machine(bf16=True)
WITHOUT = Machine()
GPU, OLD_GPU = Machine(gpu=True, bf16=True), Machine(gpu=True)


@pytest.mark.parametrize(
    "width, size, machine, expected",
    [
        (0.25, 32, WITH, "fp32"),
        (0.25, int(LEAST_WORK / 0.25) - 1, WITH, "fp32"),
        (0.25, int(LEAST_WORK / 0.25), WITH, "bf16"),
        (1.0, 64, WITH, "bf16"),
        (1.0, 224, WITHOUT, "fp32"),
        (0.25, 32, GPU, "bf16"),
        (1.0, 224, OLD_GPU, "fp32"),
    ],
)
def test_instructions_width_and_size_decide(width, size, machine, expected):
    config = TrainConfig(model=ModelConfig(width=width), size=size, precision="auto")
    assert chosen_precision(config, machine) == expected


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_config_that_says_which_is_followed_anywhere(precision):
    for machine in (WITH, WITHOUT, GPU, OLD_GPU):
        assert chosen_precision(tiny(precision=precision), machine) == precision


def test_ten_starts_give_one_answer():
    config = tiny(precision="auto")
    assert len({chosen_precision(config, this_machine(Group())) for _ in range(10)}) == 1


def test_bf16_counts_where_all_processes_have_it(monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True}, raising=False)
    monkeypatch.delenv("ONEDNN_MAX_CPU_ISA", raising=False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)

    class WithOneThatHasNone(Group):
        def summed(self, values: torch.Tensor) -> torch.Tensor:
            return values + (self.world - 2)

    assert this_machine(Group()).bf16
    assert not this_machine(WithOneThatHasNone(world=3)).bf16


@pytest.mark.parametrize(
    "limit, expected",
    [("ALL", True), ("avx512_core_amx", True), ("AVX2", False), ("AVX512_CORE", False)],
)
def test_instructions_that_are_switched_off_do_not_count(limit, expected, monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True}, raising=False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", limit)
    assert this_machine(Group()).bf16 is expected


def test_the_choice_stands_in_the_runs_first_event_and_config(tmp_path, monkeypatch):
    monkeypatch.setattr("gnet.training.loop.this_machine", lambda group: WITH)
    monkeypatch.setattr("gnet.training.precision.LEAST_WORK", 1.0)
    events = train(tiny(precision="auto"), tmp_path / "run")
    started = next(events)
    events.close()
    assert getattr(started, "precision", "") == "bf16"
    assert '"precision": "bf16"' in (tmp_path / "run" / "config.json").read_text()
