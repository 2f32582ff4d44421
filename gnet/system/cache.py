"""Where files are kept that can be made or fetched again."""

import os
from pathlib import Path

from gnet.system.paths import expanded


def cache_folder(*parts: str) -> Path:
    """The folder of that kind of files; it need not exist yet. GNET_CACHE, else ~/.cache/gnet."""
    base = expanded(os.environ.get("GNET_CACHE") or "~/.cache/gnet")
    return base.joinpath(*parts)
