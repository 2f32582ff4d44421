"""Bytes → a picture that is open but not decoded, and why Pillow refused the others.

Pillow raises anything for anything, so its exceptions do not tell damage from a rare kind of file;
the file's own header does.
"""

from __future__ import annotations

import io
import struct
import sys
from contextlib import suppress
from typing import Any

from PIL import Image
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from gnet.data.formats.kinds import is_bmp, is_pnm, other_file, refuse_others
from gnet.data.formats.refusals import PictureError, damaged, no_picture, rare

# Tried in this order. Formats that start other programs (EPS) or wrap other files are left out.
_FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "GIF", "BMP", "TIFF", "PPM")
_WEAK = {"BMP": is_bmp, "PPM": is_pnm}
"""Formats whose signature is two letters, and a look at the rest of their header."""
_COMPRESSION, _BITS, _SAMPLES, _SAMPLE_FORMAT = 259, 258, 277, 339  # TIFF tags
_TIFF_NUMBERS = {1: "whole numbers", 2: "signed numbers", 3: "floating point", 5: "complex"}
_TIFF_COMPRESSIONS = (1, 2, 3, 4, 5, 6, 7, 8, 32771, 32773, 32946)
"""Those of TIFF 6 and its supplements, all of which Pillow reads; others depend on its build."""
_JPEG_FRAMES = {0xC3: "lossless", 0xC5: "hierarchical", 0xC6: "hierarchical", 0xC7: "hierarchical"}
_JPEG_FRAMES |= {0xCB: "lossless", 0xCD: "hierarchical", 0xCE: "hierarchical", 0xCF: "hierarchical"}

_OTHER_BYTE = {"B": "L", "L": "B", "N": "B" if sys.byteorder == "little" else "L"}
"""Order of the bytes of 16 bits by which Pillow takes the high one → the order for the low one."""


def open_header(content: bytes, name: str) -> Image.Image:
    """Open without decoding. `Image.open` would warn by a global limit before we see the size."""
    refuse_others(content, name)
    Image.init()
    for kind in _FORMATS:
        if kind not in Image.OPEN:
            continue
        factory, accept = Image.OPEN[kind]
        accepted = accept is None or accept(content[:16])
        if not accepted or isinstance(accepted, str):
            continue
        if kind in _WEAK and not _WEAK[kind](content):
            continue
        try:
            image = factory(io.BytesIO(content), "")
        except Exception as error:  # Pillow's readers raise anything on hostile bytes
            raise refusal(content, name, kind, error) from error
        _mend_key_colour(image, content)
        return image
    raise no_picture(name, other_file(content))


def decoded(image: Image.Image, content: bytes, name: str) -> Image.Image:
    """Decode what `open_header` opened.

    Of colours of 16 bits Pillow keeps the high bytes. Where those are all 0, the file holds 8-bit
    data in a wider field, and the low bytes are the picture.
    """
    tiles = [tuple(tile) for tile in getattr(image, "tile", ())]
    image.load()
    wide = image.mode in ("RGB", "RGBA") and any(";16" in _raw_mode(tile) for tile in tiles)
    if not wide or not content or image.getbbox(alpha_only=False) or "transparency" in image.info:
        return image
    again: Any = open_header(content, name)
    again.tile = [_of_low_bytes(tile) for tile in tiles]
    again.load()
    return again


def _raw_mode(tile: tuple[Any, ...]) -> str:
    mode = tile[3][0] if isinstance(tile[3], tuple) else tile[3]
    return mode if isinstance(mode, str) else ""


def _of_low_bytes(tile: tuple[Any, ...]) -> Any:
    mode = _raw_mode(tile)
    low = mode[:-1] + _OTHER_BYTE.get(mode[-1:], mode[-1:])
    return (*tile[:3], (low, *tile[3][1:]) if isinstance(tile[3], tuple) else low)


def refusal(content: bytes, name: str, kind: str | None, error: Exception) -> PictureError:
    """The sentence for a file that Pillow could not read: a rare kind, or damaged."""
    kind = {"MPO": "JPEG", None: "picture"}.get(kind, kind) or "picture"
    if isinstance(error, Image.DecompressionBombError):
        return PictureError(
            f"{name} is a {kind} of too many pixels; make the picture smaller.", "too many pixels"
        )
    if details := _rare_kind(content, kind, error):
        return rare(name, kind, details)
    return damaged(name, kind)


def _rare_kind(content: bytes, kind: str, error: Exception) -> str | None:
    """What is unusual about a file of an allowed format; None where it is just damaged."""
    if kind == "TIFF":
        return _rare_tiff(content, str(error))
    if kind == "JPEG":
        return _rare_jpeg(content)
    if kind == "BMP" and ("nsupported" in str(error) or "palette size" in str(error)):
        return _rare_bmp(content)
    if kind == "PNG" and "text chunk" in str(error).lower().replace("_", " "):
        return "more than 1 MB of text inside"
    return None


def _rare_tiff(content: bytes, message: str) -> str | None:
    tags: dict[int, Any] = {}
    with suppress(Exception):  # what cannot be read is damage
        directory = ImageFileDirectory_v2(content[: 16 if 43 in content[2:4] else 8])
        file = io.BytesIO(content)
        file.seek(directory.next)
        directory.load(file)
        tags = dict(directory)
    if not tags:
        return None
    compression = tags.get(_COMPRESSION, 1)
    if compression not in _TIFF_COMPRESSIONS:
        return f"compression {compression}"
    if "unknown" not in message and "not yet supported" not in message:
        return None
    bits = tuple(tags.get(_BITS, (1,)))
    numbers = _TIFF_NUMBERS.get(min(tags.get(_SAMPLE_FORMAT, (1,))), "unknown numbers")
    shown = "/".join(map(str, dict.fromkeys(bits)))
    return f"{tags.get(_SAMPLES, len(bits))} × {shown}-bit {numbers}"


def _rare_jpeg(content: bytes) -> str | None:
    """By the frame header: bits a sample, how it is coded, how many layers there are."""
    at = 2
    while at + 10 <= len(content) and content[at] == 0xFF:
        marker = content[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            bits, layers = content[at + 4], content[at + 9]
            if bits != 8:
                return f"{bits} bits a sample"
            if marker in _JPEG_FRAMES:
                return _JPEG_FRAMES[marker]
            return None if layers in (1, 3, 4) else f"{layers} layers"
        alone = marker == 0x01 or 0xD0 <= marker <= 0xD8
        at += 2 if alone else 2 + int.from_bytes(content[at + 2 : at + 4], "big")
    return None


def _rare_bmp(content: bytes) -> str:
    if len(content) < 34 or content[14] < 40:
        return "an unusual header"
    bits, compression = struct.unpack("<HI", content[28:34])
    if compression in (3, 6):
        return f"{bits} bits with unusual colour masks"
    return f"{bits} bits a pixel, compression {compression}"


def _mend_key_colour(image: Image.Image, content: bytes) -> None:
    """Scale a PNG's transparent colour as Pillow scales its pixels, which it forgets."""
    key = image.info.get("transparency")
    if image.format != "PNG" or key is None:
        return
    bits = content[24]
    if isinstance(key, tuple) and bits == 16:
        image.info["transparency"] = tuple(value >> 8 for value in key)
    elif isinstance(key, int) and image.mode in ("1", "L") and bits < 8:
        image.info["transparency"] = key * 255 // (2**bits - 1)
