"""Requests in a file: written whole, and refused where no run could follow them."""

import json

import pytest

from gnet.errors import GnetError
from gnet.runs.control import Requests, read_requests, request, write_requests


def test_requests_survive_their_file(tmp_path):
    requests = Requests(pause=True, steps=3, stop=True, learning_rate=0.1 + 0.2, aux2_weight=0.0)
    write_requests(tmp_path / "w", requests)
    assert read_requests(tmp_path / "w") == requests


def test_a_request_leaves_the_others_as_they_are_and_a_step_counts_once_a_run_is_paused(tmp_path):
    request(tmp_path / "w", learning_rate=0.5)
    request(tmp_path / "w", pause=True, step=True)
    assert read_requests(tmp_path / "w") == Requests(pause=True, learning_rate=0.5)
    request(tmp_path / "w", pause=True, step=True)
    request(tmp_path / "w", stop=True)
    expected = Requests(pause=True, steps=1, stop=True, learning_rate=0.5)
    assert read_requests(tmp_path / "w") == expected


def test_without_a_file_nothing_is_requested(tmp_path):
    assert read_requests(tmp_path / "none") == Requests()


@pytest.mark.parametrize(
    "wrong",
    [
        {"pause": 1},
        {"stop": "yes"},
        {"steps": -1},
        {"steps": 1.5},
        {"steps": True},
        {"steps": 10**400},
        {"learning_rate": -1.0},
        {"learning_rate": float("nan")},
        {"learning_rate": "fast"},
        {"aux1_weight": 11.0},
        {"aux2_weight": True},
    ],
    ids=str,
)
def test_a_request_no_run_can_follow_is_one_sentence(wrong, tmp_path):
    with pytest.raises(GnetError, match=r"; allowed are .*\.$"):
        Requests(**wrong)
    (tmp_path / "w").write_text(json.dumps(wrong))
    with pytest.raises(GnetError):
        read_requests(tmp_path / "w")


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '{"mood": 1}', "\ud800"])
def test_a_file_of_anything_else_is_refused(text, tmp_path):
    (tmp_path / "w").write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(GnetError, match="allowed"):
        read_requests(tmp_path / "w")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ('{"pause": true}'.encode("utf-16"), 'is written in UTF-16; allowed is UTF-8, as {"pause"'),
        ('{"pause": true}'.encode("utf-16-le"), "is written in UTF-16"),
        ('{"aux": "ä"}'.encode("latin-1"), "is not written in UTF-8"),
        (b"{'pause': true}", "is not JSON (Expecting property name enclosed in double quotes"),
        (b"[" * 100_000, "is not JSON"),
        (b'"pause"', "holds pause; allowed is an object"),
        (b'{"stopp": true, "pause": true}', "requests stopp; allowed are pause, steps, stop, lea"),
        (b'{"learning_rate": 1000}', "learning_rate is 1000; allowed are numbers from 0 to 100"),
        (b'{"aux1_weight": -Infinity}', "aux1_weight is -inf; allowed are numbers from 0 to 10"),
        (b'{"stop": null}', "allowed are true and false"),
    ],
)
def test_a_file_that_a_person_wrote_otherwise_is_one_sentence(content, sentence, tmp_path):
    (tmp_path / "control.json").write_bytes(content)
    with pytest.raises(GnetError) as caught:
        read_requests(tmp_path / "control.json")
    said = str(caught.value)
    assert sentence in said and str(tmp_path / "control.json") in said
    assert said.endswith(".") and "\n" not in said and len(said) < 400


def test_the_mark_that_some_editors_put_before_utf_8_is_passed_over(tmp_path):
    (tmp_path / "w").write_bytes(b"\xef\xbb\xbf" + b'{"pause": true}')
    assert read_requests(tmp_path / "w") == Requests(pause=True)
