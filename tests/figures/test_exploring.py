"""Figures: the words, shares and scales that stand in them."""

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

from gnet.errors import GnetError
from gnet.explain.belief import belief
from gnet.explain.branches import statistics
from gnet.explain.recording import Recording, record
from gnet.figures.channel import channel_figure
from gnet.figures.depths import depth_figure, heads_figure
from gnet.figures.exploring import explore_figure, overview_figure
from gnet.network.config import HEADS, PROBE, TRAINED, UNTRAINED, ModelConfig
from gnet.network.info import ModelInfo
from gnet.network.model import GoogLeNet
from gnet.words import rounded_percent


def recorded(preset: str = "batch-norm", **heads: str) -> Recording:
    torch.manual_seed(11)
    info = ModelInfo(
        classes=("cat", "cup $5", "boat", "tree", "lamp", "dog"),
        heads=dict.fromkeys(HEADS, TRAINED) | heads,
    )
    config = ModelConfig.preset(preset, width=0.125, num_classes=6)
    pixels = torch.rand(1, 3, 64, 64)
    return record(GoogLeNet(config, info), pixels)


@pytest.fixture(scope="module")
def recording() -> Recording:
    return recorded()


def words(figure: Figure) -> str:
    return "\n".join(text.get_text() for text in figure.texts)


def test_the_explore_figure_prints_what_the_recording_says(recording):
    text = words(explore_figure(recording, "4b"))
    numbers = statistics(recording, "4b")
    for branch, n in numbers.items():
        assert rounded_percent(n.share) in text
        assert f"{n.channels} channels · a cell sees" in text
        assert f"{len(n.top)} strongest of {n.channels} channels" in text
        assert recording.fields["4b"][branch].size > 0
        assert all(str(channel) in text for channel in n.top)
    assert "mean maps, one scale" in text
    assert "carries" in text and "The main classifier says" in text


def test_signed_responses_get_a_scale_with_both_ends_and_0():
    text = words(explore_figure(recorded("pre-activation"), "4b")).splitlines()
    limits = [line for line in text if line.startswith("−")]
    assert "0" in text and limits and limits[0][1:] in text
    assert text.count("–") == 4  # no sparsity


def test_a_5x5_branch_with_kernel_3_says_so():
    narrow = recorded("torchvision")
    assert "5×5 (kernel 3×3)" in words(explore_figure(narrow, "4b"))
    assert "kernel 3×3" in words(overview_figure(narrow))
    assert "kernel" not in words(overview_figure(recorded()))


def test_a_stage_that_does_not_exist_is_a_sentence(recording):
    with pytest.raises(GnetError, match="no module '6a'; there are 3a, 3b"):
        explore_figure(recording, "6a")


def test_the_overview_prints_all_36_shares(recording):
    text = words(overview_figure(recording)).splitlines()
    assert sum(line.endswith(" %") for line in text) == 36


def test_an_untrained_head_is_named_but_says_nothing():
    text = words(heads_figure(recorded(aux1=UNTRAINED, aux2=PROBE)))
    assert "untrained" in text and PROBE in text and text.count("entropy") == 2
    assert "two trained heads" in text
    nobody = words(heads_figure(recorded(**dict.fromkeys(HEADS, UNTRAINED))))
    assert nobody.count("it believes nothing") == 3 and "%" not in nobody
    silent = words(explore_figure(recorded(main=UNTRAINED), "4b"))
    assert "The main classifier is untrained." in silent and "classifier says" not in silent


def test_a_class_is_followed_from_head_to_head_where_there_are_no_probes(recording):
    figure = depth_figure(recording, None, 1, words="Only main puts cup first.")
    text = words(figure)
    assert "Belief in cup $5" in text and "from head to head" in text and "Only main" in text
    chances = [held.probabilities[1] for held in belief(recording).heads.values()]
    assert all(rounded_percent(chance) in text for chance in chances)
    assert chances in [np.asarray(line.get_ydata()).tolist() for line in figure.axes[0].lines]


def test_a_channel_is_named_within_its_branch_and_its_module(recording):
    text = words(channel_figure(recording, "4b", "3x3", 2))
    widths = [len(part) for part in recording.branches["4b"].values()]
    place = f"channel 2 of {widths[1]} in 3×3, {widths[0] + 2} of {sum(widths)} in the module"
    assert place in text and "on its own scale" in text


def test_a_figure_says_which_branches_are_switched_in_a_title_that_fits(recording):
    note = "with the 5×5 branch of 4b off, the 3×3 branch of 4c times 0.5 and 3 more"
    for figure in (
        heads_figure(recording, switched=note),
        overview_figure(recording, switched=note),
    ):
        (title,) = (text for text in figure.texts if note in text.get_text())
        assert title.get_window_extent().x1 < figure.bbox.width
