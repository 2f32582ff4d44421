"""The data set in the page: zips over http, what the form's keys mean, refusals as sentences."""

import json

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from gnet.errors import GnetError
from gnet.runs.train_config import TrainConfig
from gnet.serving.limits import RunLimits
from gnet.serving.offers import Offers
from support.folders import FLAT, SPLIT, laid_out, million_entries, picture, zipped

pytestmark = pytest.mark.usefixtures("gradio_environment")


@pytest.fixture
def offers(tmp_path):
    return Offers((laid_out(tmp_path / "allowed", FLAT),), tmp_path / "zips")


@pytest.fixture
def send(offers):
    """PUT a zip as the page does; status and answer."""
    from gnet.ui.http import receiving

    with TestClient(Starlette(routes=[receiving.zips(offers)])) as client:

        def put(content, name="pets.zip"):
            answer = client.put(f"/zip/{name}", content=content)
            return answer.status_code, answer.json()

        yield put


def bytes_of(tmp_path, files, method=0):
    return zipped(tmp_path / "made.zip", files, method).read_bytes()


def locked(content):
    changed = bytearray(content)
    changed[content.index(b"PK\x01\x02") + 8] |= 1
    return bytes(changed)


def asked(offers, tmp_path, key):
    """The form's config with a data set's key, as the Train tab makes it."""
    limits = RunLimits(folders=(tmp_path / "allowed",), uploads=tmp_path / "zips")
    return lambda: limits.admitted(TrainConfig(data=offers.data_of(key), size=32))


def test_a_zip_is_kept_listed_and_looked_at(tmp_path, offers, send):
    from gnet.ui.train import data as data_tab

    status, answer = send(bytes_of(tmp_path, FLAT))
    assert (status, answer["label"]) == (200, "pets.zip (yours)")
    update = data_tab.listed(offers, [answer["key"]])
    assert update["value"] == answer["key"]
    assert update["choices"][-1] == ("pets.zip (yours)", answer["key"])
    assert ("allowed", "here:allowed") in update["choices"]
    *busy, last = map(
        json.loads, data_tab.looked_at(offers, asked(offers, tmp_path, answer["key"]))
    )
    assert busy == [{"busy": "Opening pictures …"}]
    assert last["split"].startswith("34 training pictures") and str(tmp_path) not in json.dumps(
        last
    )
    assert last["sheet"].startswith("data:image/webp;base64,")


def test_an_allowed_folder_is_looked_at_without_its_place_being_told(tmp_path, offers):
    from gnet.ui.train import data as data_tab

    *_, last = data_tab.looked_at(offers, asked(offers, tmp_path, "here:allowed"))
    assert json.loads(last)["name"] == "allowed" and str(tmp_path) not in last


@pytest.mark.parametrize(
    "content, sentence",
    [
        (lambda p: bytes_of(p, SPLIT | {"../out.png": picture()}), "outside its folder"),
        (lambda p: million_entries(p / "many.zip").read_bytes(), "1,000,000 entries"),
        (lambda p: bytes_of(p, SPLIT | {"train/cat/x.png": bytes(30_000_000)}, 8), "200 times"),
        (lambda p: bytes_of(p, {"cat/1.png": picture(), "cat/2.png": picture()}), "one class"),
        (lambda p: bytes_of(p, {"1.png": picture()}), "no class folders"),
        (lambda p: b"not a zip at all", "is not a zip"),
        (lambda p: b"", "is not a zip"),
        (lambda p: locked(bytes_of(p, SPLIT)), "password"),
    ],
    ids=["outside", "entries", "bomb", "one", "none", "text", "nothing", "locked"],
)
def test_a_hostile_zip_is_refused_as_it_arrives_and_is_not_kept(
    tmp_path, offers, send, content, sentence
):
    status, answer = send(content(tmp_path))
    assert status == 422 and sentence in answer["error"]
    assert answer["error"].endswith(".") and str(tmp_path) not in answer["error"]
    assert list((tmp_path / "zips").iterdir()) == []


