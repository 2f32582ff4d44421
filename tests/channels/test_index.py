"""The strongest patches of every channel, against a plain search."""

import csv
import json
import re
from collections import Counter

import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from gnet.channels import index as channels
from gnet.channels.index import NINE, SHIPPED, Index, find_indexes, index_path, make_index
from gnet.commands.main import main
from gnet.data.gallery import (
    FOLDER,
    PATTERNS_PER_CLASS,
    Shipped,
    decoded,
    encoded,
    make_gallery,
    shipped,
)
from gnet.data.patterns import CLASSES
from gnet.data.pictures import as_seen, to_image
from gnet.errors import GnetError
from gnet.explain.recording import record
from gnet.network.config import BRANCHES, STAGES
from gnet.network.info import ModelInfo, Preprocessing
from gnet.network.model import GoogLeNet
from gnet.network.weights import load, save
from support.networks import network
from support.root import ROOT

SIZE = 64


def small(preset: str = "batch-norm", **changes) -> GoogLeNet:
    model = network(preset, **changes)
    model.info = ModelInfo(preprocessing=Preprocessing(size=SIZE), digest="ab" * 32)
    return model


def pictures(count: int = 13) -> list[Tensor]:
    random = torch.Generator().manual_seed(1)
    sides = [(60 + 5 * (n % 3), 64 + 3 * (n % 4)) for n in range(count)]
    return [torch.randint(0, 256, (3, h, w), generator=random, dtype=torch.uint8) for h, w in sides]


@pytest.fixture(scope="module")
def model() -> GoogLeNet:
    return small()


@pytest.fixture(scope="module")
def index(model: GoogLeNet) -> Index:
    return make_index(model, pictures(), data="noise")


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GNET_CACHE", str(tmp_path / "cache"))


def test_the_nine_best_are_those_of_a_plain_search(model: GoogLeNet, index: Index) -> None:
    seen = [as_seen(p, Preprocessing(size=SIZE)) for p in pictures()]
    maps = [record(model, picture[None].float() / 255).outputs for picture in seen]
    for stage in STAGES:
        highest = torch.stack([output[stage].amax((1, 2)) for output in maps], dim=1)  # (C, n)
        best = highest.sort(dim=1, descending=True).values[:, :NINE].clamp(min=0)
        assert torch.allclose(index.values[stage], best, rtol=1e-4, atol=1e-5)
        for row in range(0, len(best), 5):
            for value, picture, (y, x) in zip(
                index.values[stage][row],
                index.pictures[stage][row].tolist(),
                index.cells[stage][row].tolist(),
                strict=True,
            ):
                if picture >= 0:
                    assert float(maps[picture][stage][row, y, x]) == pytest.approx(
                        float(value), rel=1e-4, abs=1e-5
                    )
        mean = torch.stack([output[stage].mean((1, 2)) for output in maps]).mean(0)
        assert torch.allclose(index.means[stage], mean, rtol=1e-4, atol=1e-5)


def test_a_picture_gives_a_channel_one_patch_at_most(index: Index) -> None:
    for numbers in index.pictures.values():
        for row in numbers.tolist():
            found = [number for number in row if number >= 0]
            assert len(found) == len(set(found))


def test_batches_of_another_size_give_the_same_index(
    model: GoogLeNet, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channels, "BATCH", 5)
    again = make_index(model, pictures(), data="noise")
    for stage in STAGES:
        assert torch.allclose(again.values[stage], index.values[stage], rtol=1e-4, atol=1e-5)
        same = (again.pictures[stage] == index.pictures[stage]).double().mean()
        assert same > 0.99  # rounding may exchange two that are equal to five digits


def test_of_equal_responses_the_earlier_pictures_stay(model: GoogLeNet) -> None:
    one = pictures(1)
    made = make_index(model, one * 12, data="twelve times the same", keep=False)
    numbers = made.pictures["4b"][made.values["4b"][:, 0] > 0]
    assert len(numbers) and numbers.tolist() == [list(range(NINE))] * len(numbers)


