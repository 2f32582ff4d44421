"""Losses, schedules, optimisers and the EMA against sums done by hand and by torch."""

import copy
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from gnet.errors import GnetError
from gnet.network.model import Logits
from gnet.runs.train_config import TrainConfig
from gnet.training.optimisation import (
    EMA_EVERY,
    EmaWeights,
    head_losses,
    learning_rate,
    make_optimiser,
    mix,
    weighted,
)
from support.networks import network
from support.training_runs import tiny


@pytest.fixture
def logits() -> Logits:
    torch.manual_seed(1)
    main, aux1, aux2 = torch.randn(3, 6, 5).unbind()
    return Logits(main, aux1, aux2)


LABELS = torch.tensor([0, 1, 2, 3, 4, 0])


def test_each_heads_loss_is_torchs_cross_entropy(logits):
    losses = head_losses(logits, LABELS, TrainConfig())
    for head, values in logits._asdict().items():
        torch.testing.assert_close(losses[head] / 6, F.cross_entropy(values, LABELS))


def test_label_smoothing_is_the_mixture_with_even_labels(logits):
    loss = head_losses(logits, LABELS, TrainConfig(label_smoothing=0.1))["main"]
    log_p = logits.main.log_softmax(1)
    target = 0.9 * F.one_hot(LABELS, 5) + 0.1 / 5
    torch.testing.assert_close(loss, -(target * log_p).sum())
    torch.testing.assert_close(loss / 6, F.cross_entropy(logits.main, LABELS, label_smoothing=0.1))


def test_shares_make_up_for_what_a_kind_of_picture_says_of_its_class(logits):
    shares = torch.tensor([0.4, 0.3, 0.2, 0.1, 0.0]).expand(6, 5)
    loss = head_losses(logits, LABELS, TrainConfig(), shares=shares)["main"]
    adjusted = logits.main + shares.clamp_min(1e-6).log()
    torch.testing.assert_close(loss, F.cross_entropy(adjusted, LABELS, reduction="sum"))


def test_the_total_is_main_plus_the_weighted_auxiliary_losses():
    losses = {"main": torch.tensor(2.0), "aux1": torch.tensor(3.0), "aux2": torch.tensor(5.0)}
    config = TrainConfig(aux1_weight=0.3, aux2_weight=0.1)
    assert weighted(losses, config).item() == pytest.approx(2 + 0.3 * 3 + 0.1 * 5)


def test_a_network_without_heads_has_one_loss(logits):
    losses = head_losses(Logits(logits.main, None, None), LABELS, TrainConfig())
    assert list(losses) == ["main"]
    assert weighted(losses, TrainConfig()).item() == pytest.approx(losses["main"].item())


def test_the_loss_on_raw_outputs_is_kerass_formula():
    outputs = torch.tensor([[0.5, 0.25, -3.0], [2.0, 0.0, 0.2]])
    config = TrainConfig(loss="probabilities")
    loss = head_losses(Logits(outputs, None, None), torch.tensor([1, 2]), config)["main"]
    z = np.maximum(outputs.double().numpy(), 0)
    p = np.clip(z, 1e-7, 1 - 1e-7)
    p /= p.sum(1, keepdims=True)
    assert loss.item() == pytest.approx(-math.log(p[0, 1]) - math.log(p[1, 2]), rel=1e-6)


@pytest.mark.parametrize("classes", [2, 10, 139])
def test_outputs_that_are_all_dead_lose_ln_classes_and_have_no_gradient(classes):
    outputs = torch.zeros(1, classes, requires_grad=True)
    config = TrainConfig(loss="probabilities")
    loss = head_losses(Logits(outputs.relu(), None, None), torch.tensor([1]), config)["main"]
    loss.backward()
    assert loss.item() == pytest.approx(math.log(classes), rel=1e-6)
    assert outputs.grad is not None and not outputs.grad.any()


def rates(schedule: str, steps: int = 400) -> list[float]:
    config = TrainConfig(schedule=schedule, learning_rate=0.1)
    return [learning_rate(step, steps, config) for step in range(steps)]


def test_a_constant_rate_stays():
    assert set(rates("constant")) == {0.1}


def test_cosine_falls_from_the_rate_to_nothing_by_way_of_its_half():
    values = rates("cosine")
    assert values == sorted(values, reverse=True)
    assert values[0] == pytest.approx(0.1, rel=1e-3)
    assert values[-1] < 1e-5
    assert (values[199] + values[200]) / 2 == pytest.approx(0.05)


