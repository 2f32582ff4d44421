"""Fits the probes: multinomial logistic regression on a finished network's frozen features.

The network sees each picture once and is not changed. The output of its modules is averaged over
the cells and kept in memory, and nine linear layers are fitted to that.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from gnet.data.batches import in_order
from gnet.data.datasets import Dataset, chosen, open_dataset, train_and_tune
from gnet.data.prefetch import prefetch
from gnet.errors import GnetError
from gnet.evaluation.accuracy import check_classes
from gnet.evaluation.calibration import calibration_error, fit_temperature
from gnet.explain.probes import Probe, Probes, features
from gnet.network.config import STAGES
from gnet.network.hooks import evaluating, watching
from gnet.network.model import GoogLeNet
from gnet.system.progress import Progress
from gnet.words import percent

PER_CLASS = 100
"""Training pictures of each class, each seen as it is and flipped."""
PENALTIES = (0.03, 0.01, 0.003, 0.001)
"""Weight of ½·Σw² in the loss, tried from the strongest on, until the loss on `tune` rises."""
ITERATIONS = 20
"""Of L-BFGS, at most, for each penalty; the next goes on where the last one ended."""
_BATCH = 64


@dataclass(frozen=True, kw_only=True, eq=False)
class Features:
    """The nine modules' outputs for a data set."""

    by_stage: dict[str, Tensor]
    """Stage → (n, channels) float32."""
    labels: Tensor
    """(n,) int64."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Fitted:
    """A probe and the settings that were chosen for it."""

    probe: Probe
    penalty: float
    temperature: float
    """What the logits were divided by; it is part of the probe's weights."""


def fit_probes(
    model: GoogLeNet,
    data: str | Path,
    *,
    per_class: int = PER_CLASS,
    seed: int = 0,
    progress: Progress | None = None,
) -> Probes:
    """The nine probes of `model`, and how often each is right on `val`.

    `data` as in `open_dataset`. `per_class` pictures are drawn by `seed` from what is left of
    `train` without its `tune` part; penalty and temperature are chosen on `tune`, and `val` is only
    reported, with the weights as they are stored. `model` may come from `fold`; its digest goes
    into the probes. `progress` counts pictures. Raises `GnetError`.
    """
    if per_class < 1:
        raise GnetError(f"per_class is {per_class}; allowed are 1 and more.")
    size = model.info.preprocessing.size
    rest, tune = train_and_tune(data, size=size, seed=seed, progress=progress)
    validation = open_dataset(data, "val", size=size, seed=seed, progress=progress)
    named = {"data": Path(data).name, "split": "val"}
    return fit_to(
        model,
        rest,
        tune,
        validation,
        per_class=per_class,
        seed=seed,
        named=named,
        progress=progress,
    )


def fit_to(
    model: GoogLeNet,
    rest: Dataset,
    tune: Dataset,
    validation: Dataset,
    *,
    per_class: int = PER_CLASS,
    seed: int = 0,
    named: dict[str, str] | None = None,
    progress: Progress | None = None,
) -> Probes:
    """The same from data sets that are open: fitted to `rest`, chosen on `tune`.

    `named` tells, in the probes' figures, what `validation` is.
    """
    if len(tune) == 0:
        raise GnetError(
            "No class has a picture to set aside for tuning; allowed are data sets with classes of "
            "two training pictures and more."
        )
    check_classes(model, rest)
    train = balanced(rest, per_class, seed)
    total = 2 * len(train) + len(tune) + len(validation)
    before = 0

    def look(dataset: Dataset, *, flipped: bool = False) -> Features:
        nonlocal before
        start, before = before, before + len(dataset)

        def count(done: int, _: int) -> None:
            if progress:
                progress(start + done, total)

        return collect_features(model, dataset, flipped=flipped, progress=count)

    plain, mirrored = look(train), look(train, flipped=True)
    tuning, shown = look(tune), look(validation)
    probes: dict[str, Probe] = {}
    stages: dict[str, Any] = {}
    for stage in STAGES:
        fitted = fit(
            Features(
                by_stage={stage: torch.cat([plain.by_stage[stage], mirrored.by_stage[stage]])},
                labels=torch.cat([plain.labels, mirrored.labels]),
            ),
            tuning,
            stage,
        )
        probes[stage] = _stored(fitted.probe)
        stages[stage] = evaluate_probe(probes[stage], shown, stage) | {
            "tune_top1": evaluate_probe(probes[stage], tuning, stage)["top1"],
            "penalty": fitted.penalty,
            "temperature": round(fitted.temperature, 4),
        }
    return Probes(
        digest=model.info.digest,
        probes=probes,
        metrics={
            **(named or {}),
            "count": len(validation),
            "size": model.info.preprocessing.size,
            "pictures": len(train),
            "per_class": per_class,
            "stages": stages,
        },
    )