def test_silence_is_no_patch_where_a_relu_cuts_and_is_one_where_none_does() -> None:
    model = small()
    with torch.no_grad():
        norm = model.inception4b.branch1.bn
        assert isinstance(norm, nn.BatchNorm2d)
        norm.weight.fill_(0.0)
        norm.bias.fill_(-1.0)
    made = make_index(model, pictures(3), data="noise")
    assert made.patches("4b", "1x1", 0) == ()
    signed = make_index(small("pre-activation"), pictures(3), data="noise")
    assert len(signed.patches("4b", "1x1", 0)) == 3


def test_windows_lie_in_the_picture_and_about_their_cells(index: Index) -> None:
    for stage in STAGES:
        for branch in BRANCHES:
            side, seen = index.window_side(stage, branch), index.fields[stage][branch]
            assert 1 <= side <= min(seen.size, SIZE)
            for patch in index.patches(stage, branch, 1):
                top, left, bottom, right = patch.window
                assert 0 <= top < bottom <= SIZE and 0 <= left < right <= SIZE
                assert bottom - top == right - left == side
                centre = seen.start + patch.cell[0] * seen.stride
                inside = side / 2 <= centre + 0.5 <= SIZE - side / 2
                assert not inside or abs((top + bottom - 1) / 2 - centre) <= 1


def test_crops_are_cut_from_the_indexed_pictures(index: Index) -> None:
    patch = index.patches("3a", "3x3", index.strongest("3a", "3x3", 1)[0])[0]
    top, left, bottom, right = patch.window
    whole = as_seen(pictures()[patch.picture], Preprocessing(size=SIZE))
    seen = whole[:, top:bottom, left:right]
    crop = index.crop_of(patch)
    assert crop.shape == seen.shape
    # WebP loses the fine colours of noise, not its light.
    assert (crop.float().mean() - seen.float().mean()).abs() < 12


def test_an_index_is_the_same_when_read_again(index: Index, tmp_path) -> None:
    path = tmp_path / "index.safetensors"
    index.save(path)
    again = Index.load(path)
    for stage in STAGES:
        for channel in range(2):
            assert again.patches(stage, "5x5", channel) == index.patches(stage, "5x5", channel)
        assert torch.equal(again.means[stage], index.means[stage])
    assert again.kept.keys() == index.kept.keys()
    assert (again.digest, again.data, again.sides) == (index.digest, index.data, index.sides)
    number = min(again.kept)
    assert torch.equal(decoded(again.kept[number]), decoded(index.kept[number]))


@pytest.mark.parametrize("content", [b"", b"no index", b"\x08" + bytes(7) + b"{}      "])
def test_other_files_are_refused_in_a_sentence(content: bytes, tmp_path) -> None:
    path = tmp_path / "index.safetensors"
    with pytest.raises(GnetError, match="There is no file"):
        Index.load(path)
    path.write_bytes(content)
    with pytest.raises(GnetError, match="is not an index"):
        Index.load(path)


