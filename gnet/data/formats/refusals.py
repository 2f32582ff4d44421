"""The sentences for files that are no usable picture."""

from __future__ import annotations

from gnet.errors import GnetError

ALLOWED = "JPEG, PNG, WebP, AVIF, GIF, BMP, TIFF and PPM"
_SAVE = "save it as PNG or JPEG"


class PictureError(GnetError):
    """A picture that cannot be used; `reason` is a few words, the same for all of its kind."""

    def __init__(self, sentence: str, reason: str) -> None:
        super().__init__(sentence)
        self.reason = reason


def damaged(name: str, kind: str) -> PictureError:
    """A file of an allowed format, of which bytes are missing or wrong."""
    return PictureError(
        f"{name} is a damaged or cut-off {kind} file; allowed are whole {ALLOWED} files.",
        "damaged or cut off",
    )


def rare(name: str, kind: str, details: str) -> PictureError:
    """A whole file of an allowed format, but of a kind that is not read; `details` names it."""
    return PictureError(
        f"{name} is a {kind} of a kind that is not read here ({details}); {_SAVE}.",
        f"{kind} of a kind that is not read",
    )


def other_format(name: str, article: str, kind: str) -> PictureError:
    """A picture in a format that is not read."""
    return PictureError(
        f"{name} is {article} {kind}, which is not read here; {_SAVE}.", f"{kind}, not read"
    )


def no_picture(name: str, what: str) -> PictureError:
    """A file that holds something else than a picture."""
    return PictureError(
        f"{name} is not a picture but {what}; allowed are {ALLOWED}.", "not a picture"
    )