def test_a_zip_of_dots_is_refused_when_it_is_looked_at(tmp_path, offers, send):
    from gnet.ui.train import data as data_tab

    dots = {f"{n}/{i}.png": picture(size=(1, 1)) for n in "ab" for i in range(4)}
    _, answer = send(bytes_of(tmp_path, dots))
    *_, last = data_tab.looked_at(offers, asked(offers, tmp_path, answer["key"]))
    refused = json.loads(last)["refused"]
    assert "all were skipped: smaller than 8 px" in refused and refused.endswith(".")


def training(answer: str) -> int:
    """The training pictures that a preview counts."""
    return int(json.loads(answer)["split"].split()[0])


def test_a_data_set_is_opened_again_only_when_its_files_are_others(tmp_path, offers, monkeypatch):
    from gnet.ui.train import data as data_tab

    opened = []
    preview = data_tab.preview
    monkeypatch.setattr(
        data_tab, "preview", lambda *given, **how: opened.append(given) or preview(*given, **how)
    )
    data_tab._previewed.cache_clear()
    answers = [
        list(data_tab.looked_at(offers, asked(offers, tmp_path, "here:allowed")))[-1]
        for _ in range(3)
    ]
    assert len(opened) == 1 and len(set(answers)) == 1
    (tmp_path / "allowed" / "cat" / "new.png").write_bytes(picture(3))
    *_, last = data_tab.looked_at(offers, asked(offers, tmp_path, "here:allowed"))
    assert len(opened) == 2 and training(last) > training(answers[0])


def in_parts(content, size=1000):
    """A body that is sent chunked: nobody says how long it is."""
    yield from (content[at : at + size] for at in range(0, len(content), size))


@pytest.mark.parametrize("sent", [bytes, in_parts], ids=["told", "chunked"])
def test_a_zip_above_the_limit_is_refused_whether_its_length_is_told_or_not(
    tmp_path, offers, send, sent
):
    offers.zip_bytes = 1000
    status, answer = send(sent(bytes_of(tmp_path, FLAT)))
    assert status == 422 and "allowed are up to" in answer["error"]
    assert list(tmp_path.glob("zips/*")) == []


@pytest.mark.parametrize("sent", [bytes, in_parts], ids=["told", "chunked"])
def test_zips_for_which_there_is_no_room_are_refused_whether_their_length_is_told_or_not(
    tmp_path, offers, send, sent
):
    content = bytes_of(tmp_path, FLAT)
    offers.zips_bytes = 2 * len(content)
    assert send(content)[0] == 200
    assert send(sent(content))[0] == 200
    status, answer = send(sent(content))
    assert (status, answer["error"]) == (
        422,
        "There is no room for another zip now; zips are deleted after an hour, so try again later.",
    )
    assert len(list((tmp_path / "zips").iterdir())) == 2


def test_zips_on_their_way_count_with_what_they_were_promised(tmp_path):
    offers = Offers((), tmp_path / "zips", zips_bytes=2500)
    first, second = offers.reserve("a.zip", 1000), offers.reserve("b.zip", 0)
    offers.check_received(second, 1500)
    with pytest.raises(GnetError, match="no room for another zip"):
        offers.check_received(second, 1501)
    offers.discard(first)
    offers.check_received(second, 1501)


@pytest.mark.parametrize("given", [None, {}, [], "x", ["/etc"], 3])
def test_a_page_lists_only_zips_that_were_uploaded(offers, given):
    from gnet.ui.train import data as data_tab

    with pytest.raises(GnetError):
        data_tab.listed(offers, given)


def test_the_forms_pictures_are_a_key_and_never_a_path(tmp_path, offers):
    from gnet.ui.train import data as data_tab

    meant = data_tab.with_data(offers, {"data": "here:allowed", "size": 3})
    assert meant == {"data": str(tmp_path / "allowed"), "size": 3}
    with pytest.raises(GnetError, match="from the list"):
        data_tab.with_data(offers, {"data": str(tmp_path / "allowed"), "size": 3})
