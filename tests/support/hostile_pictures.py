"""Pictures as strangers may send them: cut off, altered, misnamed, disguised, huge, of odd kinds.

Each is a name and bytes, made here from a seed; there are more than three hundred.
"""

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator

import numpy as np
from PIL import Image

MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "F", "YCbCr", "HSV", "LAB")
FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "ICO", "PPM", "TGA", "AVIF", "PDF", "EPS")
SIDES = ((1, 1), (1, 4000), (4000, 1), (7, 9), (64, 48))
SUFFIXES = (".jpg", ".png", ".gif", ".webp", ".svg", ".exe", "", ".jpg.zip", ".JPEG", ".heic")
NAMES = (
    "<img src=x onerror=alert(1)>.jpg",
    "../../etc/passwd",
    "a\u202egpj.exe",
    "x" * 240 + ".png",
    " .jpg",
)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script><image href="file:///etc/passwd"/></svg>'


def hostile_pictures() -> Iterator[tuple[str, bytes]]:
    """All of them, in the same order every time."""
    random = np.random.default_rng(0)
    yield from _kinds(random)
    yield from _broken(random)
    yield from _disguised(random)
    yield from _false_headers()
    yield from _oriented(random)


def _drawn(random: np.random.Generator, size: tuple[int, int], mode: str = "RGB") -> Image.Image:
    pixels = random.integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
    image = Image.fromarray(pixels)
    return image.convert("F").convert("I;16") if mode == "I;16" else image.convert(mode)


def _written(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    try:
        image.save(file, kind, **options)
    except (OSError, ValueError, KeyError):  # this kind has no such mode
        return b""
    return file.getvalue()


def _kinds(random: np.random.Generator) -> Iterator[tuple[str, bytes]]:
    for mode in MODES:
        for kind in FORMATS:
            content = _written(_drawn(random, (40, 30), mode), kind)
            if content:
                yield f"{mode}-{kind}.{kind.lower()}".replace(";", ""), content
    for size in SIDES:
        for kind in ("JPEG", "PNG", "GIF", "WEBP"):
            yield f"{size[0]}x{size[1]}.{kind.lower()}", _written(_drawn(random, size), kind)
    frames = [_drawn(random, (32, 32)) for _ in range(3)]
    for kind in ("GIF", "WEBP", "PNG", "TIFF"):
        content = _written(frames[0], kind, save_all=True, append_images=frames[1:])
        yield f"animated.{kind.lower()}", content


def _broken(random: np.random.Generator) -> Iterator[tuple[str, bytes]]:
    for kind in ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF"):
        whole = _written(_drawn(random, (60, 50)), kind)
        for part in (0, 1, 4, 12, 40, len(whole) // 4, len(whole) // 2, len(whole) - 20):
            yield f"cut-{part}.{kind.lower()}", whole[:part]
        for number in range(15):
            altered = bytearray(whole)
            for at in random.integers(0, len(altered), 12):
                altered[at] = random.integers(0, 256)
            yield f"altered-{number}.{kind.lower()}", bytes(altered)
        yield f"doubled.{kind.lower()}", whole + whole
        yield f"zeros-behind.{kind.lower()}", whole + bytes(5000)


def _disguised(random: np.random.Generator) -> Iterator[tuple[str, bytes]]:
    whole = _written(_drawn(random, (40, 40)), "PNG")
    for suffix in SUFFIXES:
        yield f"png{suffix}", whole
    for name in NAMES:
        yield name, whole
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("../out.png", whole)
    page = b"<html><script>alert(1)</script></html>"
    for name, content in (
        ("script.svg", SVG),
        ("svg.png", SVG),
        ("page.jpg", page),
        ("page-behind.png", whole + page),
        ("zip.png", archive.getvalue()),
        ("zip-behind.png", whole + archive.getvalue()),
        ("pickle.jpg", b"\x80\x04cos\nsystem\n(S'true'\ntR."),
        ("elf.png", b"\x7fELF" + bytes(64)),
        ("text.jpg", b"not a picture"),
        ("utf16.jpg", "nicht".encode("utf-16")),
        ("zeros.png", bytes(4096)),
        ("noise.jpg", random.bytes(4096)),
        ("heic.heic", b"\x00\x00\x00\x18ftypheic" + bytes(64)),
    ):
        yield name, content


def _false_headers() -> Iterator[tuple[str, bytes]]:
    for width, height in ((0, 0), (0, 9), (2**31 - 1, 1), (60000, 60000), (2**32 - 1, 2**32 - 1)):
        yield f"png-{width}x{height}.png", _png(width, height)
        short = struct.pack("<HH", width & 0xFFFF, height & 0xFFFF)
        yield f"gif-{width}x{height}.gif", b"GIF89a" + short + bytes(20)
        long = struct.pack("<ii", width & 0x7FFFFFFF, height & 0x7FFFFFFF)
        bmp = b"BM" + bytes(8) + struct.pack("<II", 54, 40) + long + b"\x01\x00\x18\x00" + bytes(24)
        yield f"bmp-{width}x{height}.bmp", bmp
    yield "bomb.png", _png(20000, 20000, zlib.compress(bytes(20_000_000), 9))


def _png(width: int, height: int, data: bytes = b"") -> bytes:
    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + _crc(name + content)

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def _crc(content: bytes) -> bytes:
    return struct.pack(">I", zlib.crc32(content))


def _oriented(random: np.random.Generator) -> Iterator[tuple[str, bytes]]:
    for kind in ("JPEG", "PNG", "WEBP"):
        for orientation in (0, 1, 3, 6, 8, 9, 65535):
            exif = Image.Exif()
            exif[0x0112] = orientation
            image = _drawn(random, (40, 20))
            yield f"turned-{orientation}.{kind.lower()}", _written(image, kind, exif=exif)
