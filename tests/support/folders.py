"""Small folders and zips of pictures for the tests of data sets; and looking at what came out."""

import io
import struct
import warnings
import zipfile

import pytest
from PIL import Image

from gnet.data.datasets import open_dataset
from gnet.errors import GnetError


def picture(value=100, size=(24, 16), kind="PNG"):
    buffer = io.BytesIO()
    Image.new("RGB", size, (value % 256, 50, 200)).save(buffer, kind)
    return buffer.getvalue()


def zipped(path, files, method=zipfile.ZIP_STORED):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # zipfile warns of the doubtful names some tests want
        with zipfile.ZipFile(path, "w", method) as archive:
            for name, content in files.items():
                archive.writestr(name, content)
    return path


def million_entries(path):
    """A zip of which the list of contents alone has a million entries, all of one name."""
    entry = struct.pack("<4s6H3L5H2L", b"PK\x01\x02", *[0] * 9, 1, *[0] * 6) + b"a"
    listing = entry * 1_000_000
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 9, 9, len(listing), 0, 0)
    path.write_bytes(listing + end)
    return path


def laid_out(path, files):
    for name, content in files.items():
        target = path / name
        if name.endswith("/"):
            target.mkdir(parents=True, exist_ok=True)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
    return path


@pytest.fixture(params=["zip", "folder"])
def source(request, tmp_path):
    """Make a zip or a folder of the same files: everything is tested on both."""

    def make(files):
        if request.param == "zip":
            return zipped(tmp_path / "pets.zip", files)
        return laid_out(tmp_path / "pets", files)

    return make


SPLIT = {
    **{f"train/cat/tin{i}.png": picture(i) for i in range(3)},
    **{f"train/dog/ima{i}.png": picture(10 + i) for i in range(2)},
    "val/cat/tin9.png": picture(90),
    "val/dog/clo9.png": picture(91),
}
FLAT = {f"{name}/{i:02}.png": picture(i) for name in ("cat", "dog") for i in range(20)}


def refused(spec, split="train", **options):
    with pytest.raises(GnetError) as caught:
        open_dataset(spec, split, **options)
    sentence = str(caught.value)
    assert sentence.endswith(".") and "\n" not in sentence and len(sentence) < 300
    return sentence


def reds(dataset):
    """The red value of each picture, which says which file it was."""
    return [int(one[0, 0, 0]) for one in dataset.pictures]
