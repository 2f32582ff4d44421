"""A signal is a request to stop at the next step, or an end at once where nothing has begun."""

import os
import signal

import pytest

from gnet.system.signals import StopSignals


def counted(signals, raised):
    """Four items; the signals of `raised` come before the item of that number is made."""
    for number in range(4):
        for kind in raised.get(number, ()):
            os.kill(os.getpid(), kind)
        yield number, signals.requested()


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_remembered_and_interrupts_nothing(kind):
    signals = StopSignals()
    items = list(signals.heeding(counted(signals, {2: [kind]})))
    assert items == [(0, False), (1, False), (2, True), (3, True)]
    assert signals.exit_code == 128 + kind


def test_without_a_signal_the_exit_code_is_0():
    signals = StopSignals()
    assert len(list(signals.heeding(counted(signals, {})))) == 4
    assert signals.exit_code == 0


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_before_the_first_item_a_signal_ends_the_work_at_once(kind):
    signals = StopSignals()
    with pytest.raises(KeyboardInterrupt):
        list(signals.heeding(counted(signals, {0: [kind]})))


def test_a_second_ctrl_c_ends_the_work_at_once(monkeypatch):
    monkeypatch.delenv("RANK", raising=False)
    signals = StopSignals()
    with pytest.raises(KeyboardInterrupt):
        list(signals.heeding(counted(signals, {1: [signal.SIGINT], 2: [signal.SIGINT]})))


def test_under_torchrun_a_second_ctrl_c_changes_nothing(monkeypatch):
    monkeypatch.setenv("RANK", "0")
    signals = StopSignals()
    raised = {1: [signal.SIGINT], 2: [signal.SIGINT]}
    assert len(list(signals.heeding(counted(signals, raised)))) == 4


def test_the_handlers_from_before_come_back_after_a_failure():
    before = [signal.getsignal(kind) for kind in (signal.SIGINT, signal.SIGTERM)]
    signals = StopSignals()

    def fails():
        yield 1
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        list(signals.heeding(fails()))
    assert [signal.getsignal(kind) for kind in (signal.SIGINT, signal.SIGTERM)] == before