def balanced(dataset: Dataset, per_class: int, seed: int) -> Dataset:
    """At most `per_class` pictures of each class, drawn by `seed`."""
    labels = dataset.labels.numpy()
    indices: list[int] = []
    for label in range(len(dataset.classes)):
        random = np.random.default_rng([abs(seed), label])
        drawn = random.permutation(np.flatnonzero(labels == label))[:per_class]
        indices += sorted(drawn.tolist())
    return chosen(dataset, indices)


def collect_features(
    model: GoogLeNet,
    dataset: Dataset,
    *,
    flipped: bool = False,
    progress: Progress | None = None,
) -> Features:
    """The nine modules' outputs for centre squares, at the size in the weights' preprocessing."""
    picture = model.info.preprocessing
    shown = in_order(dataset, picture, batch=_BATCH)
    parts: dict[str, list[Tensor]] = {stage: [] for stage in STAGES}
    done = 0
    with torch.inference_mode(), evaluating(model), closing(prefetch(shown)) as ready:
        for pixels, labels in ready:
            x = picture.normalise_bytes(pixels.flip(3) if flipped else pixels)
            with watching(model.inceptions()) as passed:
                model.run(x, ("main",))
            for stage in STAGES:
                parts[stage].append(features(passed[stage].output).float())
            done += len(labels)
            if progress:
                progress(done, len(dataset))
    return Features(
        by_stage={stage: torch.cat(values).clone() for stage, values in parts.items()},
        labels=dataset.labels,
    )


def fit(train: Features, tune: Features, stage: str) -> Fitted:
    """The stage's probe: fitted to `train`, penalty and temperature chosen on `tune`.

    Features are standardised for the fit; mean, deviation and temperature then become part of the
    linear layer, so that it reads the plain features and its logits are calibrated.
    """
    values, labels = train.by_stage[stage], train.labels
    classes = int(max(labels.max(), tune.labels.max())) + 1
    mean, deviation = values.mean(0), values.std(0, correction=0).clamp_min(1e-6)
    x, held = (values - mean) / deviation, (tune.by_stage[stage] - mean) / deviation
    weight = torch.zeros(classes, x.shape[1], requires_grad=True)
    bias = torch.zeros(classes, requires_grad=True)
    best: tuple[float, float, Tensor, Tensor] | None = None
    for penalty in PENALTIES:
        descend(x, labels, weight, bias, penalty)
        with torch.no_grad():
            loss = F.cross_entropy(F.linear(held, weight, bias), tune.labels).item()
        if best is not None and loss >= best[0]:
            break
        best = loss, penalty, weight.detach().clone(), bias.detach().clone()
    assert best is not None
    _, penalty, w, b = best
    temperature = fit_temperature(F.linear(held, w, b), tune.labels)
    plain = w / deviation
    probe = Probe(weight=plain / temperature, bias=(b - plain @ mean) / temperature)
    return Fitted(probe=probe, penalty=penalty, temperature=temperature)


def descend(x: Tensor, labels: Tensor, weight: Tensor, bias: Tensor, penalty: float) -> None:
    """Minimise cross-entropy + penalty·½·Σw² over `weight` and `bias`, in place (L-BFGS)."""
    optimiser = torch.optim.LBFGS(
        [weight, bias], max_iter=ITERATIONS, history_size=10, line_search_fn="strong_wolfe"
    )

    def loss() -> Tensor:
        optimiser.zero_grad()
        value = F.cross_entropy(F.linear(x, weight, bias), labels)
        value = value + penalty / 2 * weight.square().sum()
        value.backward()
        return value

    optimiser.step(loss)


def evaluate_probe(probe: Probe, shown: Features, stage: str) -> dict[str, float]:
    """The probe's accuracy and its calibration error."""
    logits = probe(shown.by_stage[stage])
    best = logits.topk(min(5, logits.shape[1]), dim=1).indices == shown.labels[:, None]
    return {
        "top1": round(best[:, 0].double().mean().item(), 6),
        "top5": round(best.any(dim=1).double().mean().item(), 6),
        "calibration_error": round(calibration_error(logits.softmax(1), shown.labels), 6),
    }


def _stored(probe: Probe) -> Probe:
    """The probe as it comes back from a file in half precision."""
    return Probe(weight=probe.weight.half().float(), bias=probe.bias)


def probes_table(probes: Probes) -> str:
    """The accuracy of each probe, as Markdown for the model card."""
    about = probes.metrics
    return "\n".join(
        [
            f"One linear layer on each module's output, averaged over its cells, fitted to "
            f"{about['pictures']:,} training pictures and their mirror images with the network "
            f"frozen. On `{about['split']}` of `{about['data']}`, {about['count']:,} pictures at "
            f"{about['size']} px:",
            "",
            "| probe at | " + " | ".join(about["stages"]) + " |",
            "|---" * (1 + len(about["stages"])) + "|",
            *(
                f"| {name} | "
                + " | ".join(percent(row[key]) for row in about["stages"].values())
                + " |"
                for name, key in (
                    ("top-1", "top1"),
                    ("top-5", "top5"),
                    ("calibration error", "calibration_error"),
                )
            ),
        ]
    )
