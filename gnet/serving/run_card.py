"""What a server notes about a run beside the run's own files: run.json.

Knows nothing of processes, and nothing of what the run itself writes.
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

from gnet.errors import GnetError
from gnet.system.atomic import atomically

CARD = "run.json"
LONGEST_NAME = 60
_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,128}")


@dataclass(frozen=True, kw_only=True)
class RunCard:
    """One run as the server knows it."""

    name: str
    lesson: str
    """Key of the lesson it was made from; empty for none."""
    group: str = ""
    """What all runs of one start share; runs of an older program have none."""
    part: str = ""
    """Which of the lesson's runs it is, by its name there."""
    owner: str
    """Hash of the token that its owner's browser holds."""
    created: float
    """Seconds since 1970."""
    queued: float = 0.0
    """Its turn in the queue, the smaller the sooner; 0: it does not wait."""
    process: int = 0
    """The process that trains it or did last; 0 before the first."""
    process_started: str = ""
    """What tells this process from a later one of the same number."""
    begins_at: int = 0
    """Where the events of that process begin in events.jsonl, in bytes."""
    stopping: bool = False
    """Whether that process was told to stop."""
    message: str = ""
    """Why the server could not start it."""
    note: str = ""
    """Why the server stopped it."""

    def owned_by(self, token: str) -> bool:
        """Whether `token` is the owner's."""
        return hmac.compare_digest(self.owner, hashed(token))


def new_token() -> str:
    """What nobody guesses: a run's id, or what an owner's browser holds."""
    return secrets.token_urlsafe(16)


def hashed(token: str) -> str:
    """What is kept of an owner's token; raises `GnetError` for what is none."""
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise GnetError("This browser holds no valid key to its runs; reload the page.")
    return hashlib.sha256(token.encode()).hexdigest()


def cleaned_name(text: str, otherwise: str) -> str:
    """A run's name as it is shown: one line, no invisible signs, not too long."""
    if not isinstance(text, str):
        text = ""
    visible = "".join(c if unicodedata.category(c)[0] != "C" else " " for c in text[:1000])
    return " ".join(visible.split())[:LONGEST_NAME].rstrip() or otherwise


def write_card(folder: Path, card: RunCard) -> None:
    """Write the card whole or not at all."""
    with atomically(folder / CARD) as temporary:
        temporary.write_text(json.dumps(asdict(card), indent=1), encoding="utf-8")


def read_card(folder: Path) -> RunCard | None:
    """The card of a run's folder; None where there is none, or none that a server wrote."""
    try:
        record = json.loads((folder / CARD).read_text(encoding="utf-8"))
        if "preset" in record:  # as an older program called the lesson
            record = {"lesson": record["preset"]} | record
        known = {f.name: f for f in fields(RunCard)}
        card = RunCard(**{name: value for name, value in record.items() if name in known})
    except (OSError, ValueError, TypeError, AttributeError):
        return None
    kinds = {"str": str, "float": (int, float), "int": int, "bool": bool}
    right = all(isinstance(getattr(card, n), kinds[str(f.type)]) for n, f in known.items())
    return card if right else None
