"""Pictures people send: what opens, how it looks, and the sentence for what does not."""

import struct
import threading
import time
import zlib
from contextlib import suppress

import numpy as np
import pytest
import torch
from PIL import Image

from gnet.data.pictures import (
    PictureError,
    PictureLimits,
    as_seen,
    as_tensor,
    compressed,
    open_picture,
    resize,
    square,
    to_image,
    to_pixels,
)
from gnet.errors import GnetError
from gnet.network.info import Preprocessing
from support.quarters import corners, encoded, quarters


def refused(source, **options):
    with pytest.raises(PictureError) as caught:
        open_picture(source, **options)
    sentence = str(caught.value)
    assert sentence.endswith(".") and "\n" not in sentence and len(sentence) < 250
    assert "/" not in sentence.replace("and/or", "")  # no path of the server
    assert caught.value.reason
    return sentence


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "GIF", "BMP", "TIFF", "PPM"])
def test_every_allowed_format_opens_as_rgb(kind):
    image = open_picture(encoded(quarters(), kind))
    assert image.mode == "RGB" and image.size == (80, 40)
    assert corners(image) == "rgbw"


def test_a_path_a_string_bytes_and_a_picture_are_all_sources(tmp_path):
    path = tmp_path / "quarters.png"
    path.write_bytes(encoded(quarters(), "PNG"))
    for source in (path, str(path), path.read_bytes(), quarters()):
        assert corners(open_picture(source)) == "rgbw"


def test_cmyk_palette_and_one_bit_become_rgb():
    assert corners(open_picture(encoded(quarters().convert("CMYK"), "JPEG"))) == "rgbw"
    assert corners(open_picture(encoded(quarters().convert("P"), "PNG"))) == "rgbw"
    one_bit = open_picture(encoded(quarters().convert("1", dither=Image.Dither.NONE), "PNG"))
    assert one_bit.mode == "RGB" and corners(one_bit)[3] == "w"
    assert open_picture(encoded(quarters().convert("L"), "JPEG")).mode == "RGB"


def test_what_is_transparent_shows_white():
    clear = quarters().convert("RGBA")
    clear.putalpha(Image.new("L", clear.size, 0))
    assert open_picture(encoded(clear, "PNG")).getpixel((5, 5)) == (255, 255, 255)
    half = quarters().convert("RGBA")
    half.putalpha(Image.new("L", half.size, 128))
    red, green, blue = np.asarray(open_picture(encoded(half, "PNG")))[5, 5].tolist()
    assert red == 255 and 125 <= green == blue <= 129
    grey = Image.new("LA", (20, 20), (0, 0))
    assert open_picture(encoded(grey, "PNG")).getpixel((5, 5)) == (255, 255, 255)


def test_a_transparent_palette_or_key_colour_shows_white():
    palette = quarters().convert("P")
    index = palette.getpixel((5, 5))
    for image, option in (
        (palette, {"transparency": index}),
        (quarters(), {"transparency": (255, 0, 0)}),
    ):
        opened = open_picture(encoded(image, "PNG", **option))
        assert opened.getpixel((5, 5)) == (255, 255, 255)
        assert opened.getpixel((75, 5)) == (0, 255, 0)


def test_sixteen_bits_are_scaled_and_not_clipped():
    ramp = np.linspace(0, 65535, 256).astype(np.uint16)[None].repeat(20, 0)
    for kind in ("PNG", "TIFF"):
        image = open_picture(encoded(Image.fromarray(ramp), kind))
        assert image.mode == "RGB"
        grey = np.asarray(image)[0, :, 0]
        assert np.abs(grey.astype(int) - np.arange(256)).max() <= 1


def test_wider_numbers_and_fractions_are_scaled_too():
    ramp = np.linspace(0, 1, 256, dtype=np.float32)[None].repeat(20, 0)
    for values in (ramp, ramp * 255, ramp * 4000, (ramp * 65535).astype(np.int32)):
        grey = np.asarray(open_picture(encoded(Image.fromarray(values), "TIFF")))[0, :, 0]
        assert np.abs(grey.astype(int) - np.arange(256)).max() <= 1
    broken = ramp.copy()
    broken[0, 0] = np.nan
    assert open_picture(encoded(Image.fromarray(broken), "TIFF")).size == (256, 20)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_of_an_animation_the_first_frame_is_taken(kind):
    later = [Image.new("RGB", (80, 40), "black"), quarters().rotate(180)]
    content = encoded(quarters(), kind, save_all=True, append_images=later)
    assert corners(open_picture(content)) == "rgbw"


def test_text_named_png_is_called_text(tmp_path):
    path = tmp_path / "holiday.png"
    path.write_text("Dear all,\nhere is my picture.\n")
    sentence = refused(path)
    assert "holiday.png" in sentence and "text" in sentence and "JPEG" in sentence


def test_other_bytes_are_called_another_kind_of_file():
    assert "another kind of file" in refused(b"\x7fELF\x02\x01\x01\0" + bytes(range(256)))


