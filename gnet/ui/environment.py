"""What the process must hold before gradio is imported: no analytics, a folder of its own."""

import inspect
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from gnet.system.processes import in_this_process
from gnet.ui.http.uploads import open_folder


def prepare() -> Path:
    """Set Gradio's variables; to be called once, before anything imports gradio.

    Returns the folder that uploads go to, which is swept of what is old.
    """
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    # Else a summary of all events is rebuilt after each one, slower and slower.
    os.environ["GRADIO_ANALYTICS_CACHE_FREQUENCY"] = "100000"
    os.environ.pop("GRADIO_SERVER_NAME", None)  # Gradio looks for free ports there, by IPv4 alone
    # Else the server believes every program of this machine what address it speaks for.
    os.environ.setdefault("FORWARDED_ALLOW_IPS", "")
    folder = open_folder()
    os.environ["GRADIO_TEMP_DIR"] = str(folder)
    return folder


def without_proxies() -> AbstractContextManager[None]:
    """Import and launch Gradio in here: it asks its own address, which no proxy can reach.

    All else goes through the proxies as before, in child processes as well.
    """
    return in_this_process({"NO_PROXY": "*", "no_proxy": "*"})


@contextmanager
def without_stubs() -> Iterator[None]:
    """Import Gradio in here: it writes no type stubs beside its components' sources.

    To look whether they are right it parses each source twice at every start, which takes more
    than a third of its import. A class of which no file is known it leaves out.
    """
    find = inspect.getfile

    def find_others(known: Any) -> str:
        if getattr(known, "__module__", "").startswith("gradio."):
            raise OSError("no stubs")
        return find(known)

    inspect.getfile = find_others
    try:
        yield
    finally:
        inspect.getfile = find
