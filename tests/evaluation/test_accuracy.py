"""Accuracy by head and by group, counted by hand."""

from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from gnet.data.datasets import Dataset, open_dataset
from gnet.errors import GnetError
from gnet.evaluation.accuracy import Evaluation, evaluate
from gnet.network.config import ModelConfig
from gnet.network.folding import fold
from gnet.network.info import ModelInfo, Preprocessing
from gnet.network.model import GoogLeNet
from support.networks import network

LOGITS = torch.tensor(
    [
        [9.0, 1, 2, 3, 4, 5, 6],
        [9.0, 1, 2, 3, 4, 5, 6],
        [0.0, 1, 2, 3, 4, 5, 6],
        [0.0, 1, 2, 3, 4, 5, 6],
    ]
)
RESULT = Evaluation(
    logits={"main": LOGITS, "aux1": -LOGITS},
    labels=torch.tensor([0, 6, 6, 0]),
    sources=("tin", "tin", "tin", "ima"),
)


def test_accuracy_counts_the_pictures_whose_class_is_likeliest():
    assert RESULT.accuracy() == {"main": 0.5, "aux1": 0.25}
    assert RESULT.accuracy(k=2) == {"main": 0.75, "aux1": 0.25}
    assert RESULT.accuracy(k=100) == {"main": 1.0, "aux1": 1.0}


def test_losses_are_mean_cross_entropies():
    expected = F.cross_entropy(LOGITS, RESULT.labels).item()
    assert RESULT.losses()["main"] == pytest.approx(expected)


def test_the_summary_has_heads_groups_and_a_count():
    summary = RESULT.summary()
    assert summary["heads"]["main"] == {"top1": 0.5, "top5": 0.75, "class_mean": 0.5}
    assert list(summary["heads"]) == ["main", "aux1"]
    assert summary["groups"]["ima"]["main"] == {"top1": 0.0, "top5": 0.0}
    assert summary["groups"]["tin"]["main"]["top1"] == pytest.approx(2 / 3)
    assert summary["count"] == 4 and summary["counts"] == {"ima": 1, "tin": 3}


def test_the_mean_over_classes_gives_each_class_the_same_say():
    uneven = replace(RESULT, labels=torch.tensor([0, 0, 6, 0]))
    assert uneven.accuracy()["main"] == 0.75
    assert uneven.class_mean()["main"] == pytest.approx((2 / 3 + 1) / 2)  # five have no pictures


def test_a_family_is_right_whichever_of_its_classes_is_first():
    families = ("dog", "dog", "cat", "cat", "cat", "dog", "dog")
    sorted_out = replace(RESULT, families=families)
    assert sorted_out.family_accuracy()["main"] == 1.0  # classes 0 and 6 are of one family
    assert sorted_out.summary()["heads"]["main"]["family"] == 1.0
    assert RESULT.family_accuracy() == {} and "family" not in RESULT.summary()["heads"]["main"]


def test_the_mean_of_groups_gives_each_group_the_same_say():
    mean = RESULT.summary()["sources_mean"]["main"]
    assert mean["top1"] == pytest.approx((2 / 3 + 0) / 2)


@pytest.fixture(scope="module")
def patterns() -> Dataset:
    return open_dataset("built-in", "val", per_class=2, size=32)


def test_a_size_the_network_cannot_take_is_refused_before_anything_is_cut(patterns):
    model = network("paper", num_classes=10)
    with pytest.raises(GnetError, match=r"64×64 px; .* needs 224×224 px"):
        evaluate(model, patterns, Preprocessing(size=64))


def test_every_picture_is_evaluated_in_order_whatever_the_batch(patterns):
    model = network("batch-norm", num_classes=10)
    seen = []
    whole = evaluate(
        model, patterns, Preprocessing(size=32), progress=lambda done, total: seen.append(done)
    )
    parts = evaluate(model, patterns, Preprocessing(size=32), batch=7)
    assert seen == [20] and whole.logits["main"].shape == (20, 10)
    for head, values in whole.logits.items():
        torch.testing.assert_close(parts.logits[head], values, rtol=1e-4, atol=1e-5)
    x = torch.stack([p.float() / 255 for p in patterns.pictures])
    with torch.no_grad():
        expected = model(Preprocessing(size=32).normalise(x)).aux1
    torch.testing.assert_close(whole.logits["aux1"], expected, rtol=1e-4, atol=1e-5)


def test_a_folded_network_judges_the_same(patterns):
    model = network("batch-norm", num_classes=10)
    preprocessing = Preprocessing(size=32)
    torch.testing.assert_close(
        evaluate(fold(model), patterns, preprocessing).logits,
        evaluate(model, patterns, preprocessing).logits,
        rtol=1e-3,
        atol=1e-4,
    )


def test_evaluation_leaves_the_network_in_the_mode_it_was_in(patterns):
    model = network("batch-norm", num_classes=10).train()
    before = {name: value.clone() for name, value in model.named_buffers()}
    evaluate(model, patterns, Preprocessing(size=32))
    assert all(module.training for module in model.modules())
    assert all(torch.equal(value, before[name]) for name, value in model.named_buffers())


def test_bf16_is_near(patterns):
    model = network("batch-norm", num_classes=10)
    exact = evaluate(model, patterns, Preprocessing(size=32)).logits["main"]
    near = evaluate(model, patterns, Preprocessing(size=32), bf16=True).logits["main"]
    assert near.dtype == torch.float32
    torch.testing.assert_close(near, exact, rtol=0.1, atol=0.1 * exact.abs().max().item())


def test_a_data_set_of_other_classes_is_refused(patterns):
    with pytest.raises(GnetError, match=r"has 10 classes; the network has 5\."):
        evaluate(network("batch-norm"), patterns, Preprocessing(size=32))


def test_class_names_may_differ_only_in_what_folders_cannot_show(patterns):
    config = ModelConfig(num_classes=10, width=0.0625)
    shown = ModelInfo(classes=tuple(name.title() for name in patterns.classes))
    evaluate(GoogLeNet(config, shown), patterns, Preprocessing(size=32))
    swapped = ModelInfo(classes=patterns.classes[::-1])
    with pytest.raises(GnetError, match="where the network knows 'clouds'"):
        evaluate(GoogLeNet(config, swapped), patterns, Preprocessing(size=32))
