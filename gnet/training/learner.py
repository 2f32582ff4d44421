"""The learner: a network with its optimiser and its EMA, trained step by step.

Knows nothing of files, events, or the end of an epoch.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from gnet.data.batches import (
    Batch,
    batches,
    class_shares,
    classes_with_sharp,
    steps_per_epoch,
)
from gnet.data.datasets import Dataset
from gnet.errors import GnetError
from gnet.network.config import UNTRAINED
from gnet.network.model import GoogLeNet, Logits
from gnet.network.weights import is_finite
from gnet.runs.train_config import TrainConfig
from gnet.training.distillation.answers import MatchedAnswers, SoftTargets
from gnet.training.distributed import Group, device
from gnet.training.optimisation import (
    EmaWeights,
    Mixed,
    head_losses,
    head_weights,
    learning_rate,
    make_optimiser,
    mix,
    weighted,
)
from gnet.training.starting import first_network, frozen, grown, heads_in_training
from gnet.words import listed


class Diverged(GnetError):
    """Training cannot go on: its loss or its weights are no longer finite numbers."""

    def __init__(self, what: str, step: int) -> None:
        """`what` begins the sentence, as "The loss of main became NaN"."""
        super().__init__(
            f"{what} after step {step}; try a lower learning rate or a network with batch norm."
        )


@dataclass(frozen=True, kw_only=True)
class StepResult:
    """The figures of one step, before its update; means over the pictures of all processes."""

    size: int
    """Side of the input in px."""
    losses: dict[str, float]
    """Head → its loss in nats, unweighted; untrained heads are left out."""
    accuracy: dict[str, float]
    """Head → fraction right."""
    loss: float
    """The weighted sum of the losses, which is minimised."""
    learning_rate: float


class Learner:
    """A network and its training over `steps` steps, for a `resolved` config."""

    def __init__(
        self,
        config: TrainConfig,
        data: Dataset,
        steps: int,
        group: Group,
        weights: GoogLeNet | None = None,
        answers: MatchedAnswers | None = None,
    ) -> None:
        """`weights`: those in `config.start`, as `first_weights` reads them.

        `answers`: a teacher's answers to pictures of `data`.
        """
        self.config = config
        """The settings of the next step; they may change during the run."""
        self.steps = steps
        self.group = group
        self.answers = answers
        self.device = device()
        self.precision = config.precision
        """"fp32" or "bf16"."""
        self.step = 0
        """Steps taken."""
        model = first_network(config, data.classes, weights, data.families).to(self.device)
        self.model = model.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        self._frozen = frozen(self.model, config)
        for module in self._frozen:
            module.requires_grad_(False)
        self.optimiser = make_optimiser(self.model, config)
        self.ema = EmaWeights(self.model, config.ema) if config.ema else None
        self._parallel: nn.Module = self.model
        if group.world > 1:
            # On CPUs there is no SyncBatchNorm: each process normalises by its own pictures, and
            # the running statistics are the first one's, whose buffers go to all at each step.
            if self.device.type == "cuda":  # replaces the norms in place, the network stays
                nn.SyncBatchNorm.convert_sync_batchnorm(self.model)
            self._parallel = nn.parallel.DistributedDataParallel(self.model)
        self._with_sharp = classes_with_sharp(data) if config.within_sharp else None
        self._shares = _shares(config, data) if config.even_sharpness else None

    @property
    def eval_model(self) -> GoogLeNet:
        """The network to validate and to save: the EMA if there is one."""
        return self.ema.model if self.ema else self.model

    def of_trained_heads(self, by_head: dict[str, float]) -> dict[str, float]:
        """The figures of `by_head` without untrained heads, whose figures mean nothing."""
        status = self.eval_model.info.heads
        return {head: v for head, v in by_head.items() if status.get(head, UNTRAINED) != UNTRAINED}

    def set(self, **settings: float) -> None:
        """Change these settings of the config from the next step on."""
        self.config = replace(self.config, **settings)
        for model in {self.model, self.eval_model}:
            heads = grown(model.info.heads, heads_in_training(self.config))
            model.info = replace(model.info, heads=heads)

    def check_weights(self) -> None:
        """Raise `Diverged` where weights in any process are not finite; all must call this."""
        if self.group.any(not self.finite()):
            raise Diverged("The weights became NaN or infinite", self.step)

    def finite(self) -> bool:
        """Whether all weights and statistics of this process, the EMA included, are finite."""
        return all(is_finite(model) for model in {self.model, self.eval_model})

    def take(self, batch: Batch, count: int) -> StepResult:
        """One step on this process's part of a batch that has `count` pictures in all.

        Raises `Diverged` before the update where a head's loss is not finite.
        """
        # The seed of dropout comes from the step, so a resumed run draws the same.
        torch.manual_seed(_step_seed(self.config.seed, self.step, self.group.rank))
        rate = learning_rate(self.step, self.steps, self.config)
        for settings in self.optimiser.param_groups:
            settings["lr"] = rate
        self._parallel.train()
        for module in self._frozen:  # else its batch norms would go on updating their statistics
            module.eval()
        x, labels = self.inputs(batch)
        mixed = mix(x, self.config.cutmix)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bf16"):
            logits = self._parallel(x)
        losses = self.losses(logits, labels, batch, mixed)
        # Processes average their gradients: each one's share of the whole batch's mean, times
        # the number of processes, averages to the whole batch's gradient.
        (weighted(losses, self.config) * (self.group.world / count)).backward()
        each, accuracy = self._shared(logits, labels, losses, count)
        if damaged := [head for head, loss in each.items() if not math.isfinite(loss)]:
            state = "NaN" if any(math.isnan(each[head]) for head in damaged) else "infinite"
            raise Diverged(f"The loss of {listed(damaged)} became {state}", self.step)
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)
        if self.ema:
            self.ema.update(self.model, self.step)
        self.step += 1
        weights = head_weights(self.config)
        return StepResult(
            size=x.shape[-1],
            losses=self.of_trained_heads(each),
            accuracy=self.of_trained_heads(accuracy),
            loss=sum(weights[head] * loss for head, loss in each.items()),
            learning_rate=rate,
        )

    def inputs(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """The network's input for a batch, (n, 3, size, size) float32, and the labels (n,)."""
        pixels = batch.pixels.to(self.device)
        x = self.model.info.preprocessing.normalise_bytes(pixels)
        return x, batch.labels.to(self.device)

    def losses(
        self, logits: Logits, labels: Tensor, batch: Batch, mixed: Mixed | None = None
    ) -> dict[str, Tensor]:
        """Head → summed loss (nats) over a batch; with CutMix the labels of both pictures count."""
        sharp = batch.sharp if mixed is None else batch.sharp & batch.sharp[mixed.others.cpu()]
        rivals = None
        if self._with_sharp is not None:
            rivals = (self._with_sharp[None] | ~sharp[:, None]).to(self.device)
        shares = self._shares[sharp.long()].to(self.device) if self._shares is not None else None
        targets = self._targets(batch)
        losses = head_losses(logits, labels, self.config, rivals, targets, shares)
        if mixed is not None:
            others = targets.of(mixed.others) if targets else None
            pieces = head_losses(logits, labels[mixed.others], self.config, rivals, others, shares)
            return {head: loss.lerp(pieces[head], mixed.share) for head, loss in losses.items()}
        return losses

    def _targets(self, batch: Batch) -> SoftTargets | None:
        if self.answers is None:
            return None
        temperature = self.config.teacher_temperature
        return self.answers.targets(batch.crops, batch.labels, temperature).to(self.device)

    def _shared(
        self, logits: Logits, labels: Tensor, losses: dict[str, Tensor], count: int
    ) -> tuple[dict[str, float], dict[str, float]]:
        """Each head's mean loss and accuracy over all processes' `count` pictures."""
        right = {head: (getattr(logits, head).argmax(1) == labels).sum() for head in losses}
        sums = torch.stack([v.detach().double() for v in (*losses.values(), *right.values())])
        means = (self.group.summed(sums) / count).tolist()
        return (
            dict(zip(losses, means[: len(losses)], strict=True)),
            dict(zip(losses, means[len(losses) :], strict=True)),
        )


