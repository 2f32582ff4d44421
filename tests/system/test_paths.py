"""A ~ is understood where there is such a home; viewers are told no folders."""

from pathlib import Path

import pytest

from gnet.system.paths import expanded, without_paths


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Cannot write /srv/runs/a/events.jsonl (full).", "Cannot write events.jsonl (full)."),
        (
            "There is no data set '/srv/my cats/all of them.zip'.",
            "There is no data set 'all of them.zip'.",
        ),
        ('There is no data set "/srv/a b/c".', 'There is no data set "c".'),
        (
            "[Errno 2] No such file or directory: '/no/such'",
            "[Errno 2] No such file or directory: 'such'",
        ),
        ("Its folder ~/runs/x and ~somebody/y; both.", "Its folder x and y; both."),
        ("C:\\Users\\me\\x.zip is damaged", "x.zip is damaged"),
        ("one of /a/b.zip, /c/d.zip: two", "one of b.zip, d.zip: two"),
        ("it took 3/4 of 5 km/h and/or 24 / 30 at http://x.example/a/b", None),
        ("aux1/aux2 are 'a/b'; allowed is 2.5.", None),
        ("give a whole zip of train/<class>/* or <class>/*.", None),
        ("", None),
    ],
)
def test_only_the_last_name_of_a_path_is_shown_and_other_text_stays(text, shown):
    assert without_paths(text) == (text if shown is None else shown)


def test_a_known_folder_may_hold_spaces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = tmp_path / "my runs"
    text = f"Cannot write {folder}/abc/state.safetensors (No space left on device)."
    assert (
        without_paths(text, folder) == "Cannot write state.safetensors (No space left on device)."
    )
    monkeypatch.chdir(tmp_path)
    assert without_paths(text, Path("my runs")) == without_paths(text, folder)
    assert without_paths("in my runs/abc/state", Path("my runs")) == "in state"


def test_a_home_is_expanded_and_one_that_nobody_has_stays_as_it_is(monkeypatch):
    monkeypatch.setenv("HOME", "/somewhere")
    assert expanded("~/data") == Path("/somewhere/data")
    assert expanded("~no-such-user/data") == Path("~no-such-user/data")
