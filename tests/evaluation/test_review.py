"""What a network gets right and wrong, against the same counted picture by picture."""

import io
import json
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from gnet.commands.main import main
from gnet.data.batches import in_order
from gnet.data.datasets import Dataset, open_dataset
from gnet.errors import GnetError
from gnet.evaluation import review as reviewing
from gnet.evaluation.accuracy import evaluate
from gnet.evaluation.review import Review, review
from gnet.figures.review import confusion_figure, gallery_figure, reliability_figure
from gnet.network.config import HEADS, PROBE, TRAINED, UNTRAINED
from gnet.network.info import ModelInfo, Preprocessing
from gnet.network.model import GoogLeNet
from gnet.network.weights import load, save
from gnet.runs.folder import BEST, LAST, RunFolder
from gnet.serving import run_review
from gnet.serving.reviews import ReviewProgress, Reviews
from gnet.serving.run_review import REVIEW, review_run, validation_split, weights_of
from gnet.system.download import sha256_of
from support.networks import network
from support.training_runs import run, tiny
from support.waiting import until

SEEN = Preprocessing(size=32)
STATUS = {"main": TRAINED, "aux1": PROBE, "aux2": UNTRAINED}


@pytest.fixture(scope="module")
def patterns() -> Dataset:
    return open_dataset("built-in", "val", per_class=3, size=32)


@pytest.fixture(scope="module")
def model(patterns: Dataset) -> GoogLeNet:
    made = network("batch-norm", num_classes=10)
    with torch.no_grad():  # so that answers differ, and some are sure
        made.fc.weight.mul_(20)
    made.info = ModelInfo(classes=patterns.classes, heads=STATUS, preprocessing=SEEN)
    return made


@pytest.fixture(scope="module")
def made(model: GoogLeNet, patterns: Dataset) -> Review:
    return review(model, patterns, SEEN)


@pytest.fixture(scope="module")
def believed(model: GoogLeNet, patterns: Dataset) -> dict[str, np.ndarray]:
    """Head → probabilities, one picture at a time."""
    rows: dict[str, list[np.ndarray]] = {"main": [], "aux1": []}
    for pixels, _ in in_order(patterns, Preprocessing(size=32), batch=1):
        with torch.no_grad():
            logits = model(SEEN.normalise_bytes(pixels))
        for head in rows:
            rows[head].append(getattr(logits, head).softmax(1)[0].numpy())
    return {head: np.stack(values) for head, values in rows.items()}


@pytest.mark.parametrize("head", ["main", "aux1"])
def test_answers_and_counts_are_those_of_single_pictures(
    made: Review, believed: dict, patterns: Dataset, head: str
) -> None:
    labels = patterns.labels.tolist()
    answers = believed[head].argmax(1).tolist()
    pairs = Counter(zip(labels, answers, strict=True))
    matrix = made.confusion(head)
    assert {(r, c): int(matrix[r, c]) for r, c in matrix.nonzero().tolist()} == pairs
    right = [a == b for a, b in zip(labels, answers, strict=True)]
    assert made.right(head).tolist() == right
    assert made.accuracy(head) == pytest.approx(sum(right) / 30)
    by_class = [sum(right[3 * c : 3 * c + 3]) / 3 for c in range(10)]
    assert made.class_accuracy(head) == pytest.approx(by_class)
    for index in (0, 13, 29):
        told = made.answer(index)["heads"][head]
        given = believed[head][index]
        assert told["top"][0][0] == answers[index] and len(told["top"]) == 5
        assert [p for _, p in told["top"]] == pytest.approx(sorted(given)[:-6:-1], abs=1e-5)
        assert [given[c] for c, _ in told["top"]] == pytest.approx(sorted(given)[:-6:-1], abs=1e-5)
        assert told["truth"] == pytest.approx(believed[head][index][labels[index]], abs=1e-5)
        assert told["right"] == right[index]


