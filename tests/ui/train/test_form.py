"""The form of a run: what it shows of a config, and what becomes of what is filled in."""

from dataclasses import fields

import pytest

from gnet.errors import GnetError
from gnet.network.config import ModelConfig
from gnet.runs.experiments import EXPERIMENTS
from gnet.runs.train_config import TrainConfig


@pytest.fixture(autouse=True)
def gradio(gradio_environment: None) -> None:
    """Gradio is imported by what is tested here."""


@pytest.mark.parametrize("key", EXPERIMENTS)
def test_a_form_that_nobody_changes_asks_for_the_experiment_itself(key: str) -> None:
    from gnet.ui.train.form import differing, filled, form_values

    configs = [config for _, config in EXPERIMENTS[key].runs]
    for config in configs:
        assert filled(config, form_values(config)) == config
        # Also with the values of the first run, which is what the form shows.
        assert filled(config, form_values(configs[0]), differing(configs)) == config


def test_the_form_names_fields_that_exist_and_each_of_them_once() -> None:
    from gnet.ui.train.form import FIELDS

    known = {f.name for f in fields(TrainConfig)} | {f"model.{f.name}" for f in fields(ModelConfig)}
    names = [shown.name for shown in FIELDS]
    assert set(names) <= known and len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("epochs", None, "epochs is None"),
        ("epochs", 2.5, "epochs is 2.5"),
        ("model.width", 17, "width is 17"),
        ("model.left_out", ["1x1", "3x3", "5x5", "pool"], "left_out is"),
        ("optimiser", "magic", "optimiser is 'magic'"),
        ("learning_rate", "fast", "learning_rate is 'fast'"),
    ],
)
def test_what_cannot_be_is_answered_with_a_sentence(name: str, value: object, words: str) -> None:
    from gnet.ui.train.form import filled, form_values

    values = form_values(TrainConfig()) | {name: value}
    with pytest.raises(GnetError, match=words):
        filled(TrainConfig(), values)
