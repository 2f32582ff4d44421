"""Options of the command line: one for each field of the configs, read by the field's type."""

import argparse
from dataclasses import fields

import pytest

from gnet.commands.options import add_model_options, add_train_options, given_options, train_config
from gnet.errors import GnetError
from gnet.network.config import PRESETS, ModelConfig
from gnet.runs.train_config import TrainConfig


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser()
    add_train_options(made)
    add_model_options(made)
    return made


def asked(*words: str) -> TrainConfig:
    return train_config(parser().parse_args(words))


def test_every_field_has_an_option_that_says_what_is_allowed():
    text = " ".join(parser().format_help().split())
    for config in (TrainConfig, ModelConfig):
        for field in fields(config):
            if field.name in ("model", "num_classes"):
                continue
            assert f"--{field.name.replace('_', '-')} " in text
            for choice in field.metadata.get("choices") or ():
                assert str(choice) in text


def test_without_options_a_run_is_the_configs_default():
    assert asked() == TrainConfig()


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_is_what_its_options_change(preset):
    config = asked("--preset", preset, "--width", "0.5", "--size", "224")
    assert config.model == ModelConfig.preset(preset, width=0.5)
    assert config.size == 224


def test_values_take_their_fields_type():
    config = asked("--learning-rate", "1e-3", "--epochs", "7", "--augment", "No", "--aux", "yes")
    assert (config.learning_rate, config.epochs) == (0.001, 7)
    assert config.augment is False
    assert config.model.aux is True
    assert asked("--kernel-5x5", "3").model.kernel_5x5 == 3


def test_the_options_given_are_named_as_they_were_written():
    arguments = parser().parse_args(["--learning-rate", "1", "--preset", "paper", "--aux", "no"])
    assert given_options(arguments) == ["--preset", "--learning-rate", "--aux"]
    assert given_options(parser().parse_args([])) == []


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--epochs", "many"), "epochs is 'many'; allowed are whole numbers."),
        (("--epochs", "2.5"), "epochs is '2.5'; allowed are whole numbers."),
        (("--learning-rate", "fast"), "learning_rate is 'fast'; allowed are numbers."),
        (("--augment", "perhaps"), "augment is 'perhaps'; allowed are yes and no."),
        (("--epochs", "0"), "epochs is 0; allowed are whole numbers from 1 to 10000."),
        (("--optimiser", "lion"), "optimiser is 'lion'; allowed are adam, adamw, muon, sgd."),
        (("--kernel-5x5", "7"), "kernel_5x5 is 7; allowed are 5, 3."),
        (("--dropout", "nan"), "dropout is nan; allowed are numbers from 0 to 0.95."),
    ],
)
def test_a_value_that_is_not_allowed_is_one_sentence(words, sentence):
    with pytest.raises(GnetError) as caught:
        asked(*words)
    assert str(caught.value) == sentence
