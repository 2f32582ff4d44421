"""Files that are no picture of an allowed format are called what they are."""

import io
import struct

import pytest
from PIL import Image

from gnet.data.pictures import PictureError, open_picture


def refused(content: bytes) -> str:
    with pytest.raises(PictureError) as caught:
        open_picture(content)
    return str(caught.value)


def test_a_picture_in_another_format_is_named_with_what_to_do():
    assert refused(b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(50)) == (
        "The picture is a JPEG 2000 picture, which is not read here; save it as PNG or JPEG."
    )


def box(brand: bytes, *others: bytes) -> bytes:
    """The first box of an ISO media file."""
    body = brand + bytes(4) + b"".join(others)
    return struct.pack(">I", 8 + len(body)) + b"ftyp" + body + bytes(100)


def tga(kind: int, *, depth: int = 24, colours: int = 0) -> bytes:
    header = struct.pack("<3B2HB4H2B", 0, colours > 0, kind, 0, colours, 24, 0, 0, 9, 7, depth, 0)
    return header + bytes(3 * colours) + bytes(range(256))


def fli(magic: bytes) -> bytes:
    return struct.pack("<I2s5H", 200, magic, 1, 320, 200, 8, 3) + bytes(184)


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"\xff\x4f\xff\x51" + bytes(50), "a JPEG 2000 picture"),
        (b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(50), "a JPEG XL picture"),
        (b"\xff\x0a" + bytes(50), "a JPEG XL picture"),
        (b"8BPS\0\1" + bytes(50), "a PSD picture"),
        (b"\0\0\1\0" + struct.pack("<H4B2H2I", 1, 16, 16, 0, 0, 1, 32, 40, 22), "an ICO icon"),
        (b"\0\0\2\0" + struct.pack("<H4B2H2I", 1, 16, 16, 0, 0, 1, 32, 40, 22), "a CUR cursor"),
        (tga(2), "a TGA picture"),
        (tga(10), "a TGA picture"),
        (tga(1, depth=8, colours=4), "a TGA picture"),
        (bytes(40) + b"TRUEVISION-XFILE.\0", "a TGA picture"),
        (box(b"heic", b"mif1"), "a HEIC photo"),
        (box(b"mif1", b"heix"), "a HEIC photo"),
        (box(b"mif3", b"mif3"), "a HEIF picture"),
        (box(b"mif1", b"miaf"), "a HEIF picture"),
        (box(b"crx ", b"isom"), "a RAW photo"),
        (b"II*\0\x10\0\0\0CR\2\0" + bytes(50), "a RAW photo"),
        (b"%!PS-Adobe-3.0\n", "an EPS drawing"),
        (b"/* XPM */\nstatic char *a[] = {", "an XPM picture"),
        (b"#define dot_width 8\n#define dot_height 8\n", "an XBM picture"),
        (b"\x0a\5\1\x08" + bytes(124), "a PCX picture"),
        (fli(b"\x11\xaf"), "a FLI animation"),
        (fli(b"\x12\xaf"), "a FLI animation"),
        (b"P7\nWIDTH 2\nHEIGHT 2\n", "a PAM picture"),
        (b"PF\n2 2\n-1.0\n" + bytes(48), "a PFM picture"),
        (b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n", "a Radiance HDR picture"),
        (b"SIMPLE  =                    T / conforms", "a FITS picture"),
        (b"qoif" + bytes(20), "a QOI picture"),
    ],
)
def test_each_format_has_its_name(content, name):
    assert f" is {name}, which is not read here" in refused(content)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"%PDF-1.7\n\0\1\2", "a PDF document"),
        (b"PK\x03\x04\x14\0\0\0", "a zip file"),
        (box(b"isom", b"mp42"), "a video"),
        (b"\x7fELF\x02\x01\x01\0", "another kind of file"),
    ],
)
def test_what_is_no_picture_has_a_name_too(content, what):
    assert f"is not a picture but {what};" in refused(content)


