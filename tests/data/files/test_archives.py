"""Zips and folders: the hostile ones are refused in a sentence, and nothing is written."""

import os
import stat
import struct
import time
import zipfile
from collections import Counter

import numpy as np
import pytest

from gnet.data.datasets import open_dataset
from gnet.data.files.archives import Limits
from gnet.errors import GnetError
from support.folders import FLAT, SPLIT, laid_out, picture, reds, refused, zipped


@pytest.mark.parametrize(
    "name", ["../out.png", "train/../../out.png", "/../out.png", "a\\..\\..\\b.png"]
)
def test_a_zip_with_a_name_outside_its_folder_is_refused(tmp_path, name):
    sentence = refused(zipped(tmp_path / "bad.zip", SPLIT | {name: picture()}))
    assert "outside its folder" in sentence and "bad.zip" in sentence
    assert [path.name for path in tmp_path.iterdir()] == ["bad.zip"]


@pytest.mark.parametrize("name", ["/train/cat/1.png", "C:\\cat\\1.png", "d:/1.png"])
def test_an_absolute_path_in_a_zip_is_called_one(tmp_path, name):
    sentence = refused(zipped(tmp_path / "bad.zip", SPLIT | {name: picture()}))
    assert sentence == (
        f"The zip bad.zip holds an absolute path ({name}); allowed are plain names such as "
        "train/cat/1.jpg."
    )


def test_a_name_with_a_zero_byte_is_called_one(tmp_path):
    path = zipped(tmp_path / "bad.zip", SPLIT | {"train/cat/a|b.png": picture()})
    path.write_bytes(path.read_bytes().replace(b"a|b", b"a\0b"))
    assert "a name with a zero byte" in refused(path)


def test_a_zip_writes_nothing_to_disk(tmp_path):
    open_dataset(zipped(tmp_path / "good.zip", SPLIT), "train")
    assert [path.name for path in tmp_path.iterdir()] == ["good.zip"]


def test_a_zip_with_a_link_is_refused(tmp_path):
    link = zipfile.ZipInfo("train/cat/link.png")
    link.create_system = 3
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    path = zipped(tmp_path / "bad.zip", SPLIT)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(link, "/etc/passwd")
    assert "link" in refused(path)


def test_a_zip_that_claims_a_million_entries_is_refused_at_once(tmp_path):
    path = zipped(tmp_path / "million.zip", SPLIT)
    content = path.read_bytes()
    end = content.rindex(b"PK\x05\x06")
    length, offset = struct.unpack("<LL", content[end + 12 : end + 20])
    record = struct.pack(
        "<4sQHHLLQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, *[10**6] * 2, length, offset
    )
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, end, 1)
    path.write_bytes(content[:end] + record + locator + content[end:])
    start = time.perf_counter()
    sentence = refused(path)
    assert "1,000,000 entries" in sentence and "200,000" in sentence
    assert time.perf_counter() - start < 0.5


def test_a_zip_of_a_million_real_entries_is_refused_quickly(tmp_path):
    """Its end record lies about their number, as the old 16-bit field must."""
    entry = struct.pack("<4s6H3L5H2L", b"PK\x01\x02", *[0] * 9, 1, *[0] * 6) + b"a"
    path = tmp_path / "million.zip"
    listing = entry * 1_000_000
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 9, 9, len(listing), 0, 0)
    path.write_bytes(listing + end)
    start = time.perf_counter()
    assert "1,000,000 entries" in refused(path)
    assert time.perf_counter() - start < 2
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 9, 9, 3_000_000_000, 0, 0)
    path.write_bytes(listing + end)
    assert "list of contents" in refused(path)


def test_a_folder_of_too_many_files_is_refused(source):
    assert "allowed are up to 30" in refused(source(FLAT), limits=Limits(entries=30))


def test_a_zip_with_a_password_is_refused(tmp_path):
    path = zipped(tmp_path / "bad.zip", SPLIT)
    content = bytearray(path.read_bytes())
    at = content.index(b"PK\x01\x02")
    content[at + 8] |= 1
    path.write_bytes(content)
    assert "password" in refused(path)


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path):
    bomb = SPLIT | {"train/cat/bomb.png": bytes(30_000_000)}
    assert "200 times" in refused(zipped(tmp_path / "bomb.zip", bomb, zipfile.ZIP_DEFLATED))
    assert "30 MB" in refused(
        zipped(tmp_path / "big.zip", bomb), limits=Limits(entry_bytes=20_000_000)
    )
    assert "unpacks to more" in refused(
        zipped(tmp_path / "big.zip", bomb), limits=Limits(total_bytes=20_000_000)
    )


