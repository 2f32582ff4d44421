"""The differences from the paper, module by module."""

import pytest

from gnet.network.config import STAGES, ModelConfig
from gnet.network.deviations import deviations


@pytest.mark.parametrize("stage", STAGES)
def test_the_paper_s_network_differs_nowhere(stage):
    assert deviations(ModelConfig.preset("paper"), stage) == []


def test_torchvision_s_network_differs_by_its_kernel_its_norm_and_its_pool():
    config = ModelConfig.preset("torchvision")
    everywhere = ["the 5×5 branch has a 3×3 kernel", "batch norm follows each convolution"]
    assert deviations(config, "3a") == everywhere
    assert deviations(config, "5a") == [*everywhere, "the max-pool before it is 2×2"]
    assert deviations(config, "4a") == [*everywhere, "aux1 pools to 4×4 at any size"]


def test_what_is_left_out_narrowed_or_without_heads_is_named():
    config = ModelConfig.preset("paper", left_out="5x5", width=0.5, aux=False, kernel_5x5=3)
    expected = ["the 5×5 branch is left out", "channel counts are 0.5 times as large"]
    assert deviations(config, "4b") == expected
    assert deviations(config, "4d") == [*expected, "no auxiliary head reads it"]


def test_a_classifier_of_another_kind_is_named():
    config = ModelConfig.preset("pre-activation", rectified_outputs=True)
    found = deviations(config, "5b")
    assert "batch norm and ReLU come before each convolution" in found
    assert "a ReLU follows the logits" in found
