"""How each module is wired, as the page draws it: channels, multiply-adds, what a cell can see.

It holds for every picture, so it travels once, with the network.
"""

from typing import Any

from gnet.answers.terms import by_word
from gnet.explain.branches import LABELS
from gnet.network.config import BRANCHES, EXITS, STAGES
from gnet.network.costs import BranchCost, Cost, branch_costs
from gnet.network.deviations import deviations
from gnet.network.model import GoogLeNet
from gnet.network.receptive_field import Field, box, middle_cell, receptive_fields
from gnet.words import counted, listed, opening


def describe_wiring(model: GoogLeNet) -> dict[str, Any]:
    """Stage → its wiring in numbers and words."""
    size = model.info.preprocessing.size
    costs, fields = branch_costs(model, size), receptive_fields(model)
    described: dict[str, Any] = {}
    for stage, module in model.inceptions().items():
        branches = costs[stage]
        width_of: dict[str, int] = dict(zip(BRANCHES, module.widths.branches, strict=True))
        height, width = next(b.layers[-1].output[1:] for b in branches.values() if b.layers)
        described[stage] = {
            "title": f"Module {stage}: four branches side by side, then one stack of "
            f"{module.widths.total} channels",
            "grid": f"{height}×{width} cells",
            "input": module.in_channels,
            "from": f"from {_before(stage)}",
            "output": module.widths.total,
            "to": f"to {_behind(stage, model.config.aux)}",
            "sentence": _sentence(stage, branches, size),
            "paper": opening(listed(deviations(model.config, stage))),
            "branches": {
                branch: _branch(branch, cost, module.in_channels)
                | _heading(branch, width_of[branch], model.config.kernel_5x5)
                | {"sees": _sees(branch, fields[stage][branch], height, size)}
                for branch, cost in branches.items()
            },
        }
    return described


def _branch(branch: str, cost: BranchCost, channels: int) -> dict[str, Any]:
    if not cost.layers:
        return {"steps": [], "cost": "left out", "unit": "of this network", "direct": ""}
    steps = [_step(layer) for layer in cost.layers]
    if branch == "pool":
        steps.insert(0, {"name": "max pool 3×3", "channels": channels})
    if cost.direct is not None:
        steps[0]["name"] += " reduce"
    said, direct = counted(cost.macs), ""
    if cost.direct is not None:
        million = said[said.find(" ") :] if " " in said else ""  # said once for both
        direct = f"{counted(cost.direct).removesuffix(million)} without the reduce"
    words = {"cost": said, "unit": "multiply-adds", "direct": direct}
    return {"steps": steps} | words


def does(branch: str, kernel_5x5: int) -> str:
    """What a branch does, in a sentence or two."""
    if branch == "5x5" and kernel_5x5 != 5:
        return (
            f"It is called 5×5 as in the paper, but here its kernel is {kernel_5x5}×{kernel_5x5}. "
            "A 1×1 reduces the channels before it."
        )
    return by_word()[f"{LABELS[branch]} branch"]


def briefly(branch: str, kernel_5x5: int) -> str:
    """The same in one short sentence."""
    return _BRIEFLY["3x3" if branch == "5x5" and kernel_5x5 == 3 else branch]


_BRIEFLY = {
    "1x1": "It mixes the channels at one cell.",
    "3x3": "It sees a cell and its eight neighbours.",
    "5x5": "It sees a cell and 24 around it.",
    "pool": "It keeps the strongest of 3×3 cells.",
}


def _heading(branch: str, count: int, kernel_5x5: int) -> dict[str, str]:
    """The words at the head of a branch's column, and those of its button."""
    here = branch == "5x5" and kernel_5x5 != 5
    kernel = f" · really {kernel_5x5}×{kernel_5x5}" if here else ""
    return {
        "heading": f"{count} channels{kernel}",
        "all": f"All {count}",
        "all_of": f"All {count} channels of {LABELS[branch]}",
    }


def _step(layer: Cost) -> dict[str, Any]:
    return {"name": f"{layer.kernel}×{layer.kernel}", "channels": layer.output[0]}


def _sentence(stage: str, branches: dict[str, BranchCost], size: int) -> str:
    total = sum(cost.macs for cost in branches.values())
    costs = f"At {size} px {stage} costs {counted(total)} multiply-adds"
    reduced = [LABELS[branch] for branch, cost in branches.items() if cost.direct is not None]
    if not reduced:
        return f"{costs}."
    without = sum(cost.macs if cost.direct is None else cost.direct for cost in branches.values())
    return f"{costs}, {counted(without)} without the 1×1 reduce."


def _sees(branch: str, field: Field, cells: int, size: int) -> str:
    """How much of the picture the cell in the middle can see.

    The 1×1 branch looks at one cell only, so there it is said why that cell sees so much.
    """
    if not field.size:
        return "Zeros stand in its place."
    what = "Through earlier layers it" if branch == "1x1" else "One cell"
    middle = middle_cell(field, cells, size)
    if box(field, middle, middle, (size, size)) == (0, 0, size, size):
        return f"{what} can see the whole picture (dotted)."
    return f"{what} can see {field.size} of {size} px."


def _before(stage: str) -> str:
    at = STAGES.index(stage)
    if not at:
        return "the stem"
    halved = ", halved" if stage[0] != STAGES[at - 1][0] else ""
    return STAGES[at - 1] + halved


def _behind(stage: str, aux: bool) -> str:
    exits = [head for head, exit in EXITS.items() if exit == stage and (aux or head == "main")]
    return listed([*STAGES[STAGES.index(stage) + 1 :][:1], *exits])
