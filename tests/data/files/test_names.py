"""Names in folders and zips: one encoding, one form of Unicode."""

import os
import struct
import sys
import unicodedata
import zipfile
import zlib

import pytest

from gnet.data.datasets import open_dataset
from gnet.data.preview import preview
from support.folders import laid_out, picture, refused, zipped

APPLES, SUSHI = "Äpfel", "寿司"


def stored_as(path, names):
    """A zip of names as bytes without the flag for UTF-8, as many programs write it."""
    plain = ["qrs"[at] * len(name) for at, name in enumerate(names)]
    files = {f"{name}/{i}.png": picture(i) for name in plain for i in range(3)}
    content = zipped(path, files).read_bytes()
    for before, name in zip(plain, names, strict=True):
        content = content.replace(before.encode() + b"/", name + b"/")
    path.write_bytes(content)
    return path


def test_utf8_without_its_flag_is_utf8(tmp_path):
    names = [unicodedata.normalize("NFD", APPLES).encode(), SUSHI.encode(), b"pears"]
    found = preview(stored_as(tmp_path / "fruit.zip", names), size=32)
    assert [c.name for c in found.classes] == ["pears", APPLES, SUSHI]
    assert not any("encoding" in sentence for sentence in found.warnings)


def test_names_in_an_unknown_encoding_are_guessed_and_said(tmp_path):
    names = [APPLES.encode("cp437"), b"pears"]
    found = preview(stored_as(tmp_path / "fruit.zip", names), size=32)
    assert [c.name for c in found.classes] == ["pears", APPLES]
    assert "Some names are in an unknown encoding and may look wrong: Äpfel." in found.warnings


def test_a_name_in_utf8_beside_the_other_one_counts(tmp_path):
    path = tmp_path / "fruit.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("pears", "xpfel"):
            for i in range(3):
                entry = zipfile.ZipInfo(f"{name}/{i}.png")
                wanted = entry.filename.replace("x", "Ä").encode()
                checksum = zlib.crc32(entry.filename.encode())
                field = struct.pack("<BL", 1, checksum) + wanted
                entry.extra = struct.pack("<HH", 0x7075, len(field)) + field
                archive.writestr(entry, picture(i))
    assert open_dataset(path, "train").names == ("pears", APPLES)


def test_a_name_that_is_not_the_utf8_it_claims_to_be_is_a_sentence(tmp_path):
    files = {f"{APPLES}/{i}.png": picture(i) for i in range(3)}
    path = zipped(tmp_path / "bad.zip", files)
    path.write_bytes(path.read_bytes().replace(APPLES.encode()[:2], b"\xff\xfe"))
    assert "not the UTF-8 it claims to be" in refused(path)


def test_one_name_in_two_forms_of_unicode_is_one_class(source):
    other = unicodedata.normalize("NFD", APPLES)
    files = {f"train/{name}/{i}.png": picture(i) for name in (APPLES, "pears") for i in range(3)}
    files |= {f"val/{name}/{i}.png": picture(i) for name in (other, "pears") for i in range(2)}
    spec = source(files)
    assert open_dataset(spec, "train").names == ("pears", APPLES)
    assert open_dataset(spec, "val").counts == (2, 2)
    assert open_dataset(spec, "train", classes=(other, "pears")).counts == (3, 3)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have one form of a name")
def test_files_of_one_name_in_two_forms_both_count(source):
    forms = (APPLES, unicodedata.normalize("NFD", APPLES), "pears")
    files = {f"train/{name}/{i}.png": picture(i) for name in forms for i in range(3)}
    assert open_dataset(source(files | {"val/pears/1.png": picture()}), "train").counts == (3, 6)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems allow no such name")
def test_bytes_that_are_no_utf8_in_a_folder_are_guessed_and_said(tmp_path):
    folder = laid_out(tmp_path / "fruit", {f"pears/{i}.png": picture(i) for i in range(3)})
    odd = os.fsencode(folder) + b"/" + APPLES.encode("latin-1")
    os.mkdir(odd)
    for i in range(3):
        with open(odd + b"/%d.png" % i, "wb") as file:
            file.write(picture(i))
    found = preview(folder, size=32)
    assert [c.name for c in found.classes] == ["pears", APPLES]
    assert any("may look wrong: Äpfel." in sentence for sentence in found.warnings)


def test_colons_are_letters_like_others(source):
    files = {f"{name}/{i}.png": picture(i) for name in ("a: one", "b: two") for i in range(3)}
    assert open_dataset(source(files), "train").names == ("a: one", "b: two")


def test_the_folder_itself_may_be_named_in_a_zip(tmp_path):
    files = {f"./{name}/{i}.png": picture(i) for name in ("cat", "dog") for i in range(3)}
    dataset = open_dataset(zipped(tmp_path / "a.zip", {"./": b""} | files), "train")
    assert dataset.names == ("cat", "dog")


def test_of_two_entries_of_one_name_the_later_counts(tmp_path):
    files = {f"{name}/{i}.png": picture(i) for name in ("cat", "dog") for i in range(3)}
    path = zipped(tmp_path / "a.zip", files)
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(path, "a") as archive:
        archive.writestr("cat/0.png", picture(99))
    both = [open_dataset(path, split) for split in ("train", "val")]
    assert sum(len(part) for part in both) == 6
    assert 99 in [int(p[0, 0, 0]) for part in both for p in part.pictures]
