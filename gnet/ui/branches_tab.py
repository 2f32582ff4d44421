"""The Branch lab tab: branches switched with a history, compared, predicted, seen by scale."""

from __future__ import annotations

from gnet.answers import examples
from gnet.answers.explorers import Explorers
from gnet.ui.components import drawing


def build(explorers: Explorers) -> None:
    """Put the tab's components and events where the caller stands."""
    known = [{"name": name, "words": one.words} for name, one in examples.EXAMPLES.items()]
    drawing("branches/shown", examples=known)
    drawing("branches/switchboard")
