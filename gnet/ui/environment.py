"""What the process must hold before gradio is imported: no analytics, a folder of its own."""

import os
from pathlib import Path

from gnet.ui.http.uploads import open_folder


def prepare() -> Path:
    """Set Gradio's variables; to be called once, before anything imports gradio.

    Returns the folder that uploads go to, which is swept of what is old.
    """
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    # Else a summary of all events is rebuilt after each one, slower and slower.
    os.environ["GRADIO_ANALYTICS_CACHE_FREQUENCY"] = "100000"
    folder = open_folder()
    os.environ["GRADIO_TEMP_DIR"] = str(folder)
    return folder