def test_one_cycle_rises_for_a_quarter_and_falls_to_nothing():
    values = rates("one-cycle")
    top = int(np.argmax(values))
    assert 98 <= top <= 101 and values[top] == pytest.approx(0.1, rel=1e-3)
    assert values[:top] == sorted(values[:top])
    assert values[top:] == sorted(values[top:], reverse=True)
    assert values[0] == pytest.approx(0.004, rel=1e-2)
    assert values[-1] < 1e-5


@pytest.mark.parametrize("name", ["adam", "adamw", "sgd"])
def test_an_optimiser_takes_the_step_its_name_promises(name):
    model = network("batch-norm")
    twin = copy.deepcopy(model)
    config = TrainConfig(optimiser=name, learning_rate=0.01, weight_decay=0.1)
    ours = make_optimiser(model, config)
    kernels = [p for p in twin.parameters() if p.dim() > 1]
    others = [p for p in twin.parameters() if p.dim() == 1]
    groups = [{"params": kernels, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}]
    plain = {
        "adam": lambda: torch.optim.Adam(groups, lr=0.01, foreach=False),
        "adamw": lambda: torch.optim.AdamW(groups, lr=0.01, foreach=False),
        "sgd": lambda: torch.optim.SGD(groups, lr=0.01, momentum=0.9, nesterov=True, foreach=False),
    }[name]()
    torch.manual_seed(0)
    for _ in range(2):
        for mine, theirs in zip(model.parameters(), twin.parameters(), strict=True):
            mine.grad = torch.randn_like(mine)
            theirs.grad = mine.grad.clone()
        ours.step()
        plain.step()
    for mine, theirs in zip(model.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_muon_makes_each_kernels_momentum_orthogonal_as_the_formula_says(layout):
    model = network("batch-norm").to(memory_format=layout)
    config = TrainConfig(optimiser="muon", learning_rate=0.01, weight_decay=0.1)
    ours = make_optimiser(model, config)
    kernel = model.get_parameter("inception3a.branch3.1.conv.weight")
    before = kernel.detach().clone()
    gradients = [torch.randn_like(p) for p in model.parameters()]
    for parameter, gradient in zip(model.parameters(), gradients, strict=True):
        parameter.grad = gradient
    ours.step()
    # The first momentum is a twentieth of the gradient, so that both point the same way.
    assert kernel.grad is not None
    left, _, right = torch.linalg.svd(kernel.grad.flatten(1), full_matrices=False)
    longer = max(kernel.flatten(1).shape)
    step = (before * (1 - 0.01 * 0.1) - kernel.detach()).flatten(1) / (0.01 * 0.2 * longer**0.5)
    # Five steps of its iteration bring all singular values near 1, not to it.
    assert torch.linalg.svdvals(step).max() < 1.3 and torch.linalg.svdvals(step).min() > 0.5
    cosine = F.cosine_similarity(step.flatten(), (left @ right).flatten(), dim=0)
    assert cosine > 0.95


def test_muon_steps_what_is_no_kernel_as_adamw_does():
    model = network("batch-norm")
    twin = copy.deepcopy(model)
    config = TrainConfig(optimiser="muon", learning_rate=0.01, weight_decay=0.1)
    both = [
        make_optimiser(m, replace(config, optimiser=o))
        for m, o in ((model, "muon"), (twin, "adamw"))
    ]
    torch.manual_seed(0)
    for _ in range(2):
        for mine, theirs in zip(model.parameters(), twin.parameters(), strict=True):
            mine.grad = torch.randn_like(mine)
            theirs.grad = mine.grad.clone()
        for optimiser in both:
            for group in optimiser.param_groups:
                group["lr"] = 0.02  # as a schedule does
            optimiser.step()
    for mine, theirs in zip(model.parameters(), twin.parameters(), strict=True):
        assert torch.equal(mine, theirs) == (mine.dim() != 4)


def test_muon_lets_kernels_rest_that_nothing_is_asked_of():
    model = network("batch-norm")
    optimiser = make_optimiser(model, TrainConfig(optimiser="muon", learning_rate=0.01))
    resting = model.get_parameter("aux1.conv.conv.weight")
    for step in range(4):
        for parameter in model.parameters():
            parameter.grad = torch.randn_like(parameter)
        if step > 1:
            resting.grad = torch.zeros_like(resting)
        before = resting.detach().clone()
        optimiser.step()
        assert torch.equal(resting, before) == (step > 1)


def test_muon_without_kernels_to_train_is_adamw():
    model = network("batch-norm").requires_grad_(False)
    model.fc.requires_grad_(True)
    optimiser = make_optimiser(model, TrainConfig(optimiser="muon"))
    assert isinstance(optimiser, torch.optim.AdamW)


def test_the_ema_follows_as_the_formula_says():
    model = network("batch-norm")
    ema = EmaWeights(model, 0.9)
    expected = {k: v.clone() for k, v in model.state_dict().items()}
    torch.manual_seed(0)
    for step in range(3 * EMA_EVERY):
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(torch.randn_like(parameter))
        ema.update(model, step)
        updates, rest = divmod(step + 1, EMA_EVERY)
        if rest == 0:
            decay = min(0.9**EMA_EVERY, (1 + updates) / (10 + updates))
            for name, value in model.state_dict().items():
                if value.is_floating_point():
                    expected[name] = decay * expected[name] + (1 - decay) * value
    for name, value in ema.model.state_dict().items():
        torch.testing.assert_close(value, expected[name], rtol=1e-5, atol=1e-5)


def test_the_ema_has_weights_of_its_own():
    model = network("batch-norm")
    ema = EmaWeights(model, 0.9)
    before = ema.model.fc.weight.clone()
    with torch.no_grad():
        model.fc.weight.add_(1.0)
    assert torch.equal(ema.model.fc.weight, before)
    assert not any(p.requires_grad for p in ema.model.parameters())


@pytest.mark.parametrize(
    "changes, sentence",
    [
        ({"epochs": -1}, "epochs is -1; allowed are whole numbers from 1 to 10000."),
        ({"batch": 1}, "batch is 1; allowed are whole numbers from 2 to 4096."),
        ({"learning_rate": math.nan}, "learning_rate is nan; allowed are numbers from 0 to"),
        ({"optimiser": "lion"}, "optimiser is 'lion'; allowed are adam, adamw, muon, sgd."),
        ({"size": 1000}, "size is 1000; allowed are whole numbers from 32 to 320."),
        ({"grow": "64"}, "allowed are pairs of side and epochs"),
        ({"grow": "64x9"}, "fewer epochs than the run's 2, not 9."),
        ({"grow": "64x²"}, "allowed are pairs of side and epochs"),
        ({"grow": f"64x{'9' * 5000}"}, "allowed are pairs of side and epochs"),
        ({"grow": "64x999999999"}, "fewer epochs than the run's 2"),
        ({"grow": "16x1"}, "allowed are 32 to 320 px."),
        ({"preset": "paper"}, "needs 224×224 px."),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_config_out_of_range_is_refused_in_a_sentence(changes, sentence):
    with pytest.raises(GnetError) as caught:
        tiny(**changes)
    assert sentence in str(caught.value)


def test_a_config_survives_json():
    config = tiny(ema=0.9, grow="32x1", network={"kernel_5x5": 3})
    assert TrainConfig.from_json(config.to_json()) == config


def test_a_config_with_strange_fields_is_refused():
    with pytest.raises(GnetError, match="this program does not write"):
        TrainConfig.from_json({"colour": "red"})


def test_mixing_puts_one_rectangle_of_another_picture_into_each():
    shares = []
    for seed in range(40):
        torch.manual_seed(seed)
        x = torch.arange(8.0)[:, None, None, None].expand(8, 3, 20, 20).contiguous()
        mixed = mix(x, 1.0)
        assert mixed is not None and sorted(mixed.others.tolist()) == list(range(8))
        other = mixed.others[:, None, None, None].float().expand_as(x)
        own = torch.arange(8.0)[:, None, None, None].expand_as(x)
        assert ((x == own) | (x == other)).all()
        moved = mixed.others != torch.arange(8)
        piece = (x != own)[moved]
        assert piece.float().mean().item() == pytest.approx(mixed.share if moved.any() else 0)
        rows, columns = piece[0, 0].any(1).sum(), piece[0, 0].any(0).sum()
        assert piece[0, 0].sum() == rows * columns and (piece == piece[:1, :1]).all()
        shares.append(mixed.share)
    assert min(shares) < 0.1 and max(shares) > 0.4


def test_batches_are_mixed_as_often_as_asked():
    x = torch.zeros(2, 3, 4, 4)
    assert mix(x, 0.0) is None
    torch.manual_seed(0)
    assert 60 < sum(mix(x, 0.4) is not None for _ in range(200)) < 100
