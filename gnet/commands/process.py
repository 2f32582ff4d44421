"""The process a command runs in."""

from __future__ import annotations

import os
import sys


def with_large_pages() -> None:
    """Start this process anew with large memory pages, which training on Linux gains from."""
    name, value = "GLIBC_TUNABLES", "glibc.malloc.hugetlb=1"
    wanted = sys.platform == "linux" and name not in os.environ and "RANK" not in os.environ
    if wanted and sys.argv[0].endswith(os.path.join("gnet", "__main__.py")):
        os.environ[name] = value
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])
