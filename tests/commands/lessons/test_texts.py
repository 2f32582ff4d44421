"""The command `lessons`: what there is, a file checked, what a lesson may name."""

import json

from gnet.answers.lessons.figures import FIGURES
from gnet.answers.lessons.reader import FOLDER, drawings


def test_the_lessons_are_listed(answer):
    assert [one["name"] for one in answer("lessons")] == [
        "what-a-branch-sees",
        "which-branch-matters",
        "early-and-late",
        "train-one-break-one",
    ]


def test_a_file_is_checked(answer, refusal, tmp_path):
    (one,) = answer("lessons", "check", FOLDER / "early-and-late.json")
    assert one["title"] == "Early and late"
    broken = json.loads((FOLDER / "early-and-late.json").read_text(encoding="utf-8"))
    broken["steps"][1]["question"]["kind"] = "essay"
    (tmp_path / "mine.json").write_text(json.dumps(broken))
    said = refusal("lessons", "check", tmp_path / "mine.json")
    assert "mine.json, step 2, question, kind is 'essay'" in said
    assert "one or more" in refusal("lessons", "check")
    assert "allowed are list, check" in refusal("lessons", "grade")


def test_what_a_lesson_may_name_is_listed(answer):
    assert len(answer("lessons", "figures")) == len(FIGURES)
    assert answer("lessons", "drawings") == list(drawings())