def test_a_file_of_no_bytes_is_called_empty(tmp_path):
    assert "0 bytes" in refused(b"")
    (tmp_path / "empty.jpg").touch()
    assert "empty.jpg" in refused(tmp_path / "empty.jpg")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "BMP", "TIFF", "PPM"])
def test_a_file_cut_off_in_the_middle_is_refused_and_not_half_shown(kind):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    content = encoded(Image.fromarray(noise), kind)
    sentence = refused(content[: len(content) // 2])
    assert "damaged or cut-off" in sentence


def test_bytes_changed_anywhere_give_a_picture_or_a_sentence():
    """Never another exception, whatever the file is."""
    random = np.random.default_rng(0)
    kinds = ("JPEG", "PNG", "WEBP", "AVIF", "GIF", "BMP", "PPM")
    for content in [encoded(quarters(), kind) for kind in kinds]:
        for _ in range(40):
            changed = bytearray(content)
            for at in random.integers(0, len(changed), 4):
                changed[at] = random.integers(256)
            with suppress(PictureError):
                assert open_picture(bytes(changed)).mode == "RGB"


def png_header(width, height):
    """A PNG that claims a size and holds a few bytes."""

    def chunk(kind, body):
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    body = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(bytes(20_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", body) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def test_a_huge_png_is_refused_by_its_header_before_it_is_decoded():
    start = time.perf_counter()
    sentence = refused(png_header(13_000, 13_000))
    assert time.perf_counter() - start < 0.5
    assert "13000×13000" in sentence and "25 Mpx" in sentence
    assert "4000000000" not in refused(png_header(2_000_000_000, 2))


def test_formats_other_than_jpeg_are_bounded_at_25_megapixels():
    limits = PictureLimits(pixels=80 * 40 - 1, jpeg_pixels=80 * 40)
    for kind in ("PNG", "WEBP", "AVIF", "GIF", "BMP", "TIFF"):
        assert "80×40" in refused(encoded(quarters(), kind), limits=limits)
    assert "80×40" in refused(quarters(), limits=limits)
    assert open_picture(encoded(quarters(), "JPEG"), limits=limits).size == (40, 20)


def test_a_jpeg_of_99_megapixels_is_decoded_at_reduced_size():
    content = encoded(Image.new("L", (11_000, 9_000), 200), "JPEG", quality=90)
    image = open_picture(content, max_side=100)
    assert image.size == (122, 100) and image.getpixel((60, 50)) == (200, 200, 200)
    assert "11200×9000" in refused(encoded(Image.new("L", (11_200, 9_000)), "JPEG"))


def test_pillows_own_limit_is_left_alone_and_not_needed():
    before = Image.MAX_IMAGE_PIXELS
    refused(png_header(13_000, 13_000))
    assert before == Image.MAX_IMAGE_PIXELS == 1024 * 1024 * 1024 // 4 // 3


def test_a_file_above_32_megabytes_is_refused_unread(tmp_path):
    path = tmp_path / "long.bmp"
    with path.open("wb") as file:
        file.truncate(33_000_000)
    sentence = refused(path)
    assert "33.0 MB" in sentence and "32 MB" in sentence


def test_heic_and_svg_get_a_sentence_of_their_own():
    heic = struct.pack(">I", 24) + b"ftypheic\0\0\0\0mif1heic" + bytes(100)
    assert "HEIC" in refused(heic)
    for svg in (
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- drawn by hand -->\n<svg></svg>",
    ):
        assert "SVG" in refused(svg)


def test_a_missing_file_and_a_folder_are_named_without_their_path(tmp_path):
    assert "nothing.jpg" in refused(tmp_path / "nothing.jpg")
    assert "is a folder" in refused(tmp_path)
    assert "\x07" not in refused(tmp_path / ("a\x07" + "b" * 150))


def test_max_side_bounds_the_short_side_and_never_enlarges():
    content = encoded(quarters(800, 400), "PNG")
    assert open_picture(content, max_side=100).size == (200, 100)
    assert open_picture(content, max_side=400).size == (800, 400)
    assert open_picture(content, max_side=999).size == (800, 400)
    assert corners(open_picture(content, max_side=32)) == "rgbw"


def test_a_photo_of_12_megapixels_is_opened_small_in_a_fraction_of_the_time():
    smooth = Image.radial_gradient("L").resize((4000, 3000)).convert("RGB")
    content = encoded(smooth, "JPEG")

    def seconds(**options):
        start = time.thread_time()
        open_picture(content, **options)
        return time.thread_time() - start

    small = min(seconds(max_side=256) for _ in range(3))
    assert small < 0.3 and small < min(seconds() for _ in range(2)) / 1.5


def test_shrinking_a_large_photo_is_antialiased():
    stripes = np.zeros((1600, 1600, 3), np.uint8)
    stripes[:, ::2] = 255
    for kind in ("PNG", "JPEG"):
        image = open_picture(encoded(Image.fromarray(stripes), kind), max_side=100)
        assert np.abs(np.asarray(image).astype(int) - 127).max() < 12


def test_pictures_open_the_same_from_many_threads():
    content = encoded(quarters(400, 200), "JPEG")
    expected = open_picture(content, max_side=64).tobytes()
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(open_picture(content, max_side=64).tobytes()))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 8


def test_pixels_are_the_centre_square_in_fractions():
    pixels = to_pixels(quarters(80, 40), Preprocessing(size=32))
    assert pixels.shape == (1, 3, 32, 32) and pixels.dtype == torch.float32
    assert pixels.is_contiguous() and pixels.min() >= 0 and pixels.max() <= 1
    assert pixels[0, :, 4, 4].tolist() == [1, 0, 0] and pixels[0, :, 28, 28].tolist() == [1, 1, 1]


def test_the_square_can_be_dragged_and_stays_inside():
    assert square((80, 40)) == (20, 0, 40)
    assert square((80, 40), 0.5) == (30, 10, 20)
    assert square((80, 40), box=(3.4, 5.6, 20)) == (3, 6, 20)
    assert square((80, 40), box=(-9, 99, 20)) == (0, 20, 20)
    assert square((80, 40), box=(0, 0, 500)) == (0, 0, 40)
    assert square((1, 1)) == (0, 0, 1)
    red = to_pixels(quarters(), Preprocessing(size=32, crop=0.5), box=(0, 0, 20))
    assert torch.equal(red, torch.tensor([1.0, 0, 0]).view(1, 3, 1, 1).expand(1, 3, 32, 32))
    for box in [(0, 0, 0), (0, 0, -4), (float("nan"), 0, 9), (0, float("inf"), 9), (1, 2)]:
        with pytest.raises(GnetError, match=r"allowed is .*\.$"):
            square((80, 40), box=box)


def test_any_mode_may_go_to_pixels():
    grey = to_pixels(Image.new("L", (50, 50), 51), Preprocessing(size=32))
    assert torch.allclose(grey, torch.full((1, 3, 32, 32), 0.2))


def test_pixels_and_pictures_turn_into_each_other():
    pixels = to_pixels(quarters(), Preprocessing(size=40))
    image = to_image(pixels)
    assert torch.equal(to_pixels(image, Preprocessing(size=40)), pixels)
    assert to_image(pixels[0]).tobytes() == image.tobytes()
    assert to_image(as_tensor(image)).tobytes() == image.tobytes()
    wild = torch.tensor([[float("nan"), -3.0], [9.0, 0.5]]).expand(3, 2, 2)
    assert np.asarray(to_image(wild))[:, :, 0].tolist() == [[0, 0], [255, 128]]
    for wrong in (torch.zeros(2, 3, 4, 4), torch.zeros(4, 4)):
        with pytest.raises(GnetError, match=r"allowed are .*\.$"):
            to_image(wrong)


def test_resizing_equals_torch_in_floating_point_to_a_step():
    random = np.random.default_rng(0)
    picture = torch.from_numpy(random.integers(0, 256, (90, 70, 3), dtype=np.uint8)).permute(
        2, 0, 1
    )
    for size in (32, 128):
        exact = torch.nn.functional.interpolate(
            picture[None].float(), (size, size), mode="bilinear", antialias=True
        )
        assert (resize(picture, size).float() - exact[0]).abs().max() <= 1.01
    assert torch.equal(resize(picture, (90, 70)), picture)


def test_compression_keeps_the_picture_and_loses_the_more_the_lower_the_quality():
    random = np.random.default_rng(0)
    fine = torch.from_numpy(random.integers(0, 256, (3, 40, 56), dtype=np.uint8))
    errors = []
    for quality in (30, 60, 95):
        left = compressed(fine, quality)
        assert left.shape == fine.shape and left.dtype == torch.uint8
        assert torch.equal(left, compressed(fine, quality))
        errors.append(float((left.float() - fine.float()).abs().mean()))
    assert errors == sorted(errors, reverse=True) and errors[0] > errors[2] + 5
    plain = torch.full((3, 16, 16), 90, dtype=torch.uint8)
    assert torch.equal(compressed(plain, 50), plain)


def test_a_larger_square_is_made_a_small_jpeg_first_where_the_network_learned_from_such():
    random = np.random.default_rng(0)
    noise = torch.from_numpy(random.integers(0, 256, (3, 90, 120), dtype=np.uint8))
    seen = Preprocessing(size=80, thumbnail=40, quality=60)
    small = compressed(resize(noise[:, :, 15:105], 40), 60)
    assert torch.equal(as_seen(noise, seen), resize(small, 80))
    assert not torch.equal(small, resize(noise[:, :, 15:105], 40))
    plain = Preprocessing(size=80)
    assert torch.equal(as_seen(noise, seen, box=(3, 4, 40)), as_seen(noise, plain, box=(3, 4, 40)))
    assert torch.equal(as_seen(noise, plain), resize(noise[:, :, 15:105], 80))
