"""Lessons from their files: every field is checked, and a mistake is one sentence that names it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from gnet.answers.examples import EXAMPLES
from gnet.answers.lessons.figures import PLACEHOLDER, ids_of, parse_figure
from gnet.answers.lessons.lesson import KINDS, Lesson, Question, Step
from gnet.errors import FieldError, GnetError
from gnet.explain.ablation import check_switches
from gnet.network.config import HEADS, STAGES
from gnet.runs.experiments import EXPERIMENTS
from gnet.system.assets import ASSETS
from gnet.system.paths import regular
from gnet.words import cut, listed

FOLDER = ASSETS / "lessons"
MOST_BYTES = 100_000
MOST_STEPS = 12
LENGTHS = {"title": 50, "intro": 400, "heading": 60, "text": 700, "ask": 200, "after": 500}
"""Field → most letters; so that a step fits beside the page and a lesson on one sheet."""
_SHARED = ("shared", "review", "lessons")
"""Folders of drawings that are no screens."""


def screens() -> tuple[str, ...]:
    """The page's screens, which are the folders of their drawings."""
    folders = (path.name for path in sorted((ASSETS / "components").iterdir()) if path.is_dir())
    return tuple(name for name in folders if name not in _SHARED)


def drawings() -> tuple[str, ...]:
    """What a step may look at or hide, as `explore/diagram`."""
    return tuple(
        f"{screen}/{path.parent.name}"
        for screen in screens()
        for path in sorted((ASSETS / "components" / screen).glob("*/*.html"))
    )


GO: dict[str, tuple[str, ...]] = {
    "tab": screens(),
    "module": STAGES,
    "head": HEADS,
    "picture": tuple(EXAMPLES),
    "lanes": ("share", "worth", "account"),
    "experiment": tuple(EXPERIMENTS),
}
"""What `go` may set beside `switches` → its values."""


def read_lessons(folders: Iterable[Path] = ()) -> dict[str, Lesson]:
    """The shipped lessons and those of `folders`, by name; a later one replaces an earlier one.

    Raises `GnetError` for a folder that cannot be read or a file with a mistake.
    """
    found: dict[str, Lesson] = {}
    for folder in (FOLDER, *folders):
        if not folder.is_dir():
            raise GnetError(f"{folder} is no folder; give one that holds lessons, as *.json.")
        for path in sorted(folder.glob("*.json")):
            found[path.stem] = read_lesson(path)
    return dict(sorted(found.items(), key=lambda pair: (pair[1].place, pair[0])))


def read_lesson(path: str | Path) -> Lesson:
    """The lesson in a file; raises `GnetError` with a sentence about the first mistake."""
    path = Path(path)
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*\.json", path.name):
        allowed = "small letters, digits and hyphens before .json"
        raise FieldError("name of the lesson's file", cut(path.name), allowed)
    try:
        content = regular(path).read_bytes()
    except OSError as error:
        reason = error.strerror or str(error)
        raise GnetError(f"Cannot read {path} ({reason}); give a lesson's file.") from error
    if len(content) > MOST_BYTES:
        raise FieldError(f"size of {path.name}", len(content), f"{MOST_BYTES:,} bytes at most")
    return parse_lesson(content, path.name)


def parse_lesson(content: bytes, file: str) -> Lesson:
    """The lesson that a file's content describes; `file` is its name, for messages."""
    try:
        record = json.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise GnetError(f"{file} is no text in UTF-8; save it as UTF-8.") from error
    except (json.JSONDecodeError, RecursionError) as error:
        place = f" in line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise GnetError(f"{file} is no JSON: there is a mistake{place}.") from error
    fields = _Fields(record, file, ("title", "minutes", "intro", "steps"), ("place",))
    steps = fields.record["steps"]
    if not isinstance(steps, list) or not 1 <= len(steps) <= MOST_STEPS:
        given = len(steps) if isinstance(steps, list) else steps
        raise FieldError(f"{file}, steps", given, f"lists of 1 to {MOST_STEPS} steps")
    return Lesson(
        name=file.removesuffix(".json"),
        title=fields.text("title"),
        minutes=int(fields.number("minutes", 1, 90)),
        intro=fields.text("intro"),
        steps=tuple(_step(one, f"{file}, step {n}") for n, one in enumerate(steps, 1)),
        place=int(fields.number("place", 1, 99, otherwise=50)),
    )


