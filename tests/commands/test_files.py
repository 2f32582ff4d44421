"""The commands that write files to keep: export, assets."""

import json


def test_assets_names_the_files_it_wrote(answer, monkeypatch, tmp_path):
    monkeypatch.setattr(
        "gnet.answers.examples.build", lambda: [tmp_path / "a.json", tmp_path / "b"]
    )
    assert answer("assets") == {"files": [str(tmp_path / "a.json"), str(tmp_path / "b")]}


def test_export_writes_json_and_says_where(weights, answer, tmp_path):
    out = tmp_path / "net.json"
    told = answer("export", "--format", "json", "--weights", weights, "--out", out)
    assert told == {"file": str(out), "bytes": out.stat().st_size}
    assert json.loads(out.read_text())
