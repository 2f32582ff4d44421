"""The page figures are drawn on: numbers as words, and files by their suffix."""

import pytest
from matplotlib.figure import Figure

from gnet.errors import GnetError
from gnet.figures.sheet import Sheet, number, save, to_bytes


def page() -> Figure:
    sheet = Sheet(4, 2)
    sheet.text(0.5, 0.5, "A page")
    sheet.block(0.5, 0.7, 3, 0.02)
    return sheet.figure


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


@pytest.mark.parametrize(
    ("suffix", "start"), [(".png", b"\x89PNG"), (".SVG", b"<?xml"), (".pdf", b"%PDF")]
)
def test_a_figure_is_saved_as_its_suffix_says(tmp_path, suffix, start):
    path = tmp_path / f"page{suffix}"
    save(page(), path)
    assert path.read_bytes().startswith(start)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("name", ["page.jpg", "page"])
def test_another_suffix_is_a_sentence_and_nothing_is_written(tmp_path, name):
    with pytest.raises(GnetError, match=r"a figure is saved as \.png, \.svg or \.pdf"):
        save(page(), tmp_path / name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", ["png", "pdf"])
def test_the_same_figure_gives_the_same_bytes(kind):
    """No date goes in, so that a figure under version control changes only with its data."""
    assert to_bytes(page(), kind) == to_bytes(page(), kind)


def test_what_is_placed_in_inches_from_the_top_lies_there():
    sheet = Sheet(8, 4)
    (left, top, width, height) = sheet.axes(2, 1, 4, 2).get_position().bounds
    assert (left, top, width, height) == pytest.approx((0.25, 0.25, 0.5, 0.5))
    sheet.text(6, 1, "costs $5 and $7")
    assert sheet.figure.texts[0].get_position() == (0.75, 0.75)
    assert not sheet.figure.texts[0].get_parse_math(), "dollars are dollars"


def test_a_scale_prints_its_ends_and_a_signed_one_its_0():
    for signed, printed in ((False, ["0", "2.5"]), (True, ["−2.5", "0", "2.5"])):
        sheet = Sheet(4, 2)
        sheet.scale(0.5, 0.5, 3, 2.5, signed=signed, note="what it measures")
        order = {
            (-y, x): text.get_text()
            for text in sheet.figure.texts
            for x, y in [text.get_position()]
        }
        assert [order[place] for place in sorted(order)] == [*printed, "what it measures"]


def test_a_figure_gives_the_same_svg_each_time():
    def drawn() -> bytes:
        sheet = Sheet(4, 3)
        axes = sheet.axes(1, 1, 2, 1)
        axes.plot([0, 1], [1, 0], clip_path=None)
        return to_bytes(sheet.figure, "svg")

    assert drawn() == drawn()
