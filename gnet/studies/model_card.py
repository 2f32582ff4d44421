"""The parts of a model card that are measured, written between marks."""

from __future__ import annotations

from pathlib import Path

from gnet.data.datasets import TUNE
from gnet.errors import GnetError
from gnet.evaluation.calibration import MOST_WRONG
from gnet.evaluation.sureness import ALL, FALSE_ALARMS, Report, ScoreReport
from gnet.explain.familiarity import SCORES
from gnet.network.info import ModelInfo
from gnet.network.weights import BUNDLED, save_info
from gnet.system.atomic import atomically
from gnet.system.paths import expanded, regular
from gnet.words import percent

Marks = tuple[str, str]
CALIBRATED = "<!-- calibrated: written by `python -m gnet calibrate` -->", "<!-- /calibrated -->"
MEASURED = "<!-- measured: written by `python -m gnet publish` -->", "<!-- /measured -->"
PROBES = "<!-- probes: written by `python -m gnet probe` -->", "<!-- /probes -->"
EXITS = "<!-- exits: written by `python -m gnet exits` -->", "<!-- /exits -->"


def between_marks(card: Path, text: str, marks: Marks) -> str:
    """The card with the part between two marks replaced; a new card where there is none."""
    begin, end = marks
    try:
        old = regular(card).read_text(encoding="utf-8") if card.exists() else f"{begin}\n{end}\n"
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8"
        raise GnetError(f"{card} cannot be read ({reason}); give a model card's file.") from error
    before, found, rest = old.partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise GnetError(f"{card} has no marks {begin!r} and {end!r} to write between.")
    return f"{before}{begin}\n\n{text}\n\n{end}{after}"


def source_of(weights: str | Path) -> Path:
    """The file that `weights` names; `GnetError` for torchvision's, which stay as published."""
    if weights == "imagenet":
        raise GnetError("imagenet was given; allowed are everyday and .safetensors files of ours.")
    return BUNDLED if weights == "everyday" else expanded(weights)


def card_of(out: str | Path) -> Path:
    """The model card beside the weights `out`; `GnetError` where it has no marks to write between.

    Call it before the work: a card without marks is then refused early.
    """
    card = Path(out).with_suffix(".md")
    between_marks(card, "", CALIBRATED)
    return card


def write(report: Report, source: Path, info: ModelInfo, out: str | Path) -> list[Path]:
    """Write the weights of `source` with the report's header to `out`, and the card beside it."""
    card = card_of(out)
    text = between_marks(card, measured(report), CALIBRATED)
    save_info(source, report.applied_to(info), out)
    with atomically(card) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return [Path(out), card]


def measured(report: Report) -> str:
    """The card's part as Markdown."""
    heads, split = report.heads, report.split
    deepest = next(iter(heads))
    columns = {"all heads": heads[deepest]} if SCORES[report.score].all_heads else heads
    known, total = report.counts[split], sum(report.outside.values())
    lines = [
        "### Calibration",
        "",
        f"Temperatures were fitted on `tune` ({report.counts[TUNE]:,} pictures held out of "
        f"`train`) and are evaluated on `{split}` ({known:,} pictures). The expected calibration "
        "error compares the probability of the first class with how often it is right, over 15 "
        "bins of equal width.",
        "",
        "| head | temperature | error at temperature 1 | error as shown |",
        "|---|---|---|---|",
        *(
            f"| {head} | {row.temperature:.3f} | {percent(row.ece_before)} | "
            f"{percent(row.ece_after)} |"
            for head, row in heads.items()
        ),
        "",
        f"What {deepest} believes, and how often it is right:",
        "",
        "| probability of the first class | pictures | mean | right |",
        "|---|---|---|---|",
        *(
            f"| {percent(row.low)} to {percent(row.high)} | {row.count:,} | "
            f"{percent(row.confidence)} | {percent(row.accuracy)} |"
            for row in heads[deepest].bins
            if row.confidence is not None and row.accuracy is not None
        ),
        "",
        "### Class or family",
        "",
        "A head gives a class from the probability on that leaves at most "
        f"{percent(MOST_WRONG)} of `tune` with a wrong one; below it, the family. On `{split}`:",
        "",
        "| head | gives a class from | gives a class | gives a wrong one |",
        "|---|---|---|---|",
        *(
            f"| {head} | {percent(row.certain)} | {percent(row.given)} | "
            f"{percent(row.given_wrong)} |"
            for head, row in heads.items()
        ),
        "",
        '### "Not sure"',
        "",
        f"Several scores were tried, each with a threshold that calls {percent(FALSE_ALARMS)} of "
        f"`tune` not sure. The one used, **{report.score}**, detects most of "
        f"{report.counts['outside']:,} outside pictures that were made for choosing: "
        + ", ".join(f"{name} {percent(share)}" for name, share in report.chosen_by.items())
        + f". On `{split}` and {total:,} other outside pictures they do this (area under the ROC "
        "curve / detected, which is below the threshold / false alarms):",
        "",
        "| score |" + "".join(f" {head} |" for head in heads),
        "|---" * (1 + len(heads)) + "|",
        *(
            f"| {name}: {SCORES[name].sentence} |"
            + "".join(f" {_three(row.scores[name])} |" for row in heads.values())
            for name in report.chosen_by
        ),
        "",
        f"By kind, with {report.score} (area under the ROC curve / detected):",
        "",
        "| outside pictures | number |" + "".join(f" {head} |" for head in columns),
        "|---" * (2 + len(columns)) + "|",
        *(
            f"| {kind} | {number:,} |"
            + "".join(f" {_two(row.scores[report.score], kind)} |" for row in columns.values())
            for kind, number in (report.outside | {ALL: total}).items()
        ),
        "",
        "Thresholds: "
        + ", ".join(
            f"{head} {row.scores[report.score].threshold:.4g}" for head, row in columns.items()
        )
        + ".",
    ]
    return "\n".join(lines)


def _two(row: ScoreReport, kind: str) -> str:
    return f"{row.auroc[kind]:.3f} / {percent(row.detected[kind])}"


def _three(row: ScoreReport) -> str:
    return f"{_two(row, ALL)} / {percent(row.false_alarms)}"
