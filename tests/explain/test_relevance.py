"""Relevance of a module's channels for a class, against the logit and against differences."""

import pytest
import torch

from gnet.errors import GnetError
from gnet.explain.recording import record
from gnet.explain.relevance import relevance
from gnet.network.config import UNTRAINED, ModelConfig
from gnet.network.model import GoogLeNet
from support.pages import random_network

PICTURE = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(1))


def test_behind_5b_the_values_and_the_bias_add_up_to_the_logit() -> None:
    model = random_network()
    recording = record(model, PICTURE)
    found = relevance(model, recording, "5b", head="main", target=3)
    assert found.exact and found.values.shape == (recording.outputs["5b"].shape[0],)
    total = float(found.values.sum() + model.fc.bias[3].detach())
    assert total == pytest.approx(float(recording.logits["main"][3]), abs=1e-4)


def test_elsewhere_it_is_the_gradient_times_the_mean_response() -> None:
    model = random_network()
    recording = record(model, PICTURE)
    found = relevance(model, recording, "4a", head="aux1", target=2)
    assert not found.exact
    given = recording.outputs["4a"][None].clone().requires_grad_()
    assert model.aux1 is not None
    (gradient,) = torch.autograd.grad(model.aux1(given)[0, 2], given)
    by_hand = gradient[0].sum((1, 2)) * recording.outputs["4a"].mean((1, 2))
    assert torch.allclose(found.values, by_hand, atol=1e-5)
    assert not model.training and all(p.grad is None for p in model.parameters())


def test_with_a_norm_before_the_classifier_nothing_is_called_exact() -> None:
    config = ModelConfig.preset("pre-activation", num_classes=12, width=0.25)
    model = GoogLeNet(config, random_network().info).eval()
    assert not relevance(model, record(model, PICTURE), "5b", head="main", target=0).exact


def test_what_cannot_be_answered_is_refused() -> None:
    model = random_network(aux2=UNTRAINED)
    recording = record(model, PICTURE)
    for stage, head, target, words in (
        ("5a", "aux1", 0, "5a lies behind aux1"),
        ("3a", "aux2", 0, "untrained"),
        ("3a", "nobody", 0, "no head"),
        ("3a", "main", 99, "The class is 99"),
    ):
        with pytest.raises(GnetError, match=words):
            relevance(model, recording, stage, head=head, target=target)
