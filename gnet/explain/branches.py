"""A recording's branches in numbers: share, mean, silence, strongest channels, mean maps."""

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from gnet.explain.recording import Recording
from gnet.words import rounded_percent

LABELS = {"1x1": "1×1", "3x3": "3×3", "5x5": "5×5", "pool": "pool"}
"""Branch → its name on screen and paper."""


@dataclass(frozen=True, kw_only=True)
class BranchStatistics:
    """One branch of one module in numbers; a is its output."""

    channels: int
    offset: int
    """Where the branch starts in the module's concatenated output."""
    sum: float
    """Σ|a|."""
    share: float
    """Σ|a| of the branch / Σ|a| of the module; 0 when the whole module is silent."""
    mean: float
    """Mean of a over channels and cells: comparable between branches of unequal width."""
    sparsity: float | None
    """Fraction of a that is exactly 0; None where no ReLU has cut the branch."""
    top: tuple[int, ...]
    """The branch's channels by their mean of a, strongest first."""


def statistics(recording: Recording, stage: str, *, top: int = 8) -> dict[str, BranchStatistics]:
    """The numbers of a stage's four branches; the `top` strongest channels of each are named."""
    output = recording.outputs[stage].numpy()
    sums = np.abs(output).sum((1, 2), dtype=np.float64)  # per channel
    means = output.mean((1, 2), dtype=np.float64)
    zeros = (output == 0).mean((1, 2))
    whole = float(sums.sum())
    result: dict[str, BranchStatistics] = {}
    start = 0
    for branch, values in recording.branches[stage].items():
        own = slice(start, start + len(values))
        total = float(sums[own].sum())
        strongest = np.argsort(-means[own], kind="stable")[:top]
        result[branch] = BranchStatistics(
            channels=len(values),
            offset=start,
            sum=total,
            share=total / whole if whole else 0.0,
            mean=float(means[own].mean()),
            sparsity=None if recording.signed else float(zeros[own].mean()),
            top=tuple(strongest.tolist()),
        )
        start = own.stop
    return result


def sentence(stage: str, numbers: dict[str, BranchStatistics]) -> str:
    """The leading branch of a stage in words, for page and figure; `numbers` of `statistics`."""
    if not any(branch.sum for branch in numbers.values()):
        return f"All four branches of {stage} are silent."
    first = max(numbers, key=lambda branch: numbers[branch].share)
    channels = sum(branch.channels for branch in numbers.values())
    return (
        f"In {stage} the {LABELS[first]} branch carries {rounded_percent(numbers[first].share)} "
        f"of the activity with {numbers[first].channels} of {channels} channels."
    )


def mean_map(recording: Recording, stage: str, branch: str) -> Tensor:
    """The branch's mean over its channels, (h, w)."""
    return recording.branches[stage][branch].mean(0)


def channel_words(recording: Recording, stage: str, branch: str, channel: int) -> str:
    """`channel 17 of 208 in 3×3, 81 of 512 in the module`; channels count from 0."""
    widths = {name: len(part) for name, part in recording.branches[stage].items()}
    names = list(widths)
    place = channel + sum(widths[name] for name in names[: names.index(branch)])
    return (
        f"channel {channel} of {widths[branch]} in {LABELS[branch]}, "
        f"{place} of {sum(widths.values())} in the module"
    )
