"""What those who watch a run request of it: control.json, which they write and training reads.

Knows nothing of how a request is followed.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from gnet import strict_json
from gnet.errors import GnetError
from gnet.runs.train_config import TrainConfig
from gnet.system.atomic import atomically
from gnet.system.paths import regular
from gnet.words import cut, listed, some


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
        whole = isinstance(self.steps, int) and not isinstance(self.steps, bool)
        if not whole or not 0 <= self.steps <= MOST_STEPS:
            raise GnetError(
                f"steps is {cut(self.steps)}; allowed are whole numbers from 0 to {MOST_STEPS:,}."
            )
        settings = {name: getattr(self, name) for name in SETTINGS}
        TrainConfig(**{name: value for name, value in settings.items() if value is not None})


MOST_STEPS = 1_000_000_000
_EXAMPLE = '{"pause": true}'
SETTINGS = ("learning_rate", "aux1_weight", "aux2_weight")
"""What can be set anew while a run is under way; the ranges are those of `TrainConfig`."""


def read_requests(path: str | Path) -> Requests:
    """The requests in a file; none where there is no file. Raises `GnetError` for anything else."""
    try:
        content = regular(path).read_bytes()
    except FileNotFoundError:
        return Requests()
    except OSError as error:
        reason = error.strerror or str(error)
        raise GnetError(f"{path} cannot be read ({reason}); allowed is {_EXAMPLE}.") from error
    record = _record(content, path)
    known = [f.name for f in fields(Requests)]
    if unknown := [cut(name) for name in record if name not in known]:
        raise GnetError(f"{path} requests {some(unknown)}; allowed are {listed(known)}.")
    try:
        return Requests(**record)
    except GnetError as error:
        raise GnetError(f"{path}: {error}") from error


def _record(content: bytes, path: str | Path) -> dict[str, Any]:
    """The JSON object in a file's content."""
    if b"\0" in content:  # no text in UTF-8 has it, and a shell of Windows writes UTF-16
        raise GnetError(f"{path} is written in UTF-16; allowed is UTF-8, as {_EXAMPLE}.")
    try:
        record = json.loads(content.decode("utf-8-sig"))
    except UnicodeError as error:
        raise GnetError(f"{path} is not written in UTF-8; allowed is {_EXAMPLE}.") from error
    except (ValueError, RecursionError) as error:
        raise GnetError(
            f"{path} is not JSON ({error}); allowed is {_EXAMPLE}, with double quotes."
        ) from error
    if not isinstance(record, dict):
        raise GnetError(f"{path} holds {cut(record)}; allowed is an object, as {_EXAMPLE}.")
    return record


def write_requests(path: str | Path, requests: Requests) -> None:
    """Write the requests whole or not at all, for the run to find at its next step."""
    with atomically(path) as temporary:
        temporary.write_text(strict_json.dumps(asdict(requests)), encoding="utf-8")


def request(path: str | Path, *, step: bool = False, **changes: Any) -> None:
    """Change some of the requests in a file; `step` asks a paused run for one more step."""
    requests = read_requests(path)
    steps = requests.steps + (step and requests.pause)  # the first step request only pauses
    write_requests(path, replace(requests, **changes, steps=steps))
