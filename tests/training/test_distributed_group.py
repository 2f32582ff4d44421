"""A process on its own is a group of one; several are tested in `test_distributed`."""

import torch

from gnet.training.distributed import Group, device, joined


def test_without_torchrun_the_group_is_one(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with joined() as group:
        assert group == Group(rank=0, world=1) and group.first
        assert torch.equal(group.summed(torch.tensor([2.0])), torch.tensor([2.0]))


def test_only_rank_0_speaks():
    assert not Group(rank=1, world=2).first


def test_without_a_gpu_the_device_is_the_cpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert device() == torch.device("cpu")


def test_each_process_has_a_gpu_of_its_own(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setenv("LOCAL_RANK", "3")
    assert device() == torch.device("cuda", 3)