def test_only_indexes_by_the_same_weights_are_found(index: Index, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(channels, "FOLDER", tmp_path)
    index.save(index_path(index.digest, index.data))
    index.save(tmp_path / "index.safetensors")  # the shipped one comes first
    assert find_indexes(index.digest) == {"noise": tmp_path / "index.safetensors"}
    assert find_indexes("cd" * 32) == {} and find_indexes("") == {}
    (tmp_path / "index.safetensors").write_bytes(b"damaged")
    assert find_indexes(index.digest) == {"noise": index_path(index.digest, "noise")}


def test_no_pictures_are_refused(model: GoogLeNet) -> None:
    with pytest.raises(GnetError, match="no pictures"):
        make_index(model, [], data="nothing")


def test_the_shipped_gallery_is_photos_and_patterns() -> None:
    gallery = shipped()
    assert len(gallery.names) >= 300
    assert len(gallery) == len(gallery.names) + PATTERNS_PER_CLASS * len(CLASSES)
    for number in (0, len(gallery.names) - 1, len(gallery.names), len(gallery) - 1):
        picture = gallery[number]
        assert picture.shape == (3, gallery.side, gallery.side) and picture.dtype == torch.uint8
        assert float(picture.float().std()) > 4
    with pytest.raises(IndexError):
        gallery[len(gallery)]


def test_every_shipped_picture_has_its_terms_and_most_are_no_clothes() -> None:
    with (FOLDER / "pictures.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    gallery = shipped()
    assert tuple(row["name"] for row in rows) == gallery.names
    assert {row["terms"] for row in rows} == {"CC0", "public domain"}
    assert all(row["by"] and row["place"] for row in rows)
    count = Counter(name.split("/")[0] for name in gallery.names)
    page = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
    assert f"patches from {len(gallery)} pictures" in page
    credits = (FOLDER / "CREDITS.md").read_text(encoding="utf-8")
    told = re.findall(r"^\| `([a-z-]+)` \| (\d+) \|", credits, re.MULTILINE)
    assert {source: int(number) for source, number in told} == count
    assert len(gallery) >= 600 and count["clothing"] <= len(gallery) / 3


def test_a_gallery_is_made_of_a_folder_of_pictures(tmp_path, capsys) -> None:
    wide = torch.zeros(3, 50, 90, dtype=torch.uint8)
    wide[:, :, 20:70] = torch.tensor([200, 100, 30], dtype=torch.uint8)[:, None, None]
    for name, picture in (("b/two", wide), ("a/one", 255 - wide)):
        path = tmp_path / "from" / f"{name}.png"
        path.parent.mkdir(parents=True)
        to_image(picture).save(path)
    given = ["gallery", str(tmp_path / "from"), "--out", str(tmp_path / "out"), "--json"]
    assert main(given) == 0
    assert json.loads(capsys.readouterr().out)["pictures"] == 2
    made = Shipped(tmp_path / "out")
    assert made.names == ("a/one", "b/two")
    for number, colour in ((0, (55, 155, 225)), (1, (200, 100, 30))):  # the middle square alone
        assert (made[number].float().mean(dim=(1, 2)) - torch.tensor(colour)).abs().max() < 4
        assert float(made[number].float().std(dim=(1, 2)).max()) < 6


def test_a_folder_without_pictures_makes_no_gallery(tmp_path) -> None:
    with pytest.raises(GnetError, match="holds no pictures"):
        make_gallery(tmp_path, tmp_path / "out")
    (tmp_path / "notes.txt").write_text("no picture")
    with pytest.raises(GnetError, match="notes"):
        make_gallery(tmp_path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_missing_gallery_gives_a_sentence(tmp_path) -> None:
    with pytest.raises(GnetError, match="restore the folder"):
        Shipped(tmp_path)


def test_a_kept_picture_is_nearly_what_was_kept() -> None:
    smooth = torch.linspace(0, 255, 64).byte().expand(3, 64, 64)
    assert (decoded(encoded(smooth)).float() - smooth.float()).abs().mean() < 4


def test_the_command_makes_an_index_over_a_data_set(tmp_path, capsys) -> None:
    model = small()
    path = save(model, tmp_path / "weights.safetensors")
    data = tmp_path / "mine"
    for name in ("a", "b"):
        for number in range(3):
            file = data / "val" / name / f"{number}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            noise = pictures(7)[number + 3 * (name == "b")]
            Image.fromarray(noise.permute(1, 2, 0).contiguous().numpy()).save(file)
    assert main(["index", "--weights", str(path), "--data", str(data), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    digest = load(path).info.digest
    assert told["file"] == str(index_path(digest, "mine, val"))
    assert list(find_indexes(digest)) == ["mine, val"]
    made = Index.load(told["file"])
    assert made.count == told["pictures"] == 6 and len(made.kept) == 6
    assert made.data != SHIPPED