@pytest.mark.parametrize(
    "content",
    [
        b"<!DOCTYPE html><html><body><svg></svg><h1>Access denied</h1></body></html>",
        b"<?xml version='1.0'?><html><svg/></html>",
        b"Python notes: this is plain text.",
        b"P3 is the third player of our team.",
        b"P6 12 players came.",
        b"P1 1 1 is how a bitmap begins.\n",
        b"P2 12 13 14 is a row of numbers.",
        b"P4 12 13 is another one, and there is more of it to be read here.",
        b"P5 12 13 14 is a row of numbers.",
        b"P6 2 1 14 are four numbers after a letter, and here are words that follow.",
        "P6 120 130 255 sind Zahlen für große Leute.".encode("cp1252"),
        b"Pf 12 13 14 is more of it.",
        b"PF 12 13 14 is more of it.",
        b"P7\nWIDTH 2 is rather narrow.",
        b"/* XPM */ is how an XPM begins.",
        b"%!PS is how PostScript begins.",
        b"#?RADIANCE is how light begins.",
        b"SIMPLE  = T is easy.",
        b"BMW is a car maker from Munich.",
        "BMW für alle: größer und schöner.".encode("cp1252"),
        b"GIF89a is a format. This is text.",
        b"II* is how a TIFF begins.",
        b"DDS stands for DirectDraw Surface.",
        b"FLIF is a free format.",
        b"icns files hold the icons of a Mac.",
        b"P7\nis the seventh of its kind.",
        b"PF\nis short for many things.",
        b"SIMPLE  = not hard",
        b"#?RGBEs",
        b"#define MAX_width 5\nint main(void) { return 0; }\n",
        b"Readftypheic, it is a brand.",
        "Ein Fuß".encode("utf-16"),
        "Ein Fuß".encode("utf-16-be").join((b"\xfe\xff", b"")),
        "Übung".encode("utf-8-sig"),
    ],
)
def test_text_is_text_whatever_its_first_letters(content):
    assert "is not a picture but text" in refused(content)


@pytest.mark.parametrize(
    "start",
    [
        b"<svg:svg xmlns:svg='http://www.w3.org/2000/svg'/>",
        b"<!DOCTYPE svg PUBLIC '-//W3C//DTD SVG 1.1//EN' 'x.dtd' [<!ENTITY a 'b'>]>\n<svg>",
        b"<!-- by hand --><?xml-stylesheet href='a.css'?><SVG width='3'>",
    ],
)
def test_an_svg_is_known_by_its_first_element(start):
    assert "SVG drawing" in refused(start)


def test_a_plain_ppm_is_a_picture_although_it_is_text():
    image = open_picture(b"P3 # by hand\n2 1\n255\n255 0 0  0 0 255\n")
    assert [image.getpixel((x, 0)) for x in (0, 1)] == [(255, 0, 0), (0, 0, 255)]
    letters = b"P5\n4 2\n255\nabcdefgh"
    assert open_picture(letters).getpixel((0, 0)) == (97, 97, 97)
    assert open_picture(letters + b"\nP5\n1 1\n255\na").size == (4, 2)


def test_a_ppm_without_the_end_of_its_pixels_is_damaged():
    for rest in (b"", bytes(range(200, 220)), b"\xc8 \xd2\0"):
        assert "damaged or cut-off PPM" in refused(b"P6\n12 13\n255\n" + rest)


def saved(kind: str) -> bytes:
    whole = io.BytesIO()
    Image.new("L", (16, 16), 9).save(whole, kind)
    return whole.getvalue()


def jpeg(length: int) -> bytes:
    """Its first segment has that length."""
    comment = b"\xff\xfe" + struct.pack(">H", length) + bytes(length - 2)
    return b"\xff\xd8" + comment + saved("JPEG")[2:]


def webp(length: int) -> bytes:
    """A chunk that nobody knows fills it up to that length."""
    chunks = saved("WEBP")[8:]
    rest = length - len(chunks) - 8
    more = b"MORE" + struct.pack("<I", rest) + bytes(rest)
    return b"RIFF" + struct.pack("<I", length) + chunks + more


def tiff(offset: int) -> bytes:
    """Its directory stands at that offset."""
    whole = saved("TIFF")
    (first,) = struct.unpack("<I", whole[4:8])
    return (whole[:4] + struct.pack("<I", offset) + whole[8:]).ljust(offset, b"\0") + whole[first:]


@pytest.mark.parametrize(
    "content", [jpeg(0x11AF), jpeg(0x12AF), webp(0xAF12), tiff(0xAF11), tiff(0xAF12)]
)
def test_a_length_in_a_picture_is_not_taken_for_the_sign_of_an_animation(content):
    assert content[4:6] in (b"\x11\xaf", b"\x12\xaf")
    assert open_picture(content).size == (16, 16)
