"""Configs and infos: what is allowed, what survives JSON, how a picture is normalised."""

import math
from dataclasses import FrozenInstanceError

import pytest
import torch

from gnet.errors import FieldError, GnetError
from gnet.network.config import PRESETS, ModelConfig, scaled
from gnet.network.info import ModelInfo, Preprocessing


def test_width_1_is_exact():
    assert all(scaled(channels, 1.0) == channels for channels in range(1, 300))


def test_a_config_survives_json_and_cannot_be_changed():
    for name in PRESETS:
        config = ModelConfig.preset(name, width=0.5)
        assert ModelConfig.from_json(config.to_json()) == config
        with pytest.raises(FrozenInstanceError):
            config.width = 1.0  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(GnetError, match="paper"):
        ModelConfig.preset("vgg")


@pytest.mark.parametrize(
    "changes",
    [
        {"num_classes": 1},
        {"num_classes": 2.5},
        {"num_classes": True},
        {"width": 0},
        {"width": float("nan")},
        {"width": "wide"},
        {"kernel_5x5": 4},
        {"kernel_5x5": 5.0},
        {"norm": "group"},
        {"order": ["conv"]},
        {"dropout": 1.0},
        {"aux": 1},
        {"transform_input": "yes"},
        {"init": "lucky"},
    ],
)
def test_what_no_network_can_be_built_from_is_a_sentence(changes):
    with pytest.raises(GnetError, match="allowed"):
        ModelConfig(**changes)


def test_info_survives_json_and_names_every_class():
    info = ModelInfo(
        name="x",
        classes=("cat", "dog"),
        families=("pet", "pet"),
        preprocessing=Preprocessing(size=64, crop=0.9, mean=(0.1, 0.2, 0.3)),
        heads={"aux1": "untrained", "aux2": "probe on frozen features", "main": "untrained"},
        metrics={"top1": 0.5},
        digest="ab",
    )
    assert ModelInfo.from_json(info.to_json()) == info
    assert info.class_name(1) == "dog"
    assert info.class_name(7) == "class 7"


def test_a_familys_probability_is_the_sum_over_its_classes():
    info = ModelInfo(classes=("cat", "beagle", "poodle"), families=("cat", "dog", "dog"))
    shares = info.family_shares((0.4, 0.35, 0.25))
    assert list(shares) == ["dog", "cat"] and shares == pytest.approx({"dog": 0.6, "cat": 0.4})
    assert ModelInfo(classes=("cat", "dog")).family_shares((0.4, 0.6)) == {}
    with pytest.raises(GnetError, match="1 families for 2 classes"):
        ModelInfo.from_json({"classes": ["cat", "dog"], "families": ["pet"]})


def test_normalising_gives_mean_0_and_deviation_1_per_colour():
    preprocessing = Preprocessing(mean=(0.1, 0.2, 0.3), std=(0.5, 0.25, 0.125))
    mean = torch.tensor([0.1, 0.2, 0.3]).view(1, 3, 1, 1).expand(2, 3, 4, 4)
    torch.testing.assert_close(preprocessing.normalise(mean), torch.zeros(2, 3, 4, 4))
    spread = torch.tensor([0.5, 0.25, 0.125]).view(3, 1, 1)
    torch.testing.assert_close(preprocessing.normalise(mean + spread), torch.ones(2, 3, 4, 4))
    noise = torch.rand(1, 3, 4, 5)
    by_numpy = preprocessing.normalise_array(noise.numpy())
    assert torch.equal(torch.from_numpy(by_numpy), preprocessing.normalise(noise))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("size", 0),
        ("size", 64.0),
        ("size", True),
        ("size", 100_000),
        ("crop", 0),
        ("crop", math.nan),
        ("crop", "1"),
        ("thumbnail", -1),
        ("quality", 96),
        ("mean", (0.5, math.nan, 0.5)),
        ("mean", (0.5, 0.5)),
        ("std", (0.2, 0.0, 0.2)),
        ("std", (0.2, math.inf, 0.2)),
    ],
)
def test_a_preprocessing_that_makes_no_input_is_refused(field, value):
    with pytest.raises(FieldError) as caught:
        Preprocessing(**{field: value})
    assert caught.value.field == field


def test_a_class_is_given_by_its_number_or_its_name():
    info = ModelInfo(classes=("cat", "dog", "3"))
    assert [info.class_index(given) for given in (1, "1", "dog")] == [1, 1, 1]
    assert info.class_index("3") == 2, "a name comes before a number"
    assert info.class_index("Dog") == 1
    assert ModelInfo(classes=("a", "A")).class_index("A") == 1, "as it is written comes first"
    with pytest.raises(GnetError, match="as 'zebra', or their"):
        ModelInfo(classes=("cat", "dog", "zebra")).class_index("zebrra")
    digits = ModelInfo(classes=("0", "1", "10", "2"))
    assert [digits.class_index(given) for given in ("2", "10", 2, "3")] == [3, 2, 2, 3]
    for wrong in ("cow", "²", "9" * 5000, None, True, ["cat"], ""):
        with pytest.raises(GnetError, match=r"knows no class .* allowed are its 3 class names, as"):
            info.class_index(wrong)  # pyright: ignore[reportArgumentType]
    with pytest.raises(GnetError, match="its 0 class names or their numbers"):
        ModelInfo().class_index("cat")