@pytest.mark.parametrize("head", ["main", "aux1"])
def test_calibration_is_that_of_its_definition(
    made: Review, believed: dict, patterns: Dataset, head: str
) -> None:
    confidence, answers = believed[head].max(1), believed[head].argmax(1)
    right = answers == patterns.labels.numpy()
    error = 0.0
    for one in made.bins(head):
        inside = (confidence > one.low) & (confidence <= one.high)
        assert one.count == inside.sum()
        if one.count:
            assert one.accuracy == pytest.approx(right[inside].mean())
            error += one.count / 30 * abs(right[inside].mean() - confidence[inside].mean())
    assert made.calibration_error(head) == pytest.approx(error, abs=1e-5)
    assert made.confidence(head) == pytest.approx(confidence.mean(), abs=1e-5)


def test_pictures_are_chosen_by_verdict_class_and_answer_the_surest_first(
    made: Review, believed: dict, patterns: Dataset
) -> None:
    confidence, answers = believed["main"].max(1), believed["main"].argmax(1)
    labels = patterns.labels.numpy()
    order = np.argsort(-confidence, kind="stable")
    wrong = [i for i in order.tolist() if answers[i] != labels[i]]
    assert made.chosen("main", right=False) == wrong
    assert sorted(made.chosen("main", right=True) + wrong) == list(range(30))
    truth, answer = int(labels[wrong[0]]), int(answers[wrong[0]])
    cell = [i for i in order.tolist() if (labels[i], answers[i]) == (truth, answer)]
    assert made.chosen("main", truth=truth, answer=answer) == cell
    assert sorted(made.chosen("main", truth=truth)) == list(range(3 * truth, 3 * truth + 3))


def test_untrained_heads_answer_nothing(made: Review) -> None:
    assert list(made.heads) == ["aux1", "main"] and made.untrained == ("aux2",)
    assert [made.heads[h].status for h in made.heads] == [PROBE, TRAINED]
    with pytest.raises(GnetError, match="no answers of 'aux2'; there are those of aux1 and main"):
        made.confusion("aux2")


def test_temperatures_change_how_sure_a_head_is_and_not_what_it_answers(
    model: GoogLeNet, patterns: Dataset, made: Review
) -> None:
    cooler = replace(model.info, temperatures={"main": 4.0})
    warm = network("batch-norm", num_classes=10)
    warm.load_state_dict(model.state_dict())
    warm.info = cooler
    told = review(warm, patterns, SEEN)
    assert torch.equal(told.heads["main"].first, made.heads["main"].first)
    logits = evaluate(model, patterns, SEEN).logits["main"]
    assert told.confidence("main") == pytest.approx(
        (logits / 4).softmax(1).amax(1).mean().item(), abs=1e-5
    )
    assert told.confidence("aux1") == pytest.approx(made.confidence("aux1"))


def test_outputs_that_are_no_numbers_are_answers_without_confidence(patterns: Dataset) -> None:
    astray = network("batch-norm", num_classes=10)
    astray.info = ModelInfo(classes=patterns.classes, heads=dict.fromkeys(HEADS, TRAINED))
    with torch.no_grad():
        astray.fc.bias.fill_(float("nan"))
    told = review(astray, patterns, SEEN)
    assert told.confidence("main") == 0.0
    assert "NaN" not in json.dumps(told.summary())


def test_pictures_are_kept_as_the_network_saw_them(made: Review, patterns: Dataset) -> None:
    shown = in_order(patterns, Preprocessing(size=32), batch=64)
    squares = [picture for pixels, _ in shown for picture in pixels]
    assert len(made.pictures) == 30 and made.size == 32
    for content, square in zip(made.pictures, squares, strict=True):
        with Image.open(io.BytesIO(content)) as image:
            kept = np.asarray(image.convert("RGB"))
        assert np.array_equal(kept, square.permute(1, 2, 0).numpy())


