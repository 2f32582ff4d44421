"""The data set in the page: zips over http, what the form's keys mean, refusals as sentences."""

import json
import struct

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from folders import FLAT, SPLIT, laid_out, picture, zipped
from gnet.errors import GnetError
from gnet.offers import Offers
from gnet.run_limits import RunLimits
from gnet.train_config import TrainConfig

pytestmark = pytest.mark.usefixtures("gradio_environment")


@pytest.fixture
def offers(tmp_path):
    return Offers((laid_out(tmp_path / "allowed", FLAT),), tmp_path / "zips")


@pytest.fixture
def send(offers):
    """PUT a zip as the page does; status and answer."""
    from gnet.ui import zips

    with TestClient(Starlette(routes=zips.routes(offers))) as client:

        def put(content, name="pets.zip"):
            answer = client.put(f"/zip/{name}", content=content)
            return answer.status_code, answer.json()

        yield put


def bytes_of(tmp_path, files, method=0):
    return zipped(tmp_path / "made.zip", files, method).read_bytes()


def million_entries():
    entry = struct.pack("<4s6H3L5H2L", b"PK\x01\x02", *[0] * 9, 1, *[0] * 6) + b"a"
    listing = entry * 1_000_000
    return listing + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 9, 9, len(listing), 0, 0)


def locked(content):
    changed = bytearray(content)
    changed[content.index(b"PK\x01\x02") + 8] |= 1
    return bytes(changed)


def asked(offers):
    """What the form asks for with a key, as the Train tab makes it."""
    limits = RunLimits(folders=(offers._here["allowed"],), uploads=offers._uploads)

    def config(values):
        return limits.admitted(TrainConfig(data=offers.meant(values[0]), size=32))

    return config


def test_a_zip_is_kept_listed_and_looked_at(tmp_path, offers, send):
    from gnet.ui import data_tab

    status, answer = send(bytes_of(tmp_path, FLAT))
    assert (status, answer["label"]) == (200, "pets.zip (yours)")
    update = data_tab.listed(offers, {"keys": [answer["key"]]})
    assert update["value"] == answer["key"]
    assert update["choices"][-1] == ("pets.zip (yours)", answer["key"])
    assert ("allowed", "here:allowed") in update["choices"]
    *busy, last = map(json.loads, data_tab.looked_at(asked(offers), [answer["key"]]))
    assert busy == [{"busy": "Opening pictures …"}]
    assert last["train"] == 34 and last["made_split"] and str(tmp_path) not in json.dumps(last)
    assert last["sheet"].startswith("data:image/webp;base64,")


def test_an_allowed_folder_is_looked_at_without_its_place_being_told(tmp_path, offers):
    from gnet.ui import data_tab

    *_, last = data_tab.looked_at(asked(offers), ["here:allowed"])
    assert json.loads(last)["name"] == "allowed" and str(tmp_path) not in last


@pytest.mark.parametrize(
    "content, sentence",
    [
        (lambda p: bytes_of(p, SPLIT | {"../out.png": picture()}), "outside its folder"),
        (lambda p: million_entries(), "1,000,000 entries"),
        (lambda p: bytes_of(p, SPLIT | {"train/cat/x.png": bytes(30_000_000)}, 8), "200 times"),
        (lambda p: bytes_of(p, {"cat/1.png": picture(), "cat/2.png": picture()}), "one class"),
        (lambda p: bytes_of(p, FLAT | {"empty/": b""}), "class folder 'empty'"),
        (lambda p: bytes_of(p, {"1.png": picture()}), "no class folders"),
        (lambda p: b"not a zip at all", "is not a zip"),
        (lambda p: b"", "is not a zip"),
        (lambda p: locked(bytes_of(p, SPLIT)), "password"),
    ],
    ids=["outside", "entries", "bomb", "one", "empty", "none", "text", "nothing", "locked"],
)
def test_a_hostile_zip_is_refused_as_it_arrives_and_is_not_kept(
    tmp_path, offers, send, content, sentence
):
    status, answer = send(content(tmp_path))
    assert status == 422 and sentence in answer["error"]
    assert answer["error"].endswith(".") and str(tmp_path) not in answer["error"]
    assert list((tmp_path / "zips").iterdir()) == []


def test_a_zip_of_dots_is_refused_when_it_is_looked_at(tmp_path, offers, send):
    from gnet.ui import data_tab

    dots = {f"{n}/{i}.png": picture(size=(1, 1)) for n in "ab" for i in range(4)}
    _, answer = send(bytes_of(tmp_path, dots))
    with pytest.raises(GnetError, match="all were skipped: smaller than 8 px"):
        list(data_tab.looked_at(asked(offers), [answer["key"]]))


def test_a_zip_above_the_limit_is_refused_before_and_while_it_is_read(tmp_path, send, monkeypatch):
    from gnet import offers
    from gnet.ui import zips

    content = bytes_of(tmp_path, FLAT)
    monkeypatch.setattr(zips, "UPLOAD_BYTES", 1000)  # as if its length had not been told
    status, answer = send(content)
    assert status == 422 and "allowed are up to" in answer["error"]
    monkeypatch.setattr(offers, "UPLOAD_BYTES", 1000)
    status, answer = send(content)
    assert status == 422 and "allowed are up to" in answer["error"]
    assert list((tmp_path / "zips").iterdir()) == []


@pytest.mark.parametrize("given", [None, {}, {"keys": []}, {"keys": "x"}, {"keys": ["/etc"]}, 3])
def test_a_page_lists_only_zips_that_were_uploaded(offers, given):
    from gnet.ui import data_tab

    with pytest.raises(GnetError):
        data_tab.listed(offers, given)


def test_the_forms_first_value_is_a_key_and_never_a_path(tmp_path, offers):
    from gnet.ui import data_tab

    assert data_tab.filled(offers, ["here:allowed", 3]) == [str(tmp_path / "allowed"), 3]
    with pytest.raises(GnetError, match="what the list has"):
        data_tab.filled(offers, [str(tmp_path / "allowed"), 3])
