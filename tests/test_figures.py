"""Figures: the colour tables, the words and scales printed, and the files written."""

import math

import numpy as np
import pytest
import torch
from matplotlib import colors
from matplotlib.figure import Figure

from gnet.attribution import Attribution
from gnet.colours import (
    BRANCH_COLOURS,
    DIVERGING,
    HEAD_COLOURS,
    SEQUENTIAL,
    as_colours,
    enlarged,
    over_picture,
    paint,
    scale_limit,
)
from gnet.config import BRANCHES, HEADS, PROBE, TRAINED, UNTRAINED, ModelConfig, ModelInfo
from gnet.curves import running_mean, training_figure
from gnet.errors import GnetError
from gnet.events import EpochDone, Event, RunStarted, StepDone
from gnet.figures import attribution_figure, belief_figure, explore_figure, overview_figure
from gnet.model import GoogLeNet
from gnet.receptive_field import Field
from gnet.recording import Recording, record, statistics
from gnet.sheet import number, percent, save


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


def luminance(table: np.ndarray) -> np.ndarray:
    return table.astype(float) @ [0.2126, 0.7152, 0.0722]


def test_the_sequential_map_only_gets_lighter():
    assert SEQUENTIAL.shape == (256, 3) and SEQUENTIAL.dtype == np.uint8
    # Bytes are rounded, so a step may stand still, but never fall by more than the rounding.
    assert (np.diff(luminance(SEQUENTIAL)) > -0.5).all()
    assert luminance(SEQUENTIAL)[0] < 5 and luminance(SEQUENTIAL)[-1] > 230


def test_the_diverging_map_is_lightest_at_0_and_even_on_both_sides():
    assert DIVERGING.shape == (256, 3) and DIVERGING.dtype == np.uint8
    assert luminance(DIVERGING).argmax() in (127, 128)
    assert DIVERGING[0][2] > DIVERGING[0][0] and DIVERGING[-1][0] > DIVERGING[-1][2]


def test_colours_are_read_only_and_every_branch_and_head_has_its_own():
    with pytest.raises(ValueError):
        SEQUENTIAL[0] = 0
    for theme in ("light", "dark"):
        assert tuple(BRANCH_COLOURS[theme]) == BRANCHES and tuple(HEAD_COLOURS[theme]) == HEADS
        hexes = [*BRANCH_COLOURS[theme].values(), *HEAD_COLOURS[theme].values()]
        assert len(set(hexes)) == 7 and all(map(colors.is_color_like, hexes))


def test_painting_puts_0_at_the_start_or_the_middle_of_the_scale():
    values = torch.tensor([[-2.0, 0.0, 1.0, 2.0, 9.0]])
    assert np.array_equal(paint(values, 2.0, signed=False)[0], SEQUENTIAL[[0, 0, 128, 255, 255]])
    assert np.array_equal(paint(values, 2.0, signed=True)[0], DIVERGING[[0, 128, 191, 255, 255]])
    assert np.array_equal(paint(values, 0.0, signed=True)[0], DIVERGING[[128] * 5])


def test_a_scale_is_cut_only_when_few_values_dwarf_the_rest():
    even = torch.linspace(-1, 1, 1000)
    assert scale_limit(even) == 1.0
    spiked = even.clone()
    spiked[0] = 50.0
    assert scale_limit(spiked) == pytest.approx(1.0, abs=0.02)
    assert scale_limit(torch.zeros(5)) == 0.0


def test_a_cell_is_painted_where_its_field_has_its_centre():
    values = torch.zeros(8, 8)
    values[2, 5] = 1.0
    field = Field(size=43, stride=8, start=6.0)
    colours = over_picture(torch.zeros(1, 3, 64, 64), values, field, 1.0, signed=False)
    times = len(colours) // 64
    brightest = luminance(colours).argmax()
    row, col = (int(place) / times for place in np.unravel_index(brightest, colours.shape[:2]))
    assert abs(row - (6 + 2 * 8)) <= 1 and abs(col - (6 + 5 * 8)) <= 1


def test_enlarging_keeps_cells_hard():
    small = as_colours(torch.rand(1, 3, 4, 4))
    large = enlarged(small, 16)
    assert large.shape == (16, 16, 3)
    assert np.array_equal(large[::4, ::4], small) and np.array_equal(large[3::4, 3::4], small)


@pytest.mark.parametrize(
    ("value", "printed"),
    [
        (0.0, "0"),
        (0.543, "0.54"),
        (12.4, "12"),
        (-0.0312, "−0.031"),
        (0.9995, "1.0"),
        (2e-9, "2.0e−09"),
    ],
)
def test_numbers_are_short_and_have_a_true_minus(value, printed):
    assert number(value) == printed


def test_percent_shows_a_decimal_only_below_ten():
    assert [percent(p) for p in (0.0, 0.071, 0.0996, 0.37, 1.0)] == [
        "0.0 %",
        "7.1 %",
        "10 %",
        "37 %",
        "100 %",
    ]