def test_of_large_sets_every_so_many_th_picture_is_taken(
    model: GoogLeNet, patterns: Dataset, made: Review, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reviewing, "MOST", 10)
    part = review(model, patterns, SEEN)
    assert (len(part), part.total) == (10, 30)
    assert part.labels.tolist() == list(range(10))
    assert part.pictures == made.pictures[::3]


def test_a_review_is_the_same_after_it_was_saved(made: Review, tmp_path: Path) -> None:
    made.save(tmp_path / REVIEW)
    again = Review.read(tmp_path / REVIEW)
    assert again.summary() == made.summary() and again.pictures == made.pictures
    assert [again.answer(i) for i in range(30)] == [made.answer(i) for i in range(30)]
    (tmp_path / REVIEW).write_bytes(b"no review")
    with pytest.raises(GnetError, match="is not a review"):
        Review.read(tmp_path / REVIEW)


def test_figures_say_what_is_right_and_what_wrong(made: Review) -> None:
    texts = [text.get_text() for text in gallery_figure(made, "main", most=6).texts]
    right, wrong = made.chosen("main", right=True), made.chosen("main", right=False)
    assert f"✓ Right: {min(6, len(right))} of {len(right)}" in texts
    assert f"✗ Wrong: {min(6, len(wrong))} of {len(wrong)}" in texts
    matrix = confusion_figure(made, "main").axes[0]
    counts = [int(t.get_text()) for t in matrix.texts if t.get_text().isdecimal()]
    assert sum(counts) == 30
    words = " ".join(text.get_text() for text in reliability_figure(made).texts)
    assert "main, error" in words and "aux1, error" in words and "aux2" not in words


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "run"
    run(tiny(network={"aux": False}, epochs=1), folder)
    return folder


