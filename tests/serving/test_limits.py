"""The limits that a server sets for runs."""

from dataclasses import replace
from pathlib import Path

import pytest

from gnet.errors import FieldError, GnetError
from gnet.network.config import ModelConfig
from gnet.runs.train_config import TrainConfig
from gnet.serving.limits import RunLimits, available_memory

LIMITS = RunLimits(max_epochs=10, max_minutes=5.0, max_size=96)


def test_a_config_within_the_limits_is_admitted_with_the_minutes_allowed():
    assert LIMITS.admitted(TrainConfig(epochs=10)).max_minutes == 5.0
    assert LIMITS.admitted(TrainConfig(max_minutes=2.0)).max_minutes == 2.0
    assert RunLimits().admitted(TrainConfig(epochs=9999)) == TrainConfig(epochs=9999)


@pytest.mark.parametrize(
    "changes, field, allowed",
    [
        ({"epochs": 11}, "epochs", "at most 10"),
        ({"max_minutes": 6.0}, "max_minutes", "at most 5 minutes"),
        ({"size": 128}, "size", "at most 96 px"),
        ({"grow": "128x2"}, "grow", "sides of at most 96 px"),
    ],
)
def test_a_value_beyond_a_limit_is_an_error_of_its_field(changes, field, allowed):
    with pytest.raises(FieldError) as error:
        LIMITS.admitted(TrainConfig(**changes))
    assert (error.value.field, error.value.allowed) == (field, f"{allowed} on this server")


def test_training_that_is_switched_off_says_what_can_be_done_instead():
    with pytest.raises(GnetError, match="switched off on this server; you can look"):
        RunLimits(enabled=False).admitted(TrainConfig())


def test_data_comes_from_a_name_or_a_folder_that_is_allowed(tmp_path):
    allowed = tmp_path / "allowed"
    allowed.mkdir()
    (tmp_path / "secret").mkdir()
    (allowed / "door").symlink_to(tmp_path / "secret")
    limits = RunLimits(folders=(allowed,))
    for data in ("built-in", "CIFAR10", str(allowed), str(allowed / "pets.zip")):
        assert limits.admitted(TrainConfig(data=data)).data == data
    wrong = ("/etc", str(tmp_path / "secret"), f"{allowed}/../secret", str(allowed / "door"))
    for data in (*wrong, "", ".", "~", "~nobody-of-that-name/x", "a\0b", f"{allowed}-more"):
        with pytest.raises(FieldError) as error:
            limits.admitted(TrainConfig(data=data))
        assert error.value.field == "data"


def test_a_run_begins_from_named_weights_or_from_those_of_another_run(tmp_path):
    limits = RunLimits(folders=(tmp_path / "data",))
    for start in ("", "everyday", "imagenet", str(tmp_path / "runs" / "x" / "best.safetensors")):
        config = TrainConfig(start=start)
        assert limits.admitted(config, tmp_path / "runs") == config
    for start in ("/etc/passwd", str(tmp_path / "data" / "w.safetensors"), "weights.safetensors"):
        with pytest.raises(FieldError) as error:
            limits.admitted(TrainConfig(start=start), tmp_path / "runs")
        assert error.value.field == "start"


def test_a_teachers_answers_come_from_the_servers_own_folders(tmp_path):
    limits = RunLimits(folders=(tmp_path / "data",))
    config = TrainConfig(answers=str(tmp_path / "data" / "answers.safetensors"))
    assert limits.admitted(config) == config
    with pytest.raises(FieldError) as error:
        limits.admitted(TrainConfig(answers="/etc/passwd"))
    assert error.value.field == "answers"


def test_a_step_that_does_not_fit_into_memory_is_refused():
    limits = RunLimits(memory=16e9)
    limits.check_memory(TrainConfig(batch=64, size=320))
    big = TrainConfig(batch=4096, size=320)
    with pytest.raises(GnetError, match="4096 pictures at 320 px needs about 419 GB of memory"):
        limits.check_memory(big)
    limits.check_memory(replace(big, batch=256, model=ModelConfig(width=0.25)))


def test_the_memory_of_a_container_counts(tmp_path: Path):
    whole = available_memory()
    assert whole > 0
    limit = tmp_path / "memory.max"
    for text, expected in (("1000000\n", 1e6), ("max\n", whole)):
        limit.write_text(text)
        assert available_memory(limit) == expected
