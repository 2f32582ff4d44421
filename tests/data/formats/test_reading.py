"""Whole files of a rare kind are told from damaged ones."""

import struct

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from gnet.data.pictures import PictureError, open_picture
from support.quarters import encoded
from support.tiffs import tiff


def refused(content: bytes) -> str:
    with pytest.raises(PictureError) as caught:
        open_picture(content)
    return str(caught.value)


def test_a_rare_kind_of_tiff_is_named_with_what_to_do():
    values = np.zeros((4, 6, 3), np.float32)
    assert refused(tiff(values, bits=32, numbers=3)) == (
        "The picture is a TIFF of a kind that is not read here (3 × 32-bit floating point); "
        "save it as PNG or JPEG."
    )


@pytest.mark.parametrize(
    ("values", "options", "details"),
    [
        (np.zeros((4, 6, 3), np.uint32), {"bits": 32}, "3 × 32-bit whole numbers"),
        (np.zeros((4, 6), np.float64), {"bits": 64, "numbers": 3}, "1 × 64-bit floating point"),
        (np.zeros((4, 6), np.uint16), {"bits": 14}, "1 × 14-bit whole numbers"),
        (np.zeros((4, 6), np.uint8), {"bits": 8, "compression": 34712}, "compression 34712"),
    ],
)
def test_the_sentence_says_what_is_rare_about_a_tiff(values, options, details):
    sentence = refused(tiff(values, **options))
    assert "a TIFF of a kind that is not read here" in sentence and details in sentence


def test_a_cut_off_tiff_is_damaged():
    content = tiff(np.zeros((40, 60), np.uint8), bits=8)
    for length in (20, 2000, len(content) - 40):
        assert "damaged or cut-off TIFF" in refused(content[:length])


def jpeg_with(at: int, value: int) -> bytes:
    """A JPEG whose frame header has another byte."""
    content = bytearray(encoded(Image.new("RGB", (16, 16)), "JPEG"))
    content[content.index(b"\xff\xc0") + at] = value
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "details"),
    [
        (jpeg_with(4, 12), "12 bits a sample"),
        (jpeg_with(9, 2), "2 layers"),
        (jpeg_with(1, 0xC5), "hierarchical"),
    ],
)
def test_a_rare_kind_of_jpeg_is_named(content, details):
    sentence = refused(content)
    assert "a JPEG of a kind that is not read here" in sentence and details in sentence


@pytest.mark.parametrize(
    ("bits", "compression", "masks", "details"),
    [
        (16, 3, (0xF00, 0xF0, 0xF), "16 bits with unusual colour masks"),
        (32, 3, (0x3FF00000, 0xFFC00, 0x3FF), "32 bits with unusual colour masks"),
        (2, 0, (0, 0, 0), "2 bits a pixel"),
        (24, 4, (0, 0, 0), "compression 4"),
    ],
)
def test_a_rare_kind_of_bmp_is_named(bits, compression, masks, details):
    info = struct.pack("<I2i2H6I", 40, 4, 4, 1, bits, compression, 64, 0, 0, 0, 0)
    content = struct.pack("<2s3I", b"BM", 130, 0, 66) + info + struct.pack("<3I", *masks)
    sentence = refused(content + bytes(64))
    assert "a BMP of a kind that is not read here" in sentence and details in sentence


def test_a_png_with_a_book_inside_is_whole():
    text = PngImagePlugin.PngInfo()
    text.add_text("book", "a" * 2_000_000, zip=True)
    assert "1 MB of text" in refused(encoded(Image.new("L", (9, 9)), "PNG", pnginfo=text))
