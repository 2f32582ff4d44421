"""Texts for learners: every screen that looks at a network has one, with the network's figures."""

import pytest

from gnet.answers.learning import of_network, of_training
from gnet.network.config import BRANCHES, STAGES
from gnet.network.receptive_field import receptive_fields
from gnet.runs.experiments import EXPERIMENTS
from support.networks import network


@pytest.mark.parametrize("kernel", [3, 5])
def test_receptive_fields_in_the_text_are_those_of_the_network(kernel: int) -> None:
    model = network("batch-norm", kernel_5x5=kernel)
    said = of_network(model)["explore"]["see"]
    fields = receptive_fields(model)
    for stage in (STAGES[0], STAGES[-1]):
        sides = [str(fields[stage][branch].size) for branch in BRANCHES]
        assert f"{', '.join(sides[:-1])} and {sides[-1]} px" in said


def test_each_text_says_what_is_seen_what_to_try_and_what_it_cannot_show() -> None:
    texts = of_network(network("batch-norm")) | {"train": of_training()}
    assert list(texts) == ["explore", "branches", "train"]
    for parts in texts.values():
        assert list(parts) == ["see", "try", "limits"]
        assert all(text.endswith(".") for text in parts.values())


def test_the_text_of_the_train_tab_has_the_first_experiments_settings() -> None:
    config = EXPERIMENTS["first-run"].runs[0][1]
    said = of_training()["see"]
    assert f"{config.per_class} pictures of each" in said and f"{config.epochs} times" in said
