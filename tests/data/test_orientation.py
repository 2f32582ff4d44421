"""Pictures are upright, whatever format says how they were turned."""

import io

import pytest
from PIL import Image, PngImagePlugin

from gnet.data.pictures import open_picture
from support.quarters import corners, encoded, quarters

TURNED = dict(enumerate(("rgbw", "grwb", "wbgr", "bwrg", "rbgw", "brwg", "wgbr", "gwrb"), start=1))
"""EXIF orientation → corners of `quarters()` after it."""


def pages(count):
    return {"save_all": True, "append_images": [Image.new("RGB", (80, 40))] * (count - 1)}


@pytest.mark.parametrize("orientation", TURNED)
@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("JPEG", {}),
        ("MPO", pages(2)),
        ("PNG", {}),
        ("PNG", pages(2)),
        ("WEBP", {}),
        ("WEBP", pages(2) | {"lossless": True}),
        ("AVIF", {}),
        ("TIFF", {}),
        ("TIFF", pages(3)),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("TIFF", {"compression": "jpeg"} | pages(2)),
    ],
)
def test_exif_rotation_is_applied_once(kind, options, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = encoded(quarters(), kind, exif=exif, **options)
    for source in (content, Image.open(io.BytesIO(content))):
        image = open_picture(source)
        assert image.size == ((80, 40) if orientation < 5 else (40, 80))
        assert corners(image) == TURNED[orientation]
        assert corners(open_picture(image)) == TURNED[orientation]
    assert corners(open_picture(content, max_side=16)) == TURNED[orientation]


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGBA", "CMYK", "I;16"])
def test_a_tiff_of_any_mode_is_turned_once(mode):
    image = quarters().convert("L") if mode == "I;16" else quarters()
    content = encoded(image.convert(mode), "TIFF", tiffinfo={0x0112: 6})
    expected = corners(open_picture(image.convert(mode).transpose(Image.Transpose.ROTATE_270)))
    assert corners(open_picture(content)) == expected


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF"])
def test_an_orientation_written_as_xmp_counts_too(kind):
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'
    options = {"xmp": xmp}
    if kind == "PNG":
        text = PngImagePlugin.PngInfo()
        text.add_itxt("XML:com.adobe.xmp", xmp.decode())
        options = {"pnginfo": text}
    if kind == "TIFF":
        options = {"tiffinfo": {700: xmp}}
    assert corners(open_picture(encoded(quarters(), kind, **options))) == TURNED[6]


def test_a_damaged_exif_block_does_not_cost_the_picture():
    content = encoded(quarters(), "PNG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    assert corners(open_picture(content)) == "rgbw"
