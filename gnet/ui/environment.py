"""What the process must hold before gradio is imported: no analytics, a folder of its own."""

import os

from gnet.ui.uploads import open_folder


def prepare() -> None:
    """Set Gradio's variables; to be called once, before anything imports gradio."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    # Else a summary of all events is rebuilt after each one, slower and slower.
    os.environ["GRADIO_ANALYTICS_CACHE_FREQUENCY"] = "100000"
    os.environ["GRADIO_TEMP_DIR"] = str(open_folder())
