"""Any picture a person may have → RGB picture → pixels, and back; every refusal is one sentence.

It knows nothing of networks beyond the square they are shown. The size of a picture is read
from its header and checked before anything is decoded; Pillow's own limits are global to the
process, so they are neither used nor changed.
"""

from __future__ import annotations

import io
import math
import stat
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch.nn.functional import interpolate

from gnet.data.formats.colours import to_rgb
from gnet.data.formats.reading import decoded, open_header, refusal
from gnet.data.formats.refusals import ALLOWED, PictureError
from gnet.errors import GnetError
from gnet.network.info import Preprocessing

_ORIENTATION = 0x0112  # EXIF tag, values 1 to 8
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True, kw_only=True)
class PictureLimits:
    """What a single picture may be; sizes in bytes and pixels."""

    file_bytes: int = 32_000_000
    pixels: int = 25_000_000
    jpeg_pixels: int = 100_000_000  # decoded at a half, a quarter or an eighth of its size


LIMITS = PictureLimits()


def open_picture(
    source: str | Path | bytes | Image.Image,
    *,
    max_side: int | None = None,
    limits: PictureLimits = LIMITS,
) -> Image.Image:
    """Read any picture as upright RGB, 8 bits a channel.

    EXIF rotation is applied, transparency laid over white, 16 bits scaled to 8, the first frame
    of an animation taken. With `max_side` the short side is at most that many pixels afterwards
    (antialiased; a JPEG is decoded at reduced size, which is what makes large photos fast).
    Raises PictureError: one sentence saying what was given and what is allowed.
    """
    if isinstance(source, Image.Image):
        return _finish(source, "The picture", max_side, limits)
    name, content = _content(source, limits)
    return _finish(open_header(content, name), name, max_side, limits, content)


def square(
    size: tuple[int, int], crop: float = 1.0, box: tuple[float, float, float] | None = None
) -> tuple[int, int, int]:
    """The square (x, y, side) in px of a picture of `size` (width, height) that a network sees.

    Without `box` it is centred and its side is the share `crop` of the short side. A `box`
    (x, y, side) is rounded and moved or shrunk until it lies inside the picture.
    """
    width, height = size
    if box is None:
        side = min(max(1, round(crop * min(width, height))), width, height)
        return (width - side) // 2, (height - side) // 2, side
    if len(box) != 3 or not all(math.isfinite(value) for value in box) or box[2] <= 0:
        raise GnetError(
            f"The square {tuple(box)} was given; allowed is (x, y, side) in px with a side above 0."
        )
    side = min(max(1, round(box[2])), width, height)
    x = min(max(0, round(box[0])), width - side)
    y = min(max(0, round(box[1])), height - side)
    return x, y, side


def to_pixels(
    image: Image.Image,
    preprocessing: Preprocessing,
    box: tuple[float, float, float] | None = None,
) -> torch.Tensor:
    """The square a network sees: (1, 3, S, S) float32 in [0, 1], not normalised; `as_seen`."""
    rgb = image if image.mode == "RGB" else to_rgb(image)
    return as_seen(as_tensor(rgb), preprocessing, box)[None].float().div(255).contiguous()


def as_seen(
    picture: torch.Tensor,
    preprocessing: Preprocessing,
    box: tuple[float, float, float] | None = None,
) -> torch.Tensor:
    """What a network sees of a picture, uint8 (3, h, w) → (3, S, S): a square, antialiased.

    S is `preprocessing.size`; `box` is (x, y, side) in the picture's px, the centre by default.
    """
    x, y, side = square((picture.shape[2], picture.shape[1]), preprocessing.crop, box)
    view = picture[:, y : y + side, x : x + side]
    if 0 < preprocessing.thumbnail < side:
        view = compressed(resize(view, preprocessing.thumbnail), preprocessing.quality)
    return resize(view, preprocessing.size)


def read_pixels(source: str | Path | bytes, preprocessing: Preprocessing) -> torch.Tensor:
    """What a network sees of the picture in a file: `open_picture`, then `to_pixels`.

    The picture is kept at up to 4 times the network's input; more would show no difference.
    """
    return to_pixels(open_picture(source, max_side=4 * preprocessing.size), preprocessing)


def to_image(pixels: torch.Tensor) -> Image.Image:
    """A picture from (3, H, W) or (1, 3, H, W): float in [0, 1] (clipped) or uint8."""
    one = pixels.detach().cpu()
    if one.ndim == 4 and one.shape[0] == 1:
        one = one[0]
    if one.ndim != 3 or one.shape[0] != 3:
        raise GnetError(
            f"pixels of shape {tuple(pixels.shape)} were given; allowed are (3, H, W) and "
            "(1, 3, H, W)."
        )
    if one.dtype != torch.uint8:
        one = one.float().nan_to_num().clamp(0, 1).mul(255).round().to(torch.uint8)
    return Image.fromarray(np.ascontiguousarray(one.permute(1, 2, 0).numpy()))


def as_tensor(image: Image.Image) -> torch.Tensor:
    """An RGB picture as uint8 (3, h, w) with channels-last storage; the memory is its own."""
    return torch.from_numpy(np.array(image)).permute(2, 0, 1)


