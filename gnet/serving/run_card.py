"""What the server notes about a run, in run.json beside the run's own files.

Knows nothing of processes, nor of the files that training writes.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
import unicodedata
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from gnet import strict_json
from gnet.errors import GnetError
from gnet.system.atomic import atomically
from gnet.system.paths import regular

CARD = "run.json"
LONGEST_NAME = 60
_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,128}")


@dataclass(frozen=True, kw_only=True)
class RunCard:
    """One run as the server knows it."""

    name: str
    experiment: str
    """Key of the experiment it belongs to; empty for none."""
    group: str = ""
    """The same for all runs that were started together; empty in runs of an older version."""
    part: str = ""
    """Its name among the experiment's runs."""
    owner: str
    """Hash of the token that its owner's browser holds."""
    created: float
    """Seconds since 1970."""
    queued: float = 0.0
    """Its turn in the queue: the smallest comes first; 0: it does not wait."""
    process: int = 0
    """Number of the latest process that trains or trained it; 0 before the first."""
    process_started: str = ""
    """When that process started; a later process may get the same number."""
    begins_at: int = 0
    """Byte in events.jsonl at which the events of that process begin."""
    stopping: bool = False
    """Whether a stop of that process was requested."""
    message: str = ""
    """Why the server could not start it."""
    note: str = ""
    """Why the server stopped it."""

    def owned_by(self, token: str) -> bool:
        """Whether `token` is the owner's."""
        return hmac.compare_digest(self.owner, hashed(token))


def new_token() -> str:
    """A random token that cannot be guessed: a run's id, or the key of an owner's browser."""
    return secrets.token_urlsafe(16)


def hashed(token: str) -> str:
    """The hash of an owner's token; raises `GnetError` for anything that is no token."""
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise GnetError("This browser holds no valid key to its runs; reload the page.")
    return hashlib.sha256(token.encode()).hexdigest()


def cleaned_name(text: str, otherwise: str) -> str:
    """A run's name for the screen: one line, no invisible characters, not too long."""
    if not isinstance(text, str):
        text = ""
    visible = "".join(c if unicodedata.category(c)[0] != "C" else " " for c in text[:1000])
    return " ".join(visible.split())[:LONGEST_NAME].rstrip() or otherwise


def write_card(folder: Path, card: RunCard) -> None:
    """Write the card whole or not at all."""
    with atomically(folder / CARD) as temporary:
        temporary.write_text(strict_json.dumps(asdict(card), indent=1), encoding="utf-8")


def read_card(folder: Path) -> RunCard | None:
    """The card in a run's folder; None where there is none, or none that a server wrote."""
    try:
        record = json.loads(regular(folder / CARD).read_text(encoding="utf-8"))
        for older in ("lesson", "preset"):  # its name in older versions
            if older in record:
                record = {"experiment": record[older]} | record
        known = {f.name: f for f in fields(RunCard)}
        card = RunCard(**{name: value for name, value in record.items() if name in known})
    except (OSError, ValueError, TypeError, AttributeError):
        return None
    kinds = {"str": str, "float": (int, float), "int": int, "bool": bool}
    right = all(isinstance(getattr(card, n), kinds[str(f.type)]) for n, f in known.items())
    return card if right else None
