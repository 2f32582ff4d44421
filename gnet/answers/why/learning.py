"""The text for learners beside the maps; each figure in it is the live network's."""

from __future__ import annotations

from gnet.answers.explorer import Explorer
from gnet.explain.attribution import curves
from gnet.explain.attribution.checks import stages_before
from gnet.explain.attribution.methods import METHODS
from gnet.explain.attribution.options import STEPS
from gnet.explain.attribution.redrawn import levels
from gnet.network.receptive_field import receptive_fields
from gnet.words import listed


def text(explorer: Explorer, head: str) -> dict[str, str]:
    """What is seen, what to try, what it cannot show."""
    model = explorer.model
    side = model.info.preprocessing.size
    fields = receptive_fields(model)
    first, last = stages_before(head)[0], stages_before(head)[-1]
    branch = next(name for name, field in fields[last].items() if field.size)
    cells = [-(-side // fields[stage][branch].stride) for stage in (first, last)]
    signed = [
        m.label for m in METHODS.values() if m.complete and not explorer.invalid.get((m.name, head))
    ]
    return {
        "see": (
            f"{len(METHODS)} methods answer one question: which parts of these {side}×{side} "
            f"pixels does the network use for this class? {listed(signed)} share a number out: "
            "their values add up to the logit's difference from a plain picture, and the error "
            "of that sum stands beside the map. Red speaks for the class, blue against it."
        ),
        "try": (
            f"Grad-CAM of {first} has {cells[0]}×{cells[0]} cells, of {last} only "
            f"{cells[1]}×{cells[1]}: watch it become coarser and surer of the object. Ask two "
            "classes at once. Then press “Redraw the weights” under Guided Backprop and under "
            f"Saliency: {len(levels(head))} times a part of the network is replaced by chance. "
            "A map that stays has not shown what the network knows."
        ),
        "limits": (
            "A map says where, not why, and two methods may disagree. The curves test it: "
            f"{curves.GRID}×{curves.GRID} squares are covered in the map's order and in "
            f"{curves.ORDERS} random ones. Covered pictures look like nothing the network was "
            f"trained on, so small differences mean little. {STEPS} steps along a straight way "
            "pass pictures that nobody ever took."
        ),
    }
