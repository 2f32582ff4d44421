"""The menu of networks in the header: which one the pictures are shown to."""

from typing import Any

import gradio as gr

from gnet.answers.explorers import Explorers
from gnet.answers.networks import menu
from gnet.ui.components import drawing
from gnet.ui.events import answered, endpoint, refusing


class Handlers:
    """The menu's events, for the page and for scripts."""

    def __init__(self, explorers: Explorers) -> None:
        self.explorers = explorers

    def networks(self, owner: Any = "", files: Any = ()) -> dict[str, Any]:
        """The networks that can be shown: the server's, runs of `owner`, own files by id."""
        return menu.describe_networks(self.explorers, owner, files)

    def fetch(self, net: Any) -> dict[str, Any]:
        """Begin to download a network that is not on the server; how far it is."""
        return menu.fetch_network(self.explorers, net)


def build(explorers: Explorers) -> None:
    """Put the menu and its endpoints where the caller stands."""
    handlers = Handlers(explorers)
    with gr.Column(visible=False):
        endpoint(refusing(handlers.networks), "list_networks")
        endpoint(refusing(handlers.fetch), "fetch_network")
    server = [
        answered(handlers.networks, "owner", "files"),
        answered(handlers.fetch, "net"),
    ]
    drawing("shared/networks", server_functions=server)
