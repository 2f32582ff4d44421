"""The data sets a server offers: people name them by keys and never by where they lie."""

import os
import time

import pytest

from gnet.data.datasets import open_dataset
from gnet.errors import GnetError
from gnet.runs.train_config import TrainConfig
from gnet.serving.limits import RunLimits
from gnet.serving.offers import Offers, cleaned_file_name, with_own_zip
from gnet.serving.run_card import new_token
from gnet.serving.runs import Runs
from gnet.ui.http.uploads import sweep
from support.folders import FLAT, SPLIT, laid_out, zipped


def given(offers, files, name="pets.zip"):
    """The key of a zip that was uploaded."""
    return offers.accept(zipped(offers.reserve(name, 1000), files))


def test_allowed_folders_are_listed_by_name_alone(tmp_path):
    one, two = laid_out(tmp_path / "a" / "pets", FLAT), laid_out(tmp_path / "b" / "pets", FLAT)
    offers = Offers((one, two))
    assert offers.choices() == [("pets", "here:pets"), ("pets 2", "here:pets 2")]
    assert offers.data_of("here:pets 2") == str(two)


@pytest.mark.parametrize(
    "key",
    [
        "/etc",
        "here:/etc",
        "here:",
        "sets",
        "uploaded:..",
        "uploaded:",
        "",
        None,
        3,
        ["x"],
        "uploaded:../../../../../etc/p",
        "here:pets/../x",
    ],
)
def test_what_is_not_offered_is_refused_whatever_it_names(tmp_path, key):
    offers = Offers((laid_out(tmp_path / "sets", FLAT),), tmp_path / "zips")
    with pytest.raises(GnetError, match="choose a data set from the list"):
        offers.data_of(key)


def test_known_names_stand_for_themselves():
    assert [Offers().data_of(name) for name in ("built-in", "cifar10")] == ["built-in", "cifar10"]


def test_an_uploaded_zip_is_named_by_a_key_that_nobody_guesses(tmp_path):
    offers = Offers((), tmp_path / "zips")
    first, second = given(offers, FLAT), given(offers, FLAT)
    assert first != second and len(first) > 30
    assert offers.label(first) == "pets.zip (yours)"
    assert open_dataset(offers.data_of(first), "train").counts == (17, 17)


def test_a_zip_that_is_no_data_set_is_deleted_at_once(tmp_path):
    offers = Offers((), tmp_path / "zips")
    with pytest.raises(GnetError, match="outside its folder"):
        given(offers, SPLIT | {"../out.png": b""})
    assert list((tmp_path / "zips").iterdir()) == []


def test_zips_are_refused_where_they_are_too_large_or_there_is_no_room(tmp_path):
    with pytest.raises(GnetError, match="takes no zips"):
        Offers().reserve("a.zip", 1)
    offers = Offers((), tmp_path / "zips")
    with pytest.raises(GnetError, match="has 301 MB; allowed are up to 300 MB"):
        offers.reserve("a.zip", 301_000_000)
    given(offers, FLAT)
    offers.zips_bytes = 2000
    with pytest.raises(GnetError, match="no room for another zip"):
        offers.reserve("a.zip", 1000)


@pytest.mark.parametrize(
    "name, kept",
    [
        ("pets.zip", "pets.zip"),
        ("../../x.ZIP", "x.zip"),
        ("C:\\a\\b c.zip", "b-c.zip"),
        ("", "pictures.zip"),
        ("...", "pictures.zip"),
        ("Tiere für alle.zip", "Tiere-für-alle.zip"),
    ],
)
def test_names_of_zips_are_plain_and_stay_in_their_folder(name, kept):
    assert cleaned_file_name(name) == kept


def test_a_run_keeps_its_zip_when_the_upload_is_swept(tmp_path):
    uploads = tmp_path / "zips"
    offers = Offers((), uploads)
    key = given(offers, FLAT)
    runs = Runs(tmp_path / "runs", RunLimits(uploads=uploads))
    (tmp_path / "runs").mkdir()
    config = TrainConfig(data=offers.data_of(key), size=32)
    run_id = runs.start(config, name="mine", owner=new_token())
    old = time.time() - 4000
    for path in uploads.rglob("*"):
        os.utime(path, (old, old))
    sweep(uploads)
    with pytest.raises(GnetError, match="deleted, as zips are after an hour"):
        offers.data_of(key)
    kept = runs.shelf.run_folder(run_id).config().data
    assert kept == str(tmp_path / "runs" / run_id / "pets.zip")
    assert len(open_dataset(kept, "train")) == 34
    (row,) = runs.shelf.list(new_token(), [run_id])
    assert row["config"]["data"] == "pets.zip"


def test_a_zip_on_another_disk_is_copied(tmp_path, monkeypatch):
    def refuse(*paths):
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    (tmp_path / "zips").mkdir()
    source = zipped(tmp_path / "zips" / "x.zip", FLAT)
    config = with_own_zip(TrainConfig(data=str(source)), tmp_path / "zips", tmp_path / "run")
    assert open_dataset(config.data, "val").counts == (3, 3)


def test_a_zip_that_is_gone_starts_no_run(tmp_path):
    config = TrainConfig(data=str(tmp_path / "zips" / "x.zip"))
    with pytest.raises(GnetError, match="upload it again"):
        with_own_zip(config, tmp_path / "zips", tmp_path / "run")


def test_other_data_stay_where_they_are(tmp_path):
    for data in ("built-in", str(tmp_path / "x.zip")):
        config = TrainConfig(data=data)
        assert with_own_zip(config, tmp_path / "zips", tmp_path / "run") is config
    assert not (tmp_path / "run").exists()
