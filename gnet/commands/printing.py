"""How commands print their results."""

from __future__ import annotations

import json
from typing import Any


def print_json(record: Any) -> None:
    print(json.dumps(record, ensure_ascii=False, indent=1))