def test_an_entry_larger_than_it_claims_is_skipped_as_damaged(tmp_path):
    path = zipped(tmp_path / "liar.zip", SPLIT | {"train/cat/x.png": bytes(9_999)})
    content = path.read_bytes().replace(struct.pack("<L", 9_999), struct.pack("<L", 99))
    path.write_bytes(content)
    assert open_dataset(path, "train").skipped == {"damaged or cut off": 1}


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_compression_that_cannot_be_bounded_is_refused(tmp_path, method):
    assert "unusual" in refused(zipped(tmp_path / "odd.zip", SPLIT, method))


def test_a_deflated_zip_is_read_like_a_stored_one(tmp_path):
    path = zipped(tmp_path / "good.zip", SPLIT, zipfile.ZIP_DEFLATED)
    assert reds(open_dataset(path, "train")) == [0, 1, 2, 10, 11]


@pytest.mark.parametrize("keep", [0, 10, 200, -30])
def test_a_cut_off_zip_is_refused(tmp_path, keep):
    path = zipped(tmp_path / "cut.zip", SPLIT)
    path.write_bytes(path.read_bytes()[:keep])
    assert "not a zip" in refused(path)


def test_bytes_changed_anywhere_in_a_zip_give_a_data_set_or_a_sentence(tmp_path):
    content = zipped(tmp_path / "good.zip", SPLIT, zipfile.ZIP_DEFLATED).read_bytes()
    random = np.random.default_rng(0)
    path = tmp_path / "changed.zip"
    outcomes = Counter()
    for _ in range(150):
        changed = bytearray(content)
        for at in random.integers(len(content) // 2, len(content), 3):
            changed[at] = random.integers(256)
        path.write_bytes(changed)
        try:
            open_dataset(path, "train")
            outcomes["read"] += 1
        except GnetError:
            outcomes["refused"] += 1
    assert outcomes["read"] and outcomes["refused"]


def test_a_folder_that_links_to_itself_is_refused(tmp_path):
    folder = laid_out(tmp_path / "pets", SPLIT)
    (folder / "train" / "again").symlink_to(folder, target_is_directory=True)
    assert "nested too deeply" in refused(folder)


def test_a_file_too_large_to_decode_is_skipped_in_a_folder(tmp_path):
    folder = laid_out(tmp_path / "pets", SPLIT | {"train/cat/big.png": bytes(9_999)})
    dataset = open_dataset(folder, "train", limits=Limits(entry_bytes=5_000))
    assert dataset.skipped == {"file too large": 1}
    assert reds(dataset) == [0, 1, 2, 10, 11]


def test_a_pipe_a_device_and_a_broken_link_are_skipped_and_counted(tmp_path):
    folder = laid_out(tmp_path / "pets", SPLIT)
    os.mkfifo(folder / "train" / "cat" / "pipe.png")
    os.mkfifo(folder / "classes.json")
    (folder / "train" / "dog" / "device.png").symlink_to("/dev/zero")
    (folder / "train" / "dog" / "lost.png").symlink_to("nowhere.png")
    dataset = open_dataset(folder, "train")
    assert dataset.skipped == {"a pipe or a device": 2, "unreadable file": 1}
    assert reds(dataset) == [0, 1, 2, 10, 11]


def test_a_pipe_given_as_a_data_set_is_no_zip(tmp_path):
    os.mkfifo(tmp_path / "pets.zip")
    assert "not a zip" in refused(tmp_path / "pets.zip")


def test_a_zip_whose_large_end_record_is_missing_is_refused(tmp_path):
    """The locator of a zip64 promises a record before it."""
    path = zipped(tmp_path / "bad.zip", SPLIT)
    content = path.read_bytes()
    end = content.rindex(b"PK\x05\x06")
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, end, 1)
    path.write_bytes(content[:end] + locator + content[end:])
    assert "not a zip" in refused(path)
