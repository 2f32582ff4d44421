"""Which kind of file some bytes are, by signatures and headers; nothing is decoded here."""

from __future__ import annotations

import re
import struct

from gnet.data.formats.refusals import ALLOWED, PictureError, no_picture, other_format

_LOOK = 4096
"""Bytes from the start of a file that tell its kind."""

_HEIC = {b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"hevm", b"hevs"}
_HEIF = {b"mif1", b"mif2", b"mif3", b"msf1", b"miaf", b"heif", b"avci", b"avcs", b"j2ki", b"jpeg"}
_AVIF = {b"avif", b"avis"}

_PICTURES: tuple[tuple[bytes, str], ...] = (
    (b"\0\0\0\x0cjP  \r\n\x87\n", "a JPEG 2000 picture"),
    (b"\xff\x4f\xff\x51", "a JPEG 2000 picture"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "a JPEG XL picture"),
    (b"\xff\x0a", "a JPEG XL picture"),
    (b"II\xbc\x01", "a JPEG XR picture"),
    (b"\xff\xd8\xff\xf7", "a JPEG-LS picture"),
    (b"8BPS\0", "a PSD picture"),
    (b"gimp xcf", "an XCF picture"),
    (b"icns", "an ICNS icon"),
    (b"DDS ", "a DDS picture"),
    (b"v/1\x01", "an OpenEXR picture"),
    (b"qoif", "a QOI picture"),
    (b"\x01\xda\0", "an SGI picture"),
    (b"\x01\xda\x01", "an SGI picture"),
    (b"\x59\xa6\x6a\x95", "a Sun raster picture"),
    (b"\xd7\xcd\xc6\x9a", "a WMF drawing"),
    (b"\x01\0\0\0\x58\0\0\0", "an EMF drawing"),
    (b"\x01\0\0\0\x6c\0\0\0", "an EMF drawing"),
    (b"AT&TFORM", "a DjVu document"),
    (b"FLIF", "a FLIF picture"),
    (b"BPG\xfb", "a BPG picture"),
    (b"\x8bJNG", "a JNG picture"),
    (b"\x8aMNG", "an MNG animation"),
    (b"\xc5\xd0\xd3\xc6", "an EPS drawing"),
    (b"FUJIFILMCCD-RAW", "a RAW photo"),
    (b"IIRO", "a RAW photo"),
    (b"IIRS", "a RAW photo"),
    (b"MMOR", "a RAW photo"),
    (b"IIU\0", "a RAW photo"),
    (b"FOVb", "a RAW photo"),
)
_WRITTEN: tuple[tuple[re.Pattern[bytes], str], ...] = (
    (re.compile(rb"%!PS(-Adobe-\d|\s*[\r\n])"), "an EPS drawing"),
    (re.compile(rb"/\* XPM \*/(\s|/\*(?s:.*?)\*/)*static\s"), "an XPM picture"),
    (
        re.compile(rb"\s*(?s:/\*.*?\*/\s*)?#define\s+\w*width\s+\d+\s+#define\s+\w*height\s+\d+"),
        "an XBM picture",
    ),
    (re.compile(rb"#\?(RADIANCE|RGBE)\s*[\r\n]"), "a Radiance HDR picture"),
    (re.compile(rb"SIMPLE  = {20}T\s"), "a FITS picture"),
    (re.compile(rb"P7\n(#.*\n)*((WIDTH|HEIGHT|DEPTH|MAXVAL) \d+|TUPLTYPE \w+)\n"), "a PAM picture"),
)
"""Formats whose files may be text, or begin as text."""
_OTHERS: tuple[tuple[bytes, str], ...] = (
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a zip file"),
    (b"\x1f\x8b", "a gzip file"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z file"),
    (b"Rar!", "a RAR file"),
    (b"\x1aE\xdf\xa3", "a video"),
    (b"OggS", "a sound or video"),
    (b"ID3", "a sound"),
    (b"fLaC", "a sound"),
)
_VIDEOS = (b"isom", b"iso2", b"mp41", b"mp42", b"avc1", b"qt  ", b"M4V ", b"3gp4", b"3gp5", b"dash")
_PROLOGUE = re.compile(rb"\s*(<\?.*?\?>|<!--.*?-->|<!doctype[^>\[]*(\[.*?\])?\s*>)", re.DOTALL)
_GAP = rb"(?:\s|#[^\n\r]*[\n\r])+"
_PNM = re.compile(
    rb"(?:P[14]" + _GAP + rb"\d+" + _GAP + rb"\d+\s"
    rb"|P[2356]" + _GAP + rb"\d+" + _GAP + rb"\d+" + _GAP + rb"\d+\s"
    rb"|P[fF]" + _GAP + rb"\d+" + _GAP + rb"\d+" + _GAP + rb"[-+.\deE]+\s)"
)
_PLAIN_PNM = re.compile(rb"P[123](?:[\d\s]|#[^\n\r]*(?:[\n\r]|$))*")
_CONTROL = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1b")) + b"\x7f"
_BMP_HEADERS = (12, 16, 40, 52, 56, 64, 108, 124)
_TGA_KINDS, _TGA_DEPTHS = (1, 2, 3, 9, 10, 11), (8, 15, 16, 24, 32)


def refuse_others(content: bytes, name: str) -> None:
    """Raise PictureError for what is surely no picture of an allowed format, naming what it is."""
    start = content[:_LOOK]
    if found := other_picture(content):
        article, _, kind = found.partition(" ")
        raise other_format(name, article, kind)
    if _is_svg(start):
        raise PictureError(
            f"{name} is an SVG drawing, which has no pixels; export it as PNG "
            f"(allowed are {ALLOWED}).",
            "SVG",
        )
    if not is_pnm(content) and is_text(start):
        raise no_picture(name, "text")


def other_picture(content: bytes) -> str | None:
    """The picture format a file has, if it is one that is not read: "a JPEG 2000 picture"."""
    start = content[:_LOOK]
    for pattern, kind in _WRITTEN:
        if pattern.match(start):
            return kind
    if content.startswith(b"PF") and is_pnm(content):
        return "a PFM picture"
    return None if is_text(start) else _other_binary(content)


def _other_binary(content: bytes) -> str | None:
    for signature, kind in _PICTURES:
        if content.startswith(signature):
            return kind
    brands = _brands(content)
    if brands.isdisjoint(_AVIF):
        if not brands.isdisjoint(_HEIC):
            return "a HEIC photo"
        if not brands.isdisjoint(_HEIF):
            return "a HEIF picture"
    if b"crx " in brands or (content[:4] in (b"II*\0", b"MM\0*") and content[8:10] == b"CR"):
        return "a RAW photo"
    if content[:4] == b"FORM" and content[8:12] in (b"ILBM", b"PBM "):
        return "an ILBM picture"
    if content[128:132] == b"DICM":
        return "a DICOM picture"
    if _is_fli(content):
        return "a FLI animation"
    if content[:1] == b"\x0a" and content[1:2] in b"\0\2\3\4\5" and content[2:3] == b"\1":
        return "a PCX picture"
    return _icon(content) or ("a TGA picture" if _is_tga(content) else None)


def other_file(content: bytes) -> str:
    """What a file is that is no picture at all: "a PDF document"."""
    if is_text(content[:_LOOK]):
        return "text"
    for signature, kind in _OTHERS:
        if content.startswith(signature):
            return kind
    video = not _brands(content).isdisjoint(_VIDEOS) or content[8:12] == b"AVI "
    return "a video" if video else "another kind of file"


def is_text(start: bytes) -> bool:
    """Whether the start of a file is text, in UTF-8, UTF-16 or an encoding of one byte a letter."""
    if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
        letters = start[: len(start) // 2 * 2].decode("utf-16", "replace")
        return not set(letters) & set("\0\ufffd")
    if start.translate(None, _CONTROL) != start:
        return False
    try:
        start.decode("utf-8")
    except UnicodeDecodeError as error:
        cut_in_a_letter = error.start > len(start) - 4 and len(start) > 8
        return cut_in_a_letter or b" " in start
    return True


def is_pnm(content: bytes) -> bool:
    """Whether a file is a PPM or a relative: text may begin with the same letters and numbers."""
    start = content[:_LOOK]
    header = _PNM.match(start)
    if header is None:
        return False
    if start[1:2] in b"123":
        return _PLAIN_PNM.fullmatch(start) is not None
    after = content[header.end() :]
    if not after or not is_text(after[:_LOOK]):
        return True
    pixels = _pnm_bytes(header[0])
    rest = after[pixels:].lstrip()
    return len(after) >= pixels and (not rest or rest.startswith(b"P"))  # or a next picture


def _pnm_bytes(header: bytes) -> int:
    """The bytes of the pixels that such a header announces."""
    kind, width, height, *most = re.sub(rb"#.*", b"", header).split()
    columns, rows = int(width), int(height)
    if kind == b"P4":
        return (columns + 7) // 8 * rows
    sample = 4 if kind in (b"Pf", b"PF") else 1 + (int(most[0]) > 255)
    return columns * rows * sample * (3 if kind in (b"P6", b"PF") else 1)


def is_bmp(start: bytes) -> bool:
    """Whether a file begins with the header of a BMP: two letters are not enough."""
    known = int.from_bytes(start[14:18], "little") in _BMP_HEADERS
    return start[:2] == b"BM" and (known or start[6:10] == bytes(4) or len(start) < 18)


def _brands(content: bytes) -> set[bytes]:
    """The brands an ISO media file names in its first box (HEIC and AVIF are such files)."""
    if content[4:8] != b"ftyp":
        return set()
    (length,) = struct.unpack(">I", content[:4])
    box = content[8 : min(length, 256)]
    return {box[at : at + 4] for at in range(0, len(box), 4) if at != 4}


def _is_svg(start: bytes) -> bool:
    """Whether the first element of an XML file is `svg`; an HTML page may hold drawings, too."""
    rest = start.removeprefix(b"\xef\xbb\xbf").lower()
    while found := _PROLOGUE.match(rest):
        rest = rest[found.end() :]
    return re.match(rb"\s*<(\w+:)?svg[\s>/]", rest) is not None


def _is_fli(content: bytes) -> bool:
    """FLI and FLC: two bytes that may also be a length in a JPEG, a WebP or a TIFF file."""
    if content.startswith((b"\xff\xd8\xff", b"RIFF", b"II*\0", b"MM\0*")):
        return False
    return content[4:6] in (b"\x11\xaf", b"\x12\xaf") and len(content) > 128


def _icon(content: bytes) -> str | None:
    """ICO and CUR: their signature of four bytes, then a first entry that points into the file."""
    if content[:4] not in (b"\0\0\1\0", b"\0\0\2\0") or len(content) < 22:
        return None
    (count,) = struct.unpack("<H", content[4:6])
    (offset,) = struct.unpack("<I", content[18:22])
    if not count or offset < 6 + 16 * count:
        return None
    return "an ICO icon" if content[2] == 1 else "a CUR cursor"


def _is_tga(content: bytes) -> bool:
    """TGA has no signature at its start: a new one ends in it, an old header has to fit."""
    if content[-18:] == b"TRUEVISION-XFILE.\0":
        return True
    if len(content) < 18 or content[2] not in _TGA_KINDS or content[16] not in _TGA_DEPTHS:
        return False
    mapped = content[2] in (1, 9)
    length, entry, width, height = (*struct.unpack("<HB", content[5:8]), *_size(content))
    if content[1] != mapped or not width or not height or content[17] & 0xC0:
        return False
    if not mapped and content[3:7] != bytes(4):
        return False
    data = 18 + content[0] + mapped * length * (entry + 7) // 8
    pixels = width * height * ((content[16] + 7) // 8)
    return len(content) >= data + (pixels if content[2] < 9 else 1)


def _size(content: bytes) -> tuple[int, int]:
    width, height = struct.unpack("<HH", content[12:16])
    return width, height
