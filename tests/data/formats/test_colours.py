"""Grey of more than 8 bits and transparent colours, as RGB."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from gnet.data.pictures import open_picture
from support.tiffs import tiff


def png(values: np.ndarray, bits: int, colour: int, key: tuple[int, ...]) -> bytes:
    """A PNG of given bits a sample and a transparent colour, which Pillow cannot write."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    height, width = values.shape[:2]
    wide = values.reshape(height, -1)
    if bits == 16:
        rows = [row.astype(">u2").tobytes() for row in wide]
    else:
        binary = [np.unpackbits(row.astype(np.uint8)[:, None], axis=1)[:, -bits:] for row in wide]
        rows = [np.packbits(row).tobytes() for row in binary]
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)),
            chunk(b"tRNS", struct.pack(f">{len(key)}H", *key)),
            chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows))),
            chunk(b"IEND", b""),
        )
    )


def reds(content: bytes) -> list[int]:
    return np.asarray(open_picture(content))[0, :, 0].tolist()


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
def test_a_transparent_grey_shows_white_at_any_depth(bits):
    most = 2**bits - 1
    ramp = np.array([[0, most]])
    assert reds(png(ramp, bits, 0, (0,))) == [255, 255]
    assert reds(png(ramp, bits, 0, (most,))) == [0, 255]
    if bits > 1:
        assert reds(png(np.array([[0, 1, most]]), bits, 0, (1,)))[1] == 255
        assert reds(png(np.array([[0, 1, most]]), bits, 0, (0,)))[1] < 128


@pytest.mark.parametrize("bits", [8, 16])
def test_a_transparent_colour_shows_white_at_any_depth(bits):
    most = 2**bits - 1
    colours = np.array([[[most, 0, 0], [0, most, 0]]])
    image = open_picture(png(colours, bits, 2, (most, 0, 0)))
    assert [image.getpixel((x, 0)) for x in (0, 1)] == [(255, 255, 255), (0, 255, 0)]


def test_white_is_the_most_that_the_bits_of_a_sample_hold():
    """Twelve bits packed: three bytes hold two samples."""
    packed = bytes((0xFF, 0xF8, 0x00)) * 2  # 4095, 2048
    assert reds(tiff(np.zeros((2, 2)), bits=12, data=packed)) == [255, 128]
    sixteen = np.array([[65535, 32768, 4095, 0]], np.uint16)
    assert reds(tiff(sixteen, bits=16)) == [255, 128, 16, 0]
    signed = np.array([[32767, 16384, 0]], np.int16)
    assert reds(tiff(signed, bits=16, numbers=2)) == [255, 128, 0]


@pytest.mark.parametrize(("bits", "kind"), [(16, np.uint16), (32, np.uint32), (32, np.int32)])
def test_numbers_below_256_are_8_bit_data_in_a_wider_field(bits, kind):
    values = np.array([[0, 100, 255]], kind)
    numbers = 1 if values.dtype.kind == "u" else 2
    assert reds(tiff(values, bits=bits, numbers=numbers)) == [0, 100, 255]


def test_colours_below_256_are_8_bit_data_in_a_wider_field():
    values = np.array([[[0, 7, 9], [100, 7, 9], [255, 7, 9]]], np.uint16)
    plain = png(values, 16, 2, ())
    plain = plain.replace(plain[33:45], b"")  # without a transparent colour
    for content in (plain, tiff(values, bits=16)):
        assert reds(content) == [0, 100, 255]
    assert reds(tiff(values * 257, bits=16)) == [0, 100, 255]
    assert reds(tiff(values * 0, bits=16)) == [0, 0, 0]


def test_whole_numbers_of_32_bits_without_a_sign_have_none():
    values = np.array([[0, 2**31, 2**32 - 1]], np.uint32)
    assert reds(tiff(values, bits=32)) == [0, 128, 255]


@pytest.mark.parametrize(
    ("bits", "values", "numbers"),
    [
        (8, np.array([[0, 255]], np.uint8), 1),
        (16, np.array([[0, 65535]], np.uint16), 1),
        (32, np.array([[0, 1]], np.float32), 3),
    ],
)
def test_a_tiff_in_which_0_is_white_is_turned_round(bits, values, numbers):
    assert reds(tiff(values, bits=bits, numbers=numbers, photometric=0)) == [255, 0]
    assert reds(tiff(values, bits=bits, numbers=numbers, photometric=1)) == [0, 255]


def test_grey_of_16_bits_is_the_same_from_png_pgm_and_tiff():
    ramp = Image.fromarray(np.linspace(0, 65535, 9).astype(np.uint16)[None])
    found = []
    for kind in ("PNG", "PPM", "TIFF"):
        buffer = io.BytesIO()
        ramp.save(buffer, kind)
        found.append(reds(buffer.getvalue()))
    assert found[0] == found[1] == found[2] == [0, 32, 64, 96, 127, 159, 191, 223, 255]
