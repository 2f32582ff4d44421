"""Reads the inputs and outputs of modules during a forward, and leaves nothing behind.

Hooks exist only inside these contexts: they are removed when the forward fails, too.
"""

import copy
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple, TypeVar

import torch
from torch import Tensor, nn

Key = TypeVar("Key")
Network = TypeVar("Network", bound=nn.Module)


class Passed(NamedTuple):
    """A module's input and its output."""

    input: Tensor
    output: Tensor


@contextmanager
def watching(modules: Mapping[Key, nn.Module]) -> Iterator[dict[Key, Passed]]:
    """Gives a dict that fills during the forward: key of the module → its last input and output.

    Tensors are handed over as they are, with their graph if they have one; nothing is copied. What
    other threads run through the same modules meanwhile is not seen.
    """
    own = threading.get_ident()
    passed: dict[Key, Passed] = {}
    handles = []
    try:
        for key, module in modules.items():

            def keep(_module: nn.Module, args: tuple, output: Tensor, key: Key = key) -> None:
                if threading.get_ident() == own:
                    passed[key] = Passed(args[0], output)

            handles.append(module.register_forward_hook(keep))
        yield passed
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Puts the model in eval mode and afterwards every module back into the mode it was in."""
    training = [module for module in model.modules() if module.training]
    try:
        for module in training:
            module.training = False
        yield
    finally:
        for module in training:
            module.training = True


def differentiable(model: Network) -> Network:
    """The model itself, or a copy of one whose weights were made in `torch.inference_mode()`.

    Such weights take no part in any gradient.
    """
    tensors = [*model.parameters(), *model.buffers()]
    if not any(tensor.is_inference() for tensor in tensors):
        return model
    with torch.inference_mode(False):
        memo = {
            id(tensor): _outside_inference(tensor) for tensor in tensors
        }  # what deepcopy puts in a tensor's place
        return copy.deepcopy(model, memo)


def _outside_inference(tensor: Tensor) -> Tensor:
    plain = tensor.detach().clone()
    if isinstance(tensor, nn.Parameter):
        return nn.Parameter(plain, requires_grad=tensor.requires_grad)
    return plain