def resize(
    picture: torch.Tensor, size: int | tuple[int, int], *, antialias: bool = True
) -> torch.Tensor:
    """Resize uint8 (3, h, w) to (3, S, S) or (3, *size), bilinear, with antialiasing or without.

    Channels-last in memory, in and out: torch's 8-bit kernel is 2 to 4 times faster there.
    """
    shape = (size, size) if isinstance(size, int) else size
    one = picture[None].contiguous(memory_format=torch.channels_last)
    if one.shape[-2:] == shape:
        return one[0]
    return interpolate(one, shape, mode="bilinear", antialias=antialias)[0]


def compressed(picture: torch.Tensor, quality: int) -> torch.Tensor:
    """What JPEG of a quality (1 to 95) leaves of a picture, uint8 (3, h, w)."""
    memory = io.BytesIO()
    to_image(picture).save(memory, "JPEG", quality=quality)
    return as_tensor(Image.open(memory))


def _content(source: str | Path | bytes, limits: PictureLimits) -> tuple[str, bytes]:
    if isinstance(source, bytes):
        name, length, status = "The picture", len(source), None
    else:
        path = Path(source)
        name = _short(path.name)
        try:
            if path.is_dir():
                raise PictureError(
                    f"{name} is a folder; give the path of one picture ({ALLOWED}).", "a folder"
                )
            status = path.stat()
            length = status.st_size
        except (OSError, ValueError) as error:
            raise PictureError(
                f"There is no file {name}; give the path of a picture ({ALLOWED}).", "no file"
            ) from error
    if status is not None and not stat.S_ISREG(status.st_mode):  # a pipe would never end
        raise PictureError(
            f"{name} is a pipe or a device; give the path of one picture ({ALLOWED}).",
            "a pipe or a device",
        )
    if length > limits.file_bytes:
        raise PictureError(
            f"{name} has {length / 1e6:.1f} MB; allowed are up to "
            f"{limits.file_bytes / 1e6:.0f} MB.",
            "file too large",
        )
    if length == 0:
        raise PictureError(f"{name} is empty (0 bytes); allowed are {ALLOWED}.", "empty file")
    if isinstance(source, bytes):
        return name, source
    try:
        return name, Path(source).read_bytes()
    except OSError as error:
        raise PictureError(
            f"{name} cannot be read; give a file you may read ({ALLOWED}).", "unreadable file"
        ) from error


def _finish(
    image: Image.Image,
    name: str,
    max_side: int | None,
    limits: PictureLimits,
    content: bytes = b"",
) -> Image.Image:
    """Check the size, decode, turn upright, make RGB, shrink."""
    is_jpeg = image.format in ("JPEG", "MPO")
    allowed = limits.jpeg_pixels if is_jpeg else limits.pixels
    _check_size(image.size, allowed, name, limits)
    try:
        if is_jpeg:
            _draft(image, max_side, limits)
        image = decoded(image, content, name)
        # Only now: Pillow turns a TIFF itself while it loads it, and then forgets its orientation.
        turn = _TURNS.get(_orientation(image))
        rgb = to_rgb(image)
    except Exception as error:  # Pillow's decoders raise anything on hostile bytes
        raise refusal(content, name, image.format, error) from error
    if max_side is not None and min(rgb.size) > max_side:
        rgb = _shrunk(rgb, max_side)
    upright = rgb.copy() if turn is None else rgb.transpose(turn)
    upright.info = {}  # else opening it again would turn it again
    return upright


def _check_size(size: tuple[int, int], allowed: int, name: str, limits: PictureLimits) -> None:
    width, height = size
    if width * height > allowed or min(width, height) < 1:
        raise PictureError(
            f"{name} has {width}×{height} = {width * height / 1e6:.1f} Mpx; allowed are up to "
            f"{limits.pixels / 1e6:.0f} Mpx ({limits.jpeg_pixels / 1e6:.0f} Mpx for a JPEG).",
            "too many pixels",
        )


def _draft(image: Image.Image, max_side: int | None, limits: PictureLimits) -> None:
    """Ask the JPEG decoder for a half, a quarter or an eighth of the size where that is enough."""
    width, height = image.size
    scale = 1
    while width * height > limits.pixels * scale * scale:
        scale *= 2
    if max_side is not None:
        while scale < 8 and min(width, height) >= max_side * scale * 2:
            scale *= 2
    if scale > 1:
        image.draft(None, (max(1, width // scale), max(1, height // scale)))


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # a damaged EXIF block is no reason to refuse the picture
        return 1


def _shrunk(rgb: Image.Image, short: int) -> Image.Image:
    """Antialiased, so that the short side is `short` px; the long side keeps the proportion."""
    factor = short / min(rgb.size)
    width, height = (max(short, round(side * factor)) for side in rgb.size)
    return rgb.resize((width, height), Image.Resampling.BILINEAR, reducing_gap=2.0)


def _short(name: str) -> str:
    """A file name fit for a sentence: printable and not endless."""
    plain = "".join(letter if letter.isprintable() else "?" for letter in name) or "The file"
    return plain if len(plain) <= 60 else f"{plain[:40]}…{plain[-15:]}"
