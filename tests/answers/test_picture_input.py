"""Which pictures a value of the page may name."""

import re
from pathlib import Path

import pytest

from gnet.answers.explorer import Explorer
from gnet.answers.picture_input import picture_of
from gnet.errors import GnetError
from support.pages import random_network


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "No picture was given"),
        ({}, "No picture was given"),
        ({"path": "/etc/passwd"}, "was not uploaded here"),
        ({"path": "../../etc/passwd"}, "was not uploaded here"),
        ({"path": "\0"}, "was not uploaded here"),
        ({"example": "dog"}, "There is no example 'dog'"),
        ({"example": ["cat"]}, "There is no example"),
        ({"example": "cat", "box": "all"}, "allowed are three numbers"),
        ({"example": "cat", "box": [1, 2]}, "allowed are three numbers"),
        ({"bytes": 40_000_000}, "has 40.0 MB"),
        ({"bytes": 10**400}, "MB; allowed are up to"),
        ({"example": "cat", "box": [10**400, 0, 1]}, "allowed are three numbers"),
        ({"folder": "holiday"}, "'holiday' is a folder"),
    ],
)
def test_the_page_may_only_name_what_was_uploaded(tmp_path, value, words: str) -> None:
    with pytest.raises(GnetError, match=re.escape(words)):
        picture_of(value, tmp_path)


def test_a_path_too_long_for_the_system_is_a_sentence(tmp_path) -> None:
    path = str(tmp_path / ("a" * 3000))
    with pytest.raises(GnetError, match="no longer here"):
        Explorer(random_network()).explore(picture_of({"path": path}, tmp_path))


def test_an_uploaded_file_may_be_named_and_nothing_else_by_its_path(tmp_path: Path) -> None:
    inside, outside = tmp_path / "uploads" / "a" / "cat.jpg", tmp_path / "cat.jpg"
    assert picture_of({"path": str(inside)}, tmp_path / "uploads").path == inside
    for path, uploads in ((outside, inside.parent), (inside.parent, inside.parent), (inside, None)):
        with pytest.raises(GnetError, match="not uploaded here"):
            picture_of({"path": str(path)}, uploads)
