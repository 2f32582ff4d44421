"""Pictures of none of the classes: repeatable, of their size, and what their names promise."""

import numpy as np
import pytest
import torch
from PIL import Image

from gnet.data import patterns
from gnet.data.datasets import Dataset
from gnet.errors import GnetError
from gnet.evaluation.out_of_distribution import (
    PHOTOS,
    blurred,
    halves,
    labelled,
    noise,
    out_of_distribution,
    phase_scrambled,
    photos_in,
    plain,
    rendered_text,
)
from gnet.network.info import Preprocessing
from support.folders import zipped

SIZE = 48
PICTURE = Preprocessing(size=SIZE)


def random_picture(seed: int, height: int = 60, width: int = 50) -> torch.Tensor:
    values = np.random.default_rng(seed).integers(100, 156, (height, width, 3), dtype=np.uint8)
    return torch.from_numpy(values).permute(2, 0, 1)


@pytest.fixture(scope="module")
def known() -> Dataset:
    return labelled({"cat": [random_picture(seed) for seed in range(9)]})


def test_every_kind_has_as_many_pictures_of_the_networks_size(known):
    made = out_of_distribution(known, PICTURE, each=4)
    assert set(made.classes) == {
        "patterns",
        "plain colours",
        "noise",
        "rendered text",
        "blurred pictures",
        "phase-scrambled pictures",
    }
    assert made.counts == (4,) * 6 and made.sources[0] == "patterns"
    assert all(p.shape == (3, SIZE, SIZE) and p.dtype == torch.uint8 for p in made.pictures)


def test_the_same_seed_makes_the_same_pictures_and_another_one_others(known):
    one, same, other = (
        out_of_distribution(known, PICTURE, each=3, seed=seed) for seed in (1, 1, 2)
    )
    pairs = list(zip(one.pictures, same.pictures, other.pictures, strict=True))
    assert all(torch.equal(a, b) for a, b, _ in pairs)
    assert not any(torch.equal(a, c) for a, _, c in pairs)


def test_a_network_trained_on_the_patterns_is_not_shown_them(known):
    taught = labelled({name: list(known.pictures[:1]) for name in patterns.CLASSES})
    assert "patterns" not in out_of_distribution(taught, PICTURE, each=2).classes


def test_no_picture_is_both_blurred_and_scrambled(known):
    made = out_of_distribution(labelled({"cat": known.pictures[:3]}), PICTURE, each=5)
    assert made.counts[-2:] == (1, 1)
    with pytest.raises(GnetError, match="has 1 pictures to blur and to scramble; at least two"):
        out_of_distribution(labelled({"cat": known.pictures[:1]}), PICTURE)


def test_scrambling_keeps_amplitudes_and_the_mean_colour():
    picture = random_picture(3, SIZE, SIZE)
    scrambled = phase_scrambled(np.random.default_rng(0), picture)
    before, after = (np.fft.fft2(p.numpy().astype(float)) for p in (picture, scrambled))
    # Rounding to bytes adds noise of deviation 0.29 · SIZE to each frequency.
    assert np.abs(np.abs(before) - np.abs(after)).mean() < 0.35 * SIZE
    assert np.abs(before).mean() > 3 * SIZE
    assert after[:, 0, 0] / SIZE**2 == pytest.approx(before[:, 0, 0] / SIZE**2, abs=0.1)
    assert np.corrcoef(picture.flatten(), scrambled.flatten())[0, 1] < 0.2


def test_blurring_leaves_the_colour_and_takes_the_detail():
    picture = patterns.pattern(patterns.CLASSES.index("fine stripes"), SIZE, 0)
    left = blurred(picture)
    assert float(left.float().std()) > 0
    within = [p.float().std((1, 2)).mean() for p in (left, picture)]
    assert within[0] < 0.25 * within[1]
    assert left.float().mean((1, 2)).tolist() == pytest.approx(
        picture.float().mean((1, 2)).tolist(), abs=4
    )


def test_there_are_five_kinds_of_noise():
    random = np.random.default_rng(0)
    white, grey, pink, coarse, salt = (noise(random, SIZE, index).float() for index in range(5))
    assert white.std() > 60
    assert torch.equal(grey[0], grey[1]) and not torch.equal(white[0], white[1])

    def roughness(picture: torch.Tensor) -> float:
        return float((picture[:, 1:] - picture[:, :-1]).std() / picture.std())

    assert roughness(pink) < 0.6 * roughness(white)
    assert len(coarse.flatten(1).unique(dim=1)[0]) <= 32 * 32
    assert {0.0, 255.0} <= set(salt.unique().tolist()) and len(salt[0].unique()) == 3


def test_text_is_ink_on_paper_and_plain_colours_are_smooth():
    random = np.random.default_rng(0)
    texts = [rendered_text(random, 96).float() for _ in range(4)]
    assert all(text.std() > 15 for text in texts)
    steps = [plain(random, SIZE).float().diff(dim=1).abs().max() for _ in range(6)]
    assert max(steps) < 16


def test_photos_are_read_by_folder_as_squares_and_what_is_none_is_counted(tmp_path):
    folder = tmp_path / "photos"
    (folder / "fruit").mkdir(parents=True)
    Image.new("RGB", (90, 60), "red").save(folder / "fruit" / "a.png")
    Image.new("RGB", (300, 200), "blue").save(folder / "b.jpg")
    (folder / "fruit" / "notes.txt").write_text("not a picture")
    found = photos_in(folder, PICTURE)
    assert set(found.classes) == {"fruit", PHOTOS} and found.counts == (1, 1)
    assert all(p.shape == (3, SIZE, SIZE) for p in found.pictures)
    assert sum(found.skipped.values()) == 1
    red = (folder / "fruit" / "a.png").read_bytes()
    assert photos_in(zipped(tmp_path / "x.zip", {"fruit/a.png": red}), PICTURE).counts == (1,)
    (tmp_path / "empty").mkdir()
    with pytest.raises(GnetError, match="holds no picture that can be read"):
        photos_in(tmp_path / "empty", PICTURE)


def test_photos_join_what_is_made(known):
    given = labelled({"fruit": [random_picture(5, SIZE, SIZE)] * 3})
    made = out_of_distribution(known, PICTURE, each=2, photos=given)
    assert made.classes[-1] == "fruit" and made.counts[-1] == 3 and len(made) == 15


def test_halves_share_no_picture_and_lose_none():
    pictures = {k: [torch.full((3, 8, 8), 10 * k + i) for i in range(5)] for k in range(2)}
    first, second = halves(labelled({str(k): own for k, own in pictures.items()}))
    values = [[int(p[0, 0, 0]) for p in half.pictures] for half in (first, second)]
    assert values == [[0, 2, 4, 10, 12, 14], [1, 3, 11, 13]]
