"""What those who watch a run request of it: control.json, which they write and training reads.

Knows nothing of how a request is followed.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from gnet import strict_json
from gnet.errors import GnetError
from gnet.runs.train_config import TrainConfig
from gnet.system.atomic import atomically


@dataclass(frozen=True, kw_only=True)
class Requests:
    """All that is requested of a run by now; raises `GnetError` for values no run could have."""

    pause: bool = False
    steps: int = 0
    """Single steps requested in all; a paused run takes one each time this grows by one."""
    stop: bool = False
    learning_rate: float | None = None
    """The highest learning rate from now on, in place of the config's; None: as it is."""
    aux1_weight: float | None = None
    aux2_weight: float | None = None
    """Weights of the auxiliary losses from now on; None: as they are."""

    def __post_init__(self) -> None:
        if not isinstance(self.pause, bool) or not isinstance(self.stop, bool):
            raise GnetError(
                f"pause is {self.pause!r} and stop {self.stop!r}; allowed are true and false."
            )
        if not isinstance(self.steps, int) or isinstance(self.steps, bool) or self.steps < 0:
            raise GnetError(f"steps is {self.steps!r}; allowed are whole numbers from 0.")
        settings = {name: getattr(self, name) for name in SETTINGS}
        TrainConfig(**{name: value for name, value in settings.items() if value is not None})


SETTINGS = ("learning_rate", "aux1_weight", "aux2_weight")
"""What can be set anew while a run is under way; the ranges are those of `TrainConfig`."""


def read_requests(path: str | Path) -> Requests:
    """The requests in a file; none where there is no file. Raises `GnetError` for anything else."""
    try:
        record = json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Requests()
    except (OSError, ValueError) as error:
        raise GnetError(f"{path} cannot be read ({error}); allowed is JSON.") from error
    known = {f.name for f in fields(Requests)}
    if not isinstance(record, dict) or not set(record) <= known:
        raise GnetError(f"{path} holds {record!r}; allowed are {', '.join(sorted(known))}.")
    return Requests(**record)


def write_requests(path: str | Path, requests: Requests) -> None:
    """Write the requests whole or not at all, for the run to find at its next step."""
    with atomically(path) as temporary:
        temporary.write_text(strict_json.dumps(asdict(requests)), encoding="utf-8")
