"""The methods that follow the gradient of a logit; captum computes them."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from captum.attr import (
    DeepLift,
    GuidedBackprop,
    GuidedGradCam,
    InputXGradient,
    IntegratedGradients,
    LayerGradCam,
    NoiseTunnel,
    Saliency,
)
from torch import Tensor

from gnet.explain.account import account
from gnet.explain.attribution.question import BATCH, Question


@contextmanager
def quiet() -> Iterator[None]:
    """Without captum's notes on the hooks that it sets and removes."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Setting .*hooks", category=UserWarning)
        yield


def saliency(q: Question) -> Tensor:
    """(H, W): the colour that matters most, arXiv 1312.6034 §3.1."""
    gradient = Saliency(q.answering).attribute(q.pixels, target=q.target, abs=True)
    return gradient[0].amax(dim=0)


def smooth_grad(q: Question) -> Tensor:
    """(H, W): saliency averaged over noisy copies, arXiv 1706.03825."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(q.options.seed)
        gradient = NoiseTunnel(Saliency(q.answering)).attribute(
            q.pixels,
            nt_type="smoothgrad",
            nt_samples=q.options.samples,
            nt_samples_batch_size=min(BATCH, q.options.samples),
            stdevs=q.options.noise,
            target=q.target,
            abs=True,
        )
    assert isinstance(gradient, Tensor)
    return gradient[0].amax(dim=0)


def input_x_gradient(q: Question) -> Tensor:
    """(H, W): gradient times pixel value, summed over colours."""
    return InputXGradient(q.answering).attribute(q.pixels, target=q.target)[0].sum(dim=0)


def integrated_gradients(q: Question) -> Tensor:
    """(H, W): arXiv 1703.01365; a sum over colours keeps completeness."""
    parts = IntegratedGradients(q.answering).attribute(
        q.pixels,
        baselines=q.baseline,
        target=q.target,
        n_steps=q.options.steps,
        method="riemann_middle",
        internal_batch_size=BATCH,
        return_convergence_delta=False,
    )
    return parts[0].sum(dim=0)


def guided_backprop(q: Question) -> Tensor:
    """(H, W): arXiv 1412.6806, the strongest colour with its sign."""
    with quiet():
        gradient = GuidedBackprop(q.answering).attribute(q.pixels, target=q.target)[0]
    return _strongest(gradient)


def deep_lift(q: Question) -> Tensor:
    """(H, W): arXiv 1704.02685, summed over colours."""
    with quiet():
        parts = DeepLift(q.answering).attribute(q.pixels, baselines=q.baseline, target=q.target)
    return parts[0].sum(dim=0)


def grad_cam(q: Question) -> Tensor:
    """(h, w) on the module's grid, arXiv 1610.02391."""
    assert q.layer is not None
    by_channel = LayerGradCam(q.answering, q.layer).attribute(
        q.pixels, target=q.target, attr_dim_summation=False
    )
    assert isinstance(by_channel, Tensor)  # (1, C, h, w)
    # A branch's gradient is its slice of the module's, so one hook serves module and branch.
    return by_channel[0, q.channels].sum(dim=0).relu()


def guided_grad_cam(q: Question) -> Tensor:
    """(H, W): Grad-CAM, enlarged, times Guided Backprop; arXiv 1610.02391 §3.2."""
    assert q.layer is not None
    if q.channels == slice(None):
        with quiet():
            parts = GuidedGradCam(q.answering, q.layer).attribute(
                q.pixels, target=q.target, interpolate_mode="bilinear"
            )
        return _strongest(parts[0])
    # captum's hook is on a module, and a branch is a slice of one: the two parts are multiplied.
    cam = LayerGradCam.interpolate(grad_cam(q)[None, None], q.pixels.shape[2:], "bilinear")
    return guided_backprop(q) * cam[0, 0]


def layer_conductance(q: Question) -> Tensor:
    """(h, w) on the module's grid: what its channels, or a branch's, carry; arXiv 1805.12233.

    captum's LayerConductance with the mean of the gradients at both ends of a step, see `account`.
    """
    steps = q.options.steps

    def heard(done: float) -> None:
        q.told(round(done * steps) - seen[-1])
        seen.append(round(done * steps))

    seen = [0]
    found = account(
        q.model,
        q.pixels,
        target=q.target,
        head=q.head,
        steps=steps,
        plain=q.baseline,
        heard=heard,
    )
    branches = found.maps[q.options.stage]
    chosen = q.options.branch
    return branches[chosen] if chosen else torch.stack(list(branches.values())).sum(0)


def _strongest(gradient: Tensor) -> Tensor:
    """(3, H, W) → (H, W): of the three colours the value furthest from 0, with its sign."""
    return gradient.gather(0, gradient.abs().argmax(dim=0, keepdim=True))[0]
