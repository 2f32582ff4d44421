"""Sentences of the page that readers understood, in place of those that they did not."""

import re

import pytest
import torch

from gnet.answers.answer import describe_recording
from gnet.explain.recording import record
from gnet.system.assets import ASSETS
from gnet.ui.labels.table import LABELS
from gnet.ui.train.form import FIELDS
from gnet.ui.train.handlers import MEASURED_LATER
from support.pages import random_network
from support.root import ROOT

PLACES = {
    "explore/diagram/diagram.html": (
        "Taller block = more channels.",
        "Stronger colour = more of this module’s activity.",
    ),
    "explore/channel/channel.html": ("Pictures that excite it most",),
    "train/plots/plots.html": (
        "Should fall fast, then flatten. A flat line at the start value: it is not learning.",
        "Line: pictures it trains on. Dots: validation; below the line, it does worse on new ones.",
        "▲: above the plot.",
        "Dotted line with ▸: a pause or a change.",
        "Cosine: 1 where two losses pull the same way",
    ),
    "train/preview/preview.html": ("training", "validation", "as validated"),
    "review/matrix/matrix.html": ("Confusion matrix: what it mistakes for what",),
    "review/table/table.html": ("How the selected runs differ",),
}
BEFORE = re.compile(
    "Thickness is channels|The forward recorded|so only the heads are asked|"
    "then flattens; at the top|Below their line|What it takes for what|"
    "In what the runs on the plots|Highest learning rate from now on|"
    "nothing is concluded from it|as judged"
)


@pytest.mark.parametrize("place", PLACES)
def test_a_drawing_says_it_in_plain_words(place: str) -> None:
    text = " ".join((ASSETS / "components" / place).read_text(encoding="utf-8").split())
    assert [words for words in PLACES[place] if words not in text] == []


def test_labels_say_it_in_plain_words() -> None:
    assert LABELS["click module"].startswith("Click a module")
    assert LABELS["felt"].startswith(
        "In practice 90\u00a0% of its input lies in a square of {side} px"
    )
    assert "at most one patch per picture" in LABELS["patches"]
    assert "Value in the network: {recorded}" in LABELS["total"]
    assert LABELS["new rate"] == "New peak learning rate"
    assert "Pictures per class (0 = all)" in [shown.label for shown in FIELDS]
    assert MEASURED_LATER == "Time per epoch can be measured when the current run has ended."


def test_a_scale_names_large_and_small_maps() -> None:
    words = describe_recording(record(random_network(), torch.rand(1, 3, 64, 64)))["limits"][
        "words"
    ]
    assert re.fullmatch(
        r"Large maps 0–\S+, small maps 0–\S+; same scale in all nine modules", words
    )


def test_what_readers_did_not_understand_is_said_nowhere() -> None:
    sources = [*(ROOT / "gnet").rglob("*.py"), *(ASSETS / "components").rglob("*.*")]
    texts = {path: path.read_text(encoding="utf-8") for path in sources if path.is_file()}
    assert {
        path.name: BEFORE.findall(text) for path, text in texts.items() if BEFORE.search(text)
    } == {}
