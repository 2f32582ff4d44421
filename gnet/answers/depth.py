"""What the page shows of the probes: belief at nine depths, and how often each is right."""

from typing import Any

from gnet.answers.answer import short
from gnet.explain.probes import Probes, course
from gnet.explain.recording import Recording


def describe_course(probes: Probes | None, recording: Recording) -> dict[str, Any] | None:
    """One picture's belief from module to module; None for a network without probes."""
    if probes is None:
        return None
    taken = course(probes, recording)
    return {
        "answer": taken.answer,
        "first": taken.first,
        "settled": taken.settled,
        "stages": {
            stage: {
                "probabilities": [short(p) for p in reading.probabilities],
                "entropy": short(reading.entropy),
                "top": list(reading.top),
            }
            for stage, reading in taken.readings.items()
        },
    }


def describe_probes(probes: Probes | None) -> dict[str, Any] | None:
    """What holds of the probes whatever the picture."""
    if probes is None:
        return None
    measured = probes.metrics.get("stages", {})
    return {
        "status": probes.status,
        "top1": {stage: measured.get(stage, {}).get("top1") for stage in probes.probes},
    }