def test_a_run_is_reviewed_once_and_again_for_other_weights(
    finished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = review_run(finished)
    assert weights_of(RunFolder(finished)).name == BEST and list(first.heads) == ["main"]
    assert len(first) == len(validation_split(tiny()))
    counted = []
    monkeypatch.setattr(reviewing, "evaluate", lambda *a, **k: counted.append(1))
    assert review_run(finished).summary() == first.summary() and not counted
    monkeypatch.undo()
    model = load(finished / BEST)
    with torch.no_grad():
        model.fc.bias[3] += 100
    save(model, finished / BEST)
    assert set(review_run(finished).heads["main"].first.tolist()) == {3}
    (finished / REVIEW).write_bytes(b"damaged")
    assert len(review_run(finished)) == len(first)


def test_a_run_without_weights_is_refused_in_a_sentence(tmp_path: Path) -> None:
    RunFolder(tmp_path).create(tiny())
    with pytest.raises(GnetError, match="no weights yet; train until its first checkpoint"):
        review_run(tmp_path)
    with pytest.raises(GnetError, match="holds no run"):
        review_run(tmp_path / "elsewhere")


def test_a_run_validated_on_held_out_pictures_is_reviewed_on_them() -> None:
    held = validation_split(tiny(per_class=20, tune=True))
    assert len(held) == 10 and set(held.counts) == {1}


def test_the_command_prints_the_summary_and_draws_figures(
    finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["review", str(finished), "--json", "--out", str(tmp_path / "out")]) == 0
    told = json.loads(capsys.readouterr().out)
    drawn = {"reliability.png", "confusion-main.png", "gallery-main.png"}
    assert {Path(name).name for name in told["files"]} == drawn
    assert all(Path(name).stat().st_size > 1000 for name in told["files"])
    assert told["heads"]["main"]["accuracy"] == review_run(finished).accuracy("main")
    assert main(["review", str(finished)]) == 0
    assert "% right" in capsys.readouterr().out


def until_made(reviews: Reviews, folder: Path) -> Review | ReviewProgress:
    """Ask as a page does until there is an answer."""

    def look() -> Review | ReviewProgress | None:
        found = reviews.ask(folder)
        return found if isinstance(found, Review) or found.state == "failed" else None

    return until(look)


def test_a_server_has_a_review_made_by_a_process_and_keeps_it(finished: Path) -> None:
    (finished / REVIEW).unlink(missing_ok=True)
    reviews = Reviews()
    assert reviews.find(finished) is None
    made = until_made(reviews, finished)
    assert isinstance(made, Review) and reviews.find(finished) is made
    assert made.summary() == review_run(finished).summary()


def test_polls_read_and_hash_no_file_that_was_read_before(
    finished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, hashed, read = review_run(finished), [], []
    original = Review.read

    def counted(path: Path) -> Review:
        read.append(path)
        return original(path)

    monkeypatch.setattr(Review, "read", counted)
    monkeypatch.setattr(
        run_review, "sha256_of", lambda path: hashed.append(path) or sha256_of(path)
    )
    reviews = Reviews()
    for _ in range(5):
        found = reviews.find(finished)
        assert found is not None and found.summary() == made.summary()
    assert (len(read), len(hashed)) == (1, 0), "whoever made the review had hashed the weights"

    model = load(finished / BEST)
    with torch.no_grad():
        model.fc.bias[5] += 1000
    save(model, finished / BEST)
    for _ in range(5):
        assert reviews.find(finished) is None
    assert (len(read), len(hashed)) == (2, 1), "a review of other weights is read once, too"
    review_run(finished)
    found = reviews.find(finished)
    assert found is not None and set(found.heads["main"].first.tolist()) == {5}


def test_a_review_requested_many_times_at_once_is_read_once(
    finished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    review_run(finished)
    read, original = [], Review.read
    all_here = threading.Barrier(9)
    go_on = threading.Event()

    def slowly(path: Path) -> Review:
        read.append(path)
        assert go_on.wait(60)
        return original(path)

    def find(reviews: Reviews) -> Review | None:
        all_here.wait(60)
        return reviews.find(finished)

    monkeypatch.setattr(Review, "read", slowly)
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(find, reviews) for reviews in [Reviews()] * 8]
        all_here.wait(60)
        go_on.set()
        found = [one.result(60) for one in asked]
    assert len(read) == 1 and all(one is found[0] for one in found)


def test_a_review_that_waits_says_how_many_come_before_it_and_others_are_answered_meanwhile(
    finished: Path, tmp_path: Path
) -> None:
    made = review_run(finished)
    wait = "import os, sys, time\nwhile not os.path.exists(sys.argv[1] + '/go'): time.sleep(0.01)"
    reviews = Reviews((sys.executable, "-S", "-c", wait))
    folders = [tmp_path / name for name in ("big", "small", "smaller")]
    for folder in folders:
        RunFolder(folder).create(tiny())
        save(load(finished / LAST), folder / LAST)
    for folder in folders:
        reviews.ask(folder)
    told = [reviews.ask(folder) for folder in folders]
    begun = reviews.ask(finished)
    for folder in folders:
        (folder / "go").touch()
    assert [one.before for one in told if isinstance(one, ReviewProgress)] == [0, 1, 2]
    assert isinstance(begun, Review) and begun.summary() == made.summary()


def test_a_failed_review_says_why_and_can_be_requested_again(
    finished: Path, tmp_path: Path
) -> None:
    RunFolder(tmp_path).create(tiny())
    save(load(finished / LAST), tmp_path / LAST)
    (tmp_path / "config.json").write_text("{}\n[")
    told = until_made(Reviews(), tmp_path)
    assert isinstance(told, ReviewProgress) and "holds no run" in told.message
    tried = "import sys; open(sys.argv[1] + '/tried', 'a').write('.'); raise SystemExit('lost')"
    crash = Reviews((sys.executable, "-S", "-c", tried))
    for times in (1, 2):
        told = until_made(crash, tmp_path)
        assert isinstance(told, ReviewProgress) and told.message == "The review failed: lost."
        assert (tmp_path / "tried").read_text() == "." * times
