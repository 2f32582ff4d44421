"""The share of each head (main, aux1, aux2) in each module's gradient, on one probe batch.

Computed in fp32 on a copy of the network, so training is not affected.
"""

from __future__ import annotations

import copy
import itertools

import numpy as np
import torch
from torch import Tensor, nn

from gnet.data.batches import Batch, in_order, sharp_pictures
from gnet.data.datasets import Dataset, chosen
from gnet.network.info import Preprocessing
from gnet.network.model import GoogLeNet
from gnet.runs.events import GradientsMeasured
from gnet.training.learner import Learner
from gnet.training.optimisation import head_weights
from gnet.training.starting import frozen

PROBE_PICTURES = 16


def probe_batch(data: Dataset, size: int) -> Batch:
    """Pictures spread evenly over the data set, and so over its classes; centre squares."""
    indices = np.linspace(0, len(data) - 1, min(PROBE_PICTURES, len(data))).astype(np.int64)
    few = chosen(data, indices.tolist())
    pixels, labels = next(in_order(few, Preprocessing(size=size), batch=len(few)))
    no_crops = torch.full((len(indices),), -1)
    return Batch(pixels, labels, sharp_pictures(data, indices), no_crops)


def measure_gradients(learner: Learner, probe: Batch, epoch: int) -> GradientsMeasured:
    """The event of one measurement on `probe` after the learner's latest step."""
    norms, cosines = norms_and_cosines(gradients_by_head(learner, probe))
    return GradientsMeasured(step=learner.step, epoch=epoch, norms=norms, cosines=cosines)


def gradients_by_head(learner: Learner, probe: Batch) -> dict[str, dict[str, Tensor]]:
    """Module (`stem`, `3a` … `5b`) → head → gradient of that head's loss, as one flat vector.

    The loss is the mean over the probe times the head's weight. So the heads' vectors of a module
    add up to the gradient of the sum that is minimised. Batch norm uses the probe's statistics, and
    dropout is the same each time. Modules that are not trained are left out. The learner does not
    change: weights, statistics, modes, `.grad` and the random state stay the same.
    """
    trial = copy.deepcopy(learner.model).train()
    for part in frozen(trial, learner.config):
        part.eval()
    cuda = [learner.device] if learner.device.type == "cuda" else []
    x, labels = learner.inputs(probe)
    with torch.random.fork_rng(devices=cuda):
        torch.manual_seed(learner.config.seed)
        losses = learner.losses(trial(x), labels, probe)
    modules = {
        name: [p for part in parts for p in part.parameters() if p.requires_grad]
        for name, parts in _modules(trial).items()
    }
    modules = {name: parameters for name, parameters in modules.items() if parameters}
    if not modules:
        return {}
    weights = head_weights(learner.config)
    found: dict[str, dict[str, Tensor]] = {name: {} for name in modules}
    flat = [parameter for parameters in modules.values() for parameter in parameters]
    for head, loss in losses.items():
        gradients = torch.autograd.grad(
            loss * (weights[head] / len(labels)),
            flat,
            retain_graph=True,
            allow_unused=True,  # later modules do not affect an auxiliary head
            materialize_grads=True,
        )
        parts = iter(gradients)
        for name, parameters in modules.items():
            own = [part.reshape(-1) for part in itertools.islice(parts, len(parameters))]
            found[name][head] = torch.cat(own)
    return found


def norms_and_cosines(
    gradients: dict[str, dict[str, Tensor]],
) -> tuple[dict[str, dict[str, float]], dict[str, dict[str, float]]]:
    """Module → head → L2 norm; module → `main·aux1` and so on → cosine, where neither is 0."""
    norms: dict[str, dict[str, float]] = {}
    cosines: dict[str, dict[str, float]] = {}
    for module, by_head in gradients.items():
        vectors = {head: vector.double() for head, vector in by_head.items()}
        norms[module] = {head: float(vector.norm()) for head, vector in vectors.items()}
        cosines[module] = {
            f"{one}·{other}": float(vectors[one] @ vectors[other])
            / (norms[module][one] * norms[module][other])
            for one, other in itertools.combinations(vectors, 2)
            if norms[module][one] and norms[module][other]
        }
    return norms, cosines


def _modules(model: GoogLeNet) -> dict[str, list[nn.Module]]:
    modules: dict[str, list[nn.Module]] = {}
    for _, stage, layer in model.trunk():
        if stage is not None:
            modules.setdefault(stage, []).append(layer)
    return modules
