"""A training run's settings as one frozen record; form and command line are made from it.

Knows nothing of how the run is carried out.
"""

from __future__ import annotations

import csv
import re
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from gnet.data.augmentation import Augmentation
from gnet.errors import FieldError, GnetError
from gnet.network.config import SIZES, ModelConfig
from gnet.settings import check_fields, like, option
from gnet.words import cut, listed

_PAIR = re.compile(r"\s*([0-9]{1,9})\s*x\s*([0-9]{1,9})\s*")


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """One run: data, network, optimisation. Ranges stand in the fields' metadata."""

    model: ModelConfig = field(default_factory=ModelConfig)
    """The network; `num_classes` is replaced by the data set's."""
    data: str = option("built-in", "data set: built-in, a torchvision name, a folder or a zip")
    classes: str = option("", "class folders to take, comma-separated; empty takes all")
    per_class: int = option(0, "pictures per class; 0 takes all", low=0, high=1_000_000)
    tune: bool = option(
        False, "validate on 5 % of the training pictures, held out, not on the validation set"
    )
    start: str = option("", "weights to begin from: everyday or a .safetensors file")
    train_only: str = option(
        "all",
        "what is trained; the rest stays as `start` has it",
        choices=("all", "heads", "heads and 5a, 5b"),
    )
    size: int = option(64, "side of the input in px", low=SIZES[0], high=SIZES[1])
    grow: str = option("", "smaller sizes to begin with and their epochs, as 64x8,96x4")
    epochs: int = option(5, "passes over the data", low=1, high=10_000)
    batch: int = option(64, "pictures per step", low=2, high=4096)
    optimiser: str = option("adamw", "optimiser", choices=("adam", "adamw", "muon", "sgd"))
    learning_rate: float = option(2e-3, "highest learning rate", low=0.0, high=100.0)
    weight_decay: float = option(
        0.02, "weight decay of convolutions and linear layers", low=0.0, high=1.0
    )
    schedule: str = option(
        "one-cycle", "learning rate over the run", choices=("one-cycle", "cosine", "constant")
    )
    loss: str = option(
        "cross-entropy",
        "what is minimised; `probabilities` reads raw outputs as probabilities",
        choices=("cross-entropy", "probabilities"),
    )
    label_smoothing: float = option(0.0, "label smoothing", low=0.0, high=0.9)
    aux1_weight: float = option(0.3, "weight of aux1's loss", low=0.0, high=10.0)
    aux2_weight: float = option(0.3, "weight of aux2's loss", low=0.0, high=10.0)
    balance: float = option(0.0, "0 samples pictures, 1 samples classes evenly", low=0.0, high=1.0)
    sharp_weight: float = option(
        1.0, "times as often a sharp picture is drawn as a small one", low=0.01, high=1000.0
    )
    augment: bool = option(True, "random crops and flips")
    thumbnails: float = like(Augmentation, "thumbnails")
    aliased: float = like(Augmentation, "aliased")
    vary_detail: float = like(Augmentation, "vary_detail")
    within_sharp: bool = option(
        False, "in a sharp view's loss, count only the classes that have sharp pictures"
    )
    even_sharpness: bool = option(
        False, "in the loss, make up for classes that have more sharp pictures than others"
    )
    answers: str = option("", "a teacher's answers to learn from, a file that `teach` wrote")
    teacher_weight: float = option(
        0.7, "share of the loss that compares with the teacher's answer", low=0.0, high=1.0
    )
    teacher_temperature: float = option(
        1.5, "divides both networks' logits before they are compared", low=0.1, high=20.0
    )
    cutmix: float = option(
        0.0, "share of batches in which pictures get a piece of another", low=0.0, high=1.0
    )
    ema: float = option(
        0.0, "decay of the moving average of the weights (EMA); 0 keeps none", low=0.0, high=0.99999
    )
    precision: str = option(
        "auto", "arithmetic; auto goes by machine, width and size", choices=("auto", "fp32", "bf16")
    )
    threads: int = option(0, "CPU threads; 0 leaves torch's choice", low=0, high=1024)
    checkpoint_seconds: float = option(15.0, "s between checkpoints", low=0.0, high=86_400.0)
    max_minutes: float = option(
        0.0, "minutes until the run is stopped; 0: no limit", low=0.0, high=1e6
    )
    gradients_every: int = option(
        0, "steps between two looks at each module's gradients; 0: none", low=0, high=1_000_000
    )
    pinned: int = option(
        0, "validation picture that is looked at after each epoch; -1: none", low=-1, high=10**9
    )
    seed: int = option(0, "seed of everything random", low=0, high=2**31 - 1)

    def __post_init__(self) -> None:
        check_fields(self)
        for size in set(self.sizes_by_epoch()):
            self.model.check_size(size, size)
        if self.answers and self.loss != "cross-entropy":
            raise FieldError("loss", self.loss, "cross-entropy beside a teacher's answers")
        if self.answers and not self.augment:
            raise FieldError("augment", self.augment, "crops, to which the teacher's answers are")
        if self.train_only != "all" and not self.start:
            raise FieldError(
                "train_only", self.train_only, "all, or a start beside it whose weights it keeps"
            )

    def chosen_classes(self) -> tuple[str, ...]:
        """The class folders to take; empty for all."""
        return names_in(self.classes)

    def augmentation(self) -> Augmentation | None:
        """How training pictures are varied; None where they are not."""
        if not self.augment:
            return None
        return Augmentation(
            thumbnails=self.thumbnails, aliased=self.aliased, vary_detail=self.vary_detail
        )

    def sizes_by_epoch(self) -> list[int]:
        """The input side (px) of each epoch; raises `GnetError` where `grow` is no plan for it."""
        pairs = [_PAIR.fullmatch(part) for part in self.grow.split(",") if part]
        if not all(pairs):
            raise FieldError("grow", self.grow, "pairs of side and epochs, as 64x8,96x4")
        plan = [(int(pair[1]), int(pair[2])) for pair in pairs if pair]
        first = sum(count for _, count in plan)
        if plan and first >= self.epochs:  # before a list is made of what may be any number
            raise FieldError(
                "grow", self.grow, f"fewer epochs than the run's {self.epochs}, not {first}"
            )
        plan.append((self.size, self.epochs - first))
        return [side for side, count in plan for _ in range(count)]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, record: Any) -> TrainConfig:
        """The config written by `to_json`; unknown or missing values raise `GnetError`."""
        known = {f.name for f in fields(cls)}
        if not isinstance(record, dict):
            raise GnetError(f"The run's config is {cut(record)}; allowed is an object.")
        if unknown := [cut(name) for name in record if name not in known]:
            raise GnetError(
                f"The run's config holds {listed(unknown[:3])}, which this program does not write; "
                "take it out, or update the program."
            )
        rest = {k: v for k, v in record.items() if k != "model"}
        return cls(model=ModelConfig.from_json(record.get("model", {})), **rest)


def names_in(text: str) -> tuple[str, ...]:
    """The names in a comma-separated list; one in quotation marks may hold commas."""
    try:
        rows = list(csv.reader([text], skipinitialspace=True))
    except csv.Error:  # a line break, or more than anybody writes
        raise FieldError("classes", text[:60], "names separated by commas, on one line") from None
    return tuple(name for row in rows for name in row if name)
