"""TIFF files of kinds that Pillow does not write."""

import struct

import numpy as np


def tiff(
    values: np.ndarray,
    *,
    bits: int,
    numbers: int = 1,
    photometric: int | None = None,
    compression: int = 1,
    data: bytes | None = None,
) -> bytes:
    """An uncompressed TIFF of (h, w) or (h, w, 3); `numbers` is its sample format."""
    height, width = values.shape[:2]
    samples = values.shape[2] if values.ndim == 3 else 1
    pixels = values.astype(values.dtype.newbyteorder("<")).tobytes() if data is None else data
    meaning = photometric if photometric is not None else (2 if samples == 3 else 1)
    shorts = {258: [bits] * samples, 259: [compression], 262: [meaning], 277: [samples]}
    shorts |= {339: [numbers] * samples}
    longs = {256: width, 257: height, 273: 8, 278: height, 279: len(pixels)}
    extra_at = 8 + len(pixels)
    entries, extra = {}, b""
    for tag, value in longs.items():
        entries[tag] = struct.pack("<HHII", tag, 4, 1, value)
    for tag, several in shorts.items():
        packed = struct.pack(f"<{len(several)}H", *several)
        if len(packed) > 4:
            place = struct.pack("<I", extra_at + len(extra))
            extra += packed
        else:
            place = packed.ljust(4, b"\0")
        entries[tag] = struct.pack("<HHI", tag, 3, len(several)) + place
    start = struct.pack("<2sHI", b"II", 42, extra_at + len(extra))
    directory = struct.pack("<H", len(entries)) + b"".join(entries[tag] for tag in sorted(entries))
    return start + pixels + extra + directory + bytes(4)
