"""The light answer to a frame: bars, belief, all shares, and the maps of the chosen module.

It has the form of the whole answer (`answers.answer`), so the page draws both alike; what costs
most is left out: the picture, the other modules' maps, all that is computed on demand.
"""

from typing import Any

from gnet.answers.answer import describe_heads, describe_stage, short
from gnet.answers.depths.course import describe_course
from gnet.answers.switches import describe_changes
from gnet.explain.branches import statistics
from gnet.explain.probes import Probes
from gnet.explain.recording import Recording
from gnet.network.config import STAGES


def describe_frame(
    recording: Recording, stage: str, probes: Probes | None, before: Recording | None
) -> dict[str, Any]:
    """What the page shows of a frame while `stage` is the chosen module.

    With `before`, the recording of the picture that it was, also what changed most.
    """
    chosen = describe_stage(recording, stage)
    return {
        **describe_heads(recording),
        "depth": describe_course(probes, recording),
        "stages": {s: chosen if s == stage else _shares(recording, s) for s in STAGES},
        "limits": chosen["limits"],
        "signed": recording.signed,
        "stage": stage,
        "changed": describe_changes(before, recording) if before else None,
    }


def _shares(recording: Recording, stage: str) -> dict[str, Any]:
    numbers = statistics(recording, stage, top=0)
    return {"branches": {b: {"share": short(one.share)} for b, one in numbers.items()}}