def steps_each_epoch(config: TrainConfig, data: Dataset, group: Group) -> int:
    """Steps of one epoch; raises `GnetError` where there are too few pictures for one."""
    steps = steps_per_epoch(len(data), config.batch, group.world)
    if steps == 0:
        raise GnetError(
            f"The training set has {len(data)} pictures; at least {2 * group.world} are needed."
        )
    return steps


def training_batches(
    config: TrainConfig,
    data: Dataset,
    epoch: int,
    size: int,
    group: Group,
    answers: MatchedAnswers | None = None,
    *,
    first_step: int = 0,
) -> Iterator[Batch]:
    """This process's batches of an epoch (from 0) at `size` px, as the config has them.

    Pictures that a teacher answered are shown in the crops it was shown.
    """
    return batches(
        data,
        size=size,
        batch=config.batch,
        seed=config.seed,
        epoch=epoch,
        balance=config.balance,
        sharp_weight=config.sharp_weight,
        augmentation=config.augmentation(),
        crops=answers.crops if answers else None,
        first_step=first_step,
        rank=group.rank,
        world=group.world,
    )


def _shares(config: TrainConfig, data: Dataset) -> Tensor:
    return class_shares(
        data,
        balance=config.balance,
        sharp_weight=config.sharp_weight,
        thumbnails=config.thumbnails if config.augment else 0.0,
    )


def _step_seed(seed: int, step: int, rank: int) -> int:
    return (seed * 1_000_003 + step) * 4099 + rank
