"""What a question to an attribution may name; each mistake is one sentence."""

from __future__ import annotations

from typing import Any

from gnet.errors import FieldError, GnetError
from gnet.explain.attribution.options import Path
from gnet.network.config import BRANCHES, EXITS, HEADS, STAGES, UNTRAINED
from gnet.network.model import GoogLeNet
from gnet.words import listed


def stages_before(head: str) -> tuple[str, ...]:
    """The stages on the way to `head`, in order; no other can explain it."""
    return STAGES[: STAGES.index(EXITS[head]) + 1]


def check_head(model: GoogLeNet, head: str) -> None:
    """Raise `GnetError` unless the network has this head and it was trained."""
    present = HEADS if model.config.aux else ("main",)
    if head not in HEADS:
        raise GnetError(f"There is no head {head!r}; there are {listed(present)}.")
    if head not in present:
        raise GnetError(f"This network was built without {head}; its only head is main.")
    status = model.info.heads
    if status.get(head, UNTRAINED) == UNTRAINED:
        trained = [name for name in present if status.get(name, UNTRAINED) != UNTRAINED]
        remedy = f"choose {listed(trained, 'or')}" if trained else "train the network first"
        raise GnetError(
            f"Head {head} of this network is untrained, so it has no belief to explain; {remedy}."
        )


def check_target(model: GoogLeNet, target: Any) -> None:
    """Raise `GnetError` unless the network has a class of this number."""
    last = model.config.num_classes - 1
    whole = isinstance(target, int) and not isinstance(target, bool)
    if not whole or not 0 <= target <= last:
        raise GnetError(f"The class is {target!r}; allowed are numbers from 0 to {last}.")


def check_steps(steps: Any) -> None:
    """Raise `FieldError` unless `steps` is a number of points that a path may have."""
    Path(steps=steps)


def check_stage(label: str, head: str, stage: str) -> None:
    """Raise `GnetError` unless `stage` lies on the way to `head`; `label` is the method's."""
    allowed = stages_before(head)
    if not stage:
        raise GnetError(
            f"{label} explains one module and none was named; choose {listed(allowed, 'or')}."
        )
    if stage not in STAGES:
        raise GnetError(f"There is no module {stage!r}; choose {listed(allowed, 'or')}.")
    if stage not in allowed:
        raise GnetError(
            f"{stage} lies behind {head}, which leaves after {EXITS[head]}; choose "
            f"{listed(allowed, 'or')}."
        )


def check_branch(branch: str) -> None:
    """Raise `GnetError` unless `branch` is one of the four, or empty for all of them."""
    if branch and branch not in BRANCHES:
        raise GnetError(f"There is no branch {branch!r}; there are {listed(BRANCHES)}.")


def check_patch(patch: int, stride: int, size: tuple[int, int]) -> None:
    """Raise `FieldError` for a square larger than the picture, or one that leaves gaps."""
    if patch > min(size):
        raise too_long("patch", patch, min(size))
    if stride > patch:
        raise FieldError("stride", stride, f"whole numbers from 1 to {patch}, the square's side")


def too_long(field: str, given: Any, side: int) -> FieldError:
    """The error for a length (px) that a picture of that side does not hold."""
    return FieldError(field, given, f"whole numbers from 1 to {side}, the picture's side")
