"""Makes weights of this program from a file of torchvision's GoogLeNet, as .pth and .pt files are.

Such a file is opened as tensors only, so none of its code runs.
"""

from __future__ import annotations

import json
import pickle
import re
import warnings
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from gnet.errors import GnetError
from gnet.network.config import HEADS, TRAINED, UNTRAINED
from gnet.network.info import ModelInfo, Preprocessing
from gnet.network.model import GoogLeNet
from gnet.network.weights import from_torchvision
from gnet.system.paths import expanded, regular
from gnet.system.tensor_file import check_tensors
from gnet.words import cut, listed, some

_INSIDE = ("state_dict", "model_state_dict", "model", "model_state", "net", "network", "weights")
"""Where training programs put the state dict in what they save."""
_FIRST = "conv1.conv.weight"
"""A name that every state dict of the network has, perhaps with a prefix before it."""
_DAMAGES = (
    pickle.UnpicklingError, SafetensorError, RuntimeError, EOFError, ValueError,
    LookupError, TypeError, AttributeError, zipfile.BadZipFile,
)  # fmt: skip


class Converted(NamedTuple):
    """A network made of another program's file."""

    model: GoogLeNet
    left_out: tuple[str, ...]
    """Auxiliary heads in the file that do not fit its classifier, or lack their partner."""


def convert(
    source: str | Path,
    classes: Sequence[str],
    *,
    transform_input: bool,
    trained: Sequence[str] = ("main",),
) -> Converted:
    """The network whose weights are in `source`, a file of torchvision's GoogLeNet.

    `classes`: the name of each. `transform_input`: whether the network renormalises its input, as
    torchvision's does with published weights and after fine-tuning them. `trained`: the heads that
    somebody trained. Raises `GnetError` for any other file.
    """
    source = expanded(source)
    unknown = [head for head in trained if head not in HEADS]
    if unknown or "main" not in trained:
        raise GnetError(
            f"The trained heads are {listed(trained)}; allowed are {listed(HEADS)}, main among "
            "them."
        )
    state = _with_plain_classifier(_without_prefix(_state_dict(_opened(source), source), source))
    count = _rows(state, "fc.weight", source)
    if len(classes) != count:
        raise GnetError(
            f"{len(classes)} class names were given; {source.name} has {count} classes, so allowed "
            f"are {count} names."
        )
    fitting, left_out = _with_fitting_heads(state, count)
    present = [head for head in HEADS if head == "main" or f"{head}.fc2.weight" in fitting]
    if missing := [head for head in trained if head not in present]:
        raise GnetError(
            f"{source.name} has no {listed(missing, 'or')} for {count} classes; allowed as trained "
            f"heads are {listed(present)}."
        )
    info = ModelInfo(
        name=source.stem,
        classes=tuple(classes),
        preprocessing=Preprocessing(size=224, crop=224 / 256),
        heads={head: TRAINED if head in trained else UNTRAINED for head in HEADS},
    )
    model = from_torchvision(fitting, transform_input=transform_input, info=info)
    return Converted(model, left_out)


