"""The scale lesson as the page gets it: a module's four curves, the patterns, a sentence."""

from typing import Any

from gnet.answers.answer import as_data_url, short
from gnet.answers.explorer import Explorer
from gnet.channels.scales import DIRECTIONS, ScaleResponses, sentence, stripes
from gnet.data.pictures import to_image
from gnet.words import listed

NOTE = (
    "Response: the mean of a branch's activations. Line: mean over "
    f"{len(DIRECTIONS)} directions. Band: from the least to the strongest direction."
)


def describe_scales(explorer: Explorer, stage: Any) -> dict[str, Any]:
    """A module's curves on one scale; raises `GnetError` for a module that there is not."""
    found = explorer.scales
    return curves(found, stage) | {
        "net": explorer.net,
        "patterns": [_picture(period, found.size) for period in found.periods],
    }


def curves(found: ScaleResponses, stage: Any) -> dict[str, Any]:
    """The same without pictures, for the command line, too."""
    measured = found.curves(stage)
    return {
        "stage": stage,
        "size": found.size,
        "periods": [short(period) for period in found.periods],
        "directions": list(found.directions),
        "limit": short(max(max(curve.high) for curve in measured.values())),
        "curves": {
            branch: {
                "mean": [short(value) for value in curve.mean],
                "low": [short(value) for value in curve.low],
                "high": [short(value) for value in curve.high],
                "peak": curve.peak,
            }
            for branch, curve in measured.items()
        },
        "sentence": sentence(found, stage),
        "note": f"{NOTE} Directions: {listed(f'{turn}°' for turn in found.directions)}.",
    }


def _picture(period: float, size: int) -> str:
    """The stripes of one period, turned once."""
    return as_data_url(to_image(stripes(period, size)[2:3]), quality=85, method=1)
