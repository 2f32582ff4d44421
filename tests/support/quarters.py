"""A picture of four colours, encoded, and what is left of it after reading."""

import io

from PIL import Image


def encoded(image, kind, **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def quarters(width=80, height=40):
    """Red, green / blue, white: every turn of it looks different."""
    image = Image.new("RGB", (width, height), "red")
    image.paste("lime", (width // 2, 0, width, height // 2))
    image.paste("blue", (0, height // 2, width // 2, height))
    image.paste("white", (width // 2, height // 2, width, height))
    return image


def corners(image):
    """The colours of top left, top right, bottom left, bottom right, as rough names."""
    names = {4: "r", 2: "g", 1: "b", 7: "w", 0: "k"}
    width, height = image.size
    spots = [(w, h) for h in (height // 8, -height // 8) for w in (width // 8, -width // 8)]
    found = (image.getpixel((x % width, y % height)) for x, y in spots)
    return "".join(names[4 * (r > 127) + 2 * (g > 127) + (b > 127)] for r, g, b in found)