def read_classes(path: str | Path) -> tuple[str, ...]:
    """The class names in a file: a line each, or JSON: a list, or an object by number."""
    path = expanded(path)
    try:
        text = regular(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8"
        raise GnetError(
            f"The class names in {path} cannot be read ({reason}); give a text file in UTF-8 with "
            "one name a line."
        ) from error
    names = _names(text) if text.lstrip()[:1] in ("[", "{") else text.splitlines()
    names = tuple(name.strip() for name in names)
    while names and not names[-1]:
        names = names[:-1]
    if not names or not all(names):
        raise GnetError(
            f"{path} holds {'an empty name' if names else 'no names'}; allowed is one class name a "
            "line, or a list in JSON."
        )
    return names


def _names(text: str) -> list[str]:
    """The names in a list, or in an object as {"0": "cat"} or {"0": ["n02123045", "cat"]}."""
    try:
        record = json.loads(text)
        if isinstance(record, dict):
            record = [record[str(number)] for number in range(len(record))]
        names = [name[-1] if isinstance(name, list) else name for name in record]
        if all(isinstance(name, str) for name in names):
            return names
    except (ValueError, LookupError, RecursionError):
        pass
    raise GnetError(
        'The class names are no list in JSON; allowed are ["cat", "dog"], {"0": "cat", "1": "dog"} '
        "or a text with one name a line."
    )


def _opened(path: Path) -> Any:
    """What a file holds, tensors and plain values only."""
    try:
        if path.suffix == ".safetensors":
            return load_file(regular(path))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch's, of kinds of tensors that are refused anyway
            return torch.load(regular(path), map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise GnetError(f"There is no file {path}; give a .pth or .pt file.") from error
    except IsADirectoryError as error:
        raise GnetError(f"{path} is a folder; give a .pth or .pt file in it.") from error
    except OSError as error:
        raise GnetError(
            f"{path} cannot be read ({error.strerror or error}); give a .pth or .pt file."
        ) from error
    except _DAMAGES as error:
        raise GnetError(
            f"{path} holds more than tensors, or is damaged; allowed is a state dict, as "
            "`torch.save(model.state_dict(), path)` writes it."
        ) from error


def _state_dict(content: Any, path: Path) -> dict[str, Tensor]:
    """The state dict in what a training program saved."""
    for _ in range(3):  # one in another, at most
        if not isinstance(content, Mapping):
            break
        tensors = {str(name): v for name, v in content.items() if isinstance(v, Tensor)}
        if any(name.endswith(_FIRST) for name in tensors):
            check_tensors(tensors, str(path))
            return tensors
        inside = [content[key] for key in _INSIDE if isinstance(content.get(key), Mapping)]
        if not inside:
            break
        content = inside[0]
    found = content.keys() if isinstance(content, Mapping) else [type(content).__name__]
    raise GnetError(
        f"{path} holds no GoogLeNet of torchvision but {cut(some(found))}; allowed is its state "
        f"dict, with {_FIRST} in it."
    )


def _without_prefix(state: Mapping[str, Tensor], path: Path) -> dict[str, Tensor]:
    """The tensors named as in the network itself, without the `module.` of a wrapper, say."""
    prefixes = {name.removesuffix(_FIRST) for name in state if name.endswith(_FIRST)}
    if len(prefixes) > 1:
        raise GnetError(
            f"{path} holds {len(prefixes)} networks, under {listed(sorted(prefixes))}; allowed is "
            "one."
        )
    (prefix,) = prefixes
    return {n.removeprefix(prefix): v for n, v in state.items() if n.startswith(prefix)}


def _with_plain_classifier(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A classifier within a sequence, as dropout and one linear layer, under its usual name."""
    layers = {
        found[1] for name in state if (found := re.fullmatch(r"(fc\.(?:\w+\.)+)weight", name))
    }
    if "fc.weight" in state or len(layers) != 1:
        return dict(state)
    (layer,) = layers
    return {name.replace(layer, "fc.", 1): value for name, value in state.items()}


def _with_fitting_heads(
    state: Mapping[str, Tensor], count: int
) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """The state without auxiliary heads unless both are there and have the classifier's classes."""
    heads = [h for h in ("aux1", "aux2") if any(name.startswith(f"{h}.") for name in state)]
    rows = [len(state[n]) for h in heads if (n := f"{h}.fc2.weight") in state and state[n].dim()]
    if rows == [count, count]:
        return dict(state), ()
    kept = {name: v for name, v in state.items() if not name.startswith(("aux1.", "aux2."))}
    return kept, tuple(heads)


def _rows(state: Mapping[str, Tensor], name: str, path: Path) -> int:
    if name not in state or state[name].dim() != 2:
        raise GnetError(
            f"{path} has no classifier of one linear layer ({name}); allowed are weights of "
            "torchvision's GoogLeNet with its last layer."
        )
    return len(state[name])