class _Fields:
    """The fields of one object in a lesson's file; `where` begins each message."""

    def __init__(
        self, record: Any, where: str, needed: tuple[str, ...], also: tuple[str, ...] = ()
    ) -> None:
        self.where = where
        if not isinstance(record, dict):
            raise FieldError(where, cut(record), f"objects with {listed(needed)}")
        for name in record:
            if name not in (*needed, *also):
                raise FieldError(f"{where}, field", cut(name), listed((*needed, *also)))
        for name in needed:
            if name not in record:
                raise FieldError(f"{where}, {name}", "missing", f"objects with {listed(needed)}")
        self.record = record

    def text(self, name: str) -> str:
        """A text of some letters, its figures checked; empty where it is left out."""
        value = self.record.get(name, "")
        place = f"{self.where}, {name}"
        most = LENGTHS[name]
        if not isinstance(value, str) or (name in self.record and not value.strip()):
            raise FieldError(place, cut(value), f"texts of up to {most} letters")
        if len(value) > most:
            raise FieldError(place, f"{len(value)} letters long", f"up to {most} letters")
        for found in PLACEHOLDER.finditer(value):
            parse_figure(found[1], place)
        if set("{}") & set(PLACEHOLDER.sub("", value)):
            raise FieldError(place, cut(value), "braces only around a figure, as {share: 3a, 5x5}")
        return value

    def number(self, name: str, low: float, high: float, otherwise: float = 0.0) -> float:
        """A number within a range; `otherwise` where it is left out."""
        value = self.record.get(name, otherwise)
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or (name in self.record and not low <= value <= high):
            raise FieldError(f"{self.where}, {name}", cut(value), f"numbers from {low} to {high:g}")
        return value

    def names(self, name: str, allowed: tuple[str, ...]) -> tuple[str, ...]:
        """A list of some of `allowed`; any texts where it is empty."""
        value = self.record.get(name, [])
        place = f"{self.where}, {name}"
        if not isinstance(value, list):
            raise FieldError(place, cut(value), f"lists of {listed(allowed)}")
        for one in value:
            if not isinstance(one, str) or one not in allowed:
                raise FieldError(place, cut(one), listed(allowed))
        return tuple(value)


def _step(record: Any, where: str) -> Step:
    optional = ("go", "look", "hide", "question", "after")
    fields = _Fields(record, where, ("heading", "text"), optional)
    asked = record.get("question")
    question = None if asked is None else _question(asked, f"{where}, question")
    look = record.get("look", "")
    if look and look not in drawings():
        raise FieldError(f"{where}, look", cut(look), listed(drawings(), "or"))
    if question is None and ("after" in record or "hide" in record):
        name = "after" if "after" in record else "hide"
        raise FieldError(f"{where}, {name}", cut(record[name]), "steps with a question alone")
    step = Step(
        heading=fields.text("heading"),
        text=fields.text("text"),
        go=_go(record.get("go", ""), f"{where}, go"),
        look=look,
        hide=fields.names("hide", drawings()),
        question=question,
        after=fields.text("after"),
    )
    _check_not_given_away(step, where)
    return step


def _check_not_given_away(step: Step, where: str) -> None:
    """The figure that is asked for may stand in `after` alone."""
    if step.question is None:
        return
    answer = parse_figure(step.question.figure, where)
    for name, text in (("text", step.text), ("question, ask", step.question.ask)):
        for found in PLACEHOLDER.finditer(text):
            if parse_figure(found[1], where) == answer:
                allowed = "other figures than the one asked for, which belongs in after"
                raise FieldError(f"{where}, {name}", found[0], allowed)


def _question(record: Any, where: str) -> Question:
    fields = _Fields(record, where, ("kind", "ask", "figure"), ("choices", "tolerance"))
    kind, written = record["kind"], record["figure"]
    if kind not in KINDS:
        raise FieldError(f"{where}, kind", cut(kind), listed(KINDS))
    if not isinstance(written, str):
        raise FieldError(f"{where}, figure", cut(written), "names of figures, as share: 3a, 5x5")
    figure, places = parse_figure(written, f"{where}, figure")
    numeric = figure.unit is not None
    if numeric != (kind == "number"):
        allowed = "questions of the kind number" if numeric else "questions of choice or order"
        raise FieldError(f"{where}, kind", kind, f"for the figure {figure.name} {allowed}")
    ids = ids_of(figure, places)
    if "choices" in record and (not ids or len(record["choices"]) < 2):
        allowed = f"two or more of {listed(ids)}" if ids else "none, as its figure has its own"
        raise FieldError(f"{where}, choices", cut(record["choices"]), allowed)
    if "tolerance" in record and not numeric:
        raise FieldError(f"{where}, tolerance", cut(record["tolerance"]), "numbers' alone")
    return Question(
        kind=kind,
        ask=fields.text("ask"),
        figure=written,
        choices=fields.names("choices", ids),
        tolerance=fields.number("tolerance", 0, 1e6),
    )


def _go(text: Any, where: str) -> str:
    """The part of an address that a step begins with; raises `FieldError`."""
    allowed = f"{listed((*GO, 'switches'))}, as tab=branches&module=4b"
    try:
        pairs = parse_qsl(text, strict_parsing=bool(text), keep_blank_values=True)
    except (ValueError, TypeError, AttributeError):
        raise FieldError(where, cut(text), allowed) from None
    for name, value in pairs:
        if name == "switches":
            _check_switches(value, where)
        elif name not in GO:
            raise FieldError(where, cut(f"{name}={value}"), allowed)
        elif value not in GO[name]:
            raise FieldError(f"{where}, {name}", cut(value), listed(GO[name]))
    return text


def _check_switches(text: str, where: str) -> None:
    """Switches as in an address: `4b/5x5=0,4d/pool=mean`."""
    parts = (part.partition("=") for part in text.split(","))
    switches = {branch: setting for branch, _, setting in parts}
    try:
        check_switches(switches)
    except FieldError as error:
        raise FieldError(f"{where}, {error.field}", error.given, error.allowed) from None