def test_the_explore_figure_prints_what_the_recording_says(recording):
    text = words(explore_figure(recording, "4b"))
    numbers = statistics(recording, "4b")
    for branch, n in numbers.items():
        assert percent(n.share) in text
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
    text = words(belief_figure(recorded(aux1=UNTRAINED, aux2=PROBE)))
    assert "untrained" in text and PROBE in text and text.count("entropy") == 2
    assert "two trained heads" in text
    nobody = words(belief_figure(recorded(**dict.fromkeys(HEADS, UNTRAINED))))
    assert "untrained: they believe nothing yet" in nobody and "%" not in nobody


def attribution(values: torch.Tensor, *, signed: bool) -> Attribution:
    return Attribution(
        method="integrated-gradients" if signed else "saliency",
        head="main",
        target=1,
        target_name="cup $5",
        stage=None,
        branch=None,
        map=values,
        grid=(values.shape[0], values.shape[1]),
        low=float(values.min()),
        high=float(values.max()),
        signed=signed,
        score=2.5,
        baseline_score=0.5 if signed else None,
        completeness_error=0.003 if signed else None,
        steps=32 if signed else None,
    )


def test_an_attribution_prints_its_range_its_finding_and_a_cut_scale():
    values = torch.linspace(-1, 1, 64 * 64).reshape(64, 64)
    plain = words(attribution_figure(attribution(values, signed=True), torch.rand(1, 3, 64, 64)))
    assert "values from −1.0 to 1.0" in plain and "outside" not in plain
    assert "“cup $5”" in plain and "0.003" in plain
    values[0, 0] = 9.0
    cut = words(attribution_figure(attribution(values, signed=True)))
    assert "values from −1.0 to 9.0; 0.5 % lie outside the scale" in cut
    nothing = words(attribution_figure(attribution(torch.zeros(8, 8), signed=False)))
    assert "0 everywhere" in nothing


def a_run(steps: int, heads: tuple[str, ...] = HEADS) -> list[Event]:
    events: list[Event] = [
        RunStarted(
            step=0,
            steps=20,
            classes=("a", "b"),
            pictures={"train": 8},
            parameters=1,
            precision="fp32",
            threads=1,
            processes=1,
        )
    ]
    for step in range(1, steps + 1):
        losses = dict.fromkeys(heads, 2.0 / step)
        accuracy = dict.fromkeys(heads, step / 20)
        common = {"step": step, "epoch": (step - 1) // 5, "seconds": 0.1 * step}
        events.append(
            StepDone(
                **common,
                size=32,
                loss=2.0,
                losses=losses,
                accuracy=accuracy,
                learning_rate=0.1,
                pictures_per_second=1.0,
            )
        )
        if step % 5 == 0:
            events.append(
                EpochDone(
                    **common,
                    train_loss=losses,
                    train_accuracy=accuracy,
                    val_loss=losses,
                    val_accuracy=accuracy,
                )
            )
    return events


@pytest.mark.parametrize("steps", [0, 1, 3, 12])
@pytest.mark.parametrize("heads", [HEADS, ("main",)])
def test_a_run_can_be_drawn_at_any_moment(steps, heads):
    figure = training_figure(a_run(steps, heads))
    assert len(figure.axes) == 2
    assert ("aux1" in words(figure)) == (steps > 0 and len(heads) == 3)
    assert ("epoch" in words(figure).splitlines()) == (steps >= 5)


def test_curves_stand_at_epochs_and_chance_is_drawn():
    loss, accuracy = training_figure(a_run(12)).axes
    steps, dots = np.asarray(loss.lines[0].get_xdata()), np.asarray(loss.lines[2].get_xdata())
    assert steps[[0, 4, 9, 11]].tolist() == pytest.approx([0.2, 1, 2, 2.4])
    assert dots.tolist() == [1, 2]
    assert np.asarray(loss.lines[-1].get_ydata())[0] == pytest.approx(math.log(2))
    assert np.asarray(accuracy.lines[-1].get_ydata())[0] == pytest.approx(50)


def test_a_running_mean_starts_at_the_first_value_and_skips_gaps():
    assert running_mean([4.0, 4.0]) == pytest.approx([4.0, 4.0])
    means = running_mean([math.nan, 1.0, math.nan, 1.0])
    assert math.isnan(means[0]) and means[1:] == pytest.approx([1.0] * 3)


@pytest.mark.parametrize(
    ("suffix", "start"), [(".png", b"\x89PNG"), (".SVG", b"<?xml"), (".pdf", b"%PDF")]
)
def test_a_figure_is_saved_as_its_suffix_says(tmp_path, recording, suffix, start):
    path = tmp_path / f"belief{suffix}"
    save(belief_figure(recording), path)
    assert path.read_bytes().startswith(start)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("name", ["belief.jpg", "belief"])
def test_another_suffix_is_a_sentence_and_nothing_is_written(tmp_path, recording, name):
    with pytest.raises(GnetError, match=r"a figure is saved as \.png, \.svg or \.pdf"):
        save(belief_figure(recording), tmp_path / name)
    assert not list(tmp_path.iterdir())
