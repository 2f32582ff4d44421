"""A text for learners about a network's architecture; its figures are counted from the network."""

from __future__ import annotations

from gnet.network.config import STAGES
from gnet.network.costs import head_costs, layer_costs, module_cost, naive_module_cost
from gnet.network.model import GoogLeNet
from gnet.network.receptive_field import receptive_fields
from gnet.words import percent


def text(model: GoogLeNet, size: int) -> dict[str, str]:
    """What is seen, what to try, what it cannot show."""
    parts = {"see": _seen(model, size), "try": _tried(model), "limits": _unseen(size)}
    return {part: " ".join(sentences) for part, sentences in parts.items()}


def _seen(model: GoogLeNet, size: int) -> list[str]:
    costs = [cost for cost in layer_costs(model, size) if not cost.stage.startswith("aux")]
    work = sum(cost.macs for cost in costs)
    stem = sum(cost.macs for cost in costs if cost.stage == "stem")
    weights = sum(cost.weights for cost in costs)
    late = sum(cost.weights for cost in costs if cost.stage in ("5a", "5b"))
    found = [
        f"The drawing runs from the picture, top left, to the classifier, bottom right: a stem, "
        f"{len(STAGES)} modules of four branches, and the heads.",
        f"Work and weights lie in different places: at {size} px the stem does "
        f"{percent(stem / work, 0)} of the multiply-adds, and 5a and 5b hold "
        f"{percent(late / weights, 0)} of the weights.",
    ]
    fields = [field.size for field in receptive_fields(model)["5b"].values() if field.size]
    found.append(f"A cell of 5b can see up to {max(fields)} px, so {_against(max(fields), size)}.")
    return found


def _against(seen: int, size: int) -> str:
    return "more than the whole picture" if seen > size else f"a part of the {size} px"


def _tried(model: GoogLeNet) -> list[str]:
    module = model.inceptions()["4b"]
    asked = (model.config, module.in_channels, module.widths, 14)
    built, naive = module_cost(*asked).weights, naive_module_cost(*asked).weights
    found = [
        f"Choose 4b and move the sliders of the 1×1 reduces. As built it has {built:,} weights; "
        f"without the reduces it would have {naive:,}. At which width is nothing saved any more?",
        "Compare the presets: in which order do convolution, norm and ReLU stand, and which "
        "entries of the table are marked?",
    ]
    if model.config.aux:
        costs = head_costs(model, 224)
        share = costs["aux1"].macs / costs["main"].macs
        found.append(
            f"Choose “aux1 alone”: it needs {percent(share, 0)} of main’s multiply-adds at 224 px. "
            "Which modules grow pale?"
        )
    return found


def _unseen(size: int) -> list[str]:
    return [
        "Multiply-adds are not time: memory, caches and the library decide how fast a layer runs.",
        "A receptive field says what a cell can see, not what it uses; Explore measures that.",
        f"Sums do not tell how well it answers: a network of the same {size} px and the same cost "
        "may be trained well or not at all.",
    ]
