"""Pictures grown for channels, and the sheet of them."""

import json
from pathlib import Path

import pytest
import torch
from PIL import Image

from gnet.channels import sprite as sprite_sheet
from gnet.channels import visualization
from gnet.channels.index import Index, index_path, make_index
from gnet.channels.sprite import from_sprite, make_sprite
from gnet.channels.visualization import (
    VisualizationConfig,
    keep_visualization,
    kept_visualization,
    lane_of,
    visualization_path,
    visualize,
    visualizing,
)
from gnet.commands.main import main
from gnet.errors import GnetError
from gnet.explain.recording import record
from gnet.network.config import BRANCHES, STAGES
from gnet.network.folding import fold
from gnet.network.info import ModelInfo, Preprocessing
from gnet.network.model import GoogLeNet
from gnet.network.weights import load, save
from support.networks import network

QUICK = VisualizationConfig(size=48, steps=16)


@pytest.fixture(scope="module")
def model() -> GoogLeNet:
    model = network("batch-norm")
    model.info = ModelInfo(preprocessing=Preprocessing(size=64), digest="ab" * 32)
    return fold(model)


@pytest.fixture(scope="module")
def index(model: GoogLeNet) -> Index:
    random = torch.Generator().manual_seed(1)
    noise = torch.randint(0, 256, (4, 3, 64, 64), generator=random, dtype=torch.uint8)
    return make_index(model, list(noise), data="the shipped pictures")


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GNET_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.mark.parametrize("stage, branch", [("3a", "1x1"), ("4b", "5x5"), ("5b", "pool")])
def test_responses_rise_while_a_picture_grows(model: GoogLeNet, stage: str, branch: str) -> None:
    still = VisualizationConfig(
        size=64, steps=44, jitter=0.0, turn=0.0, zoom=0.0
    )  # to compare steps
    states = list(visualizing(model, stage, branch, [0, 1, 3], still))
    assert [state.step for state in states] == [8, 16, 24, 32, 40, 44]
    assert sum(states[-1].responses) > sum(states[0].responses)
    pictures = states[-1].pictures
    assert pictures.shape == (3, 3, 64, 64) and pictures.dtype == torch.uint8


def test_the_response_shown_is_the_mean_before_the_relu(model: GoogLeNet) -> None:
    still = VisualizationConfig(size=64, steps=1, jitter=0.0, turn=0.0, zoom=0.0)
    (state,) = visualizing(model, "4a", "3x3", [1], still)
    growing = visualization._Growing([1], still)
    with torch.no_grad():
        pixels = growing.grown()
        x = model.into(model.info.preprocessing.normalise(pixels), "4a")
        front, block = lane_of(model, "4a", "3x3", [1])
        expected = block.conv(front(x))[0, 1].mean()
    assert state.responses[0] == pytest.approx(float(expected), abs=1e-4)


def test_what_a_module_is_given_is_what_a_whole_forward_gives_it(model: GoogLeNet) -> None:
    pixels = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(2))
    inputs = record(model, pixels).inputs
    with torch.no_grad():
        for stage in STAGES:
            given = model.into(model.info.preprocessing.normalise(pixels), stage)
            assert torch.allclose(given[0], inputs[stage], atol=1e-5)
        with pytest.raises(GnetError, match="no module '6a'"):
            model.into(pixels, "6a")


def test_a_channel_grows_without_heed_of_the_others(model: GoogLeNet) -> None:
    few = VisualizationConfig(size=48, steps=2)
    together, alone = (
        visualize(model, "3b", "5x5", [0, 3], few),
        visualize(model, "3b", "5x5", [3], few),
    )
    assert together is not None and alone is not None
    assert (together[1].int() - alone[0].int()).abs().max() <= 1
    assert (together[0].int() - alone[0].int()).abs().float().mean() > 1


def test_the_same_settings_grow_the_same_picture_and_another_seed_another(
    model: GoogLeNet,
) -> None:
    one, two = (visualize(model, "3a", "pool", [1], QUICK) for _ in range(2))
    other = visualize(model, "3a", "pool", [1], VisualizationConfig(size=48, steps=16, seed=7))
    assert one is not None and two is not None and other is not None
    assert torch.equal(one, two) and not torch.equal(one, other)


def test_growing_leaves_the_network_as_it_was() -> None:
    model = network("batch-norm").train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    model.info = ModelInfo(preprocessing=Preprocessing(size=64))
    visualize(model, "4b", "5x5", [0], QUICK)
    assert model.training and all(p.grad is None for p in model.parameters())
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name])


def test_growing_stops_on_request(model: GoogLeNet) -> None:
    told: list[tuple[int, int]] = []
    config = VisualizationConfig(size=48, steps=64)
    answer = visualize(
        model, "3a", "1x1", [0], config,
        progress=lambda done, total: told.append((done, total)),
        stop=lambda: len(told) == 2,
    )  # fmt: skip
    assert answer is None and told == [(8, 64), (16, 64)]


def test_other_orders_and_left_out_branches_are_known() -> None:
    signed = network("pre-activation")
    grown = visualize(signed, "4b", "3x3", [0], QUICK)
    assert grown is not None and grown.float().std() > 1
    with pytest.raises(GnetError, match="left out of this network"):
        visualize(network("batch-norm", left_out="5x5"), "4b", "5x5", [0], QUICK)


@pytest.mark.parametrize(
    "place, sentence",
    [
        (("6a", "1x1", [0]), "no module '6a'"),
        (("4b", "7x7", [0]), "no branch '7x7'"),
        (("4b", "1x1", [999]), "Channel 999 of 4b 1x1 was given; allowed are 0 to "),
        (("4b", "1x1", [-1]), "Channel -1"),
        (("4b", "1x1", []), "No channel"),
    ],
)
def test_what_is_not_there_is_refused(
    model: GoogLeNet, place: tuple[str, str, list[int]], sentence: str
) -> None:
    with pytest.raises(GnetError, match=sentence):
        visualize(model, *place, QUICK)
    with pytest.raises(GnetError, match=r"size is 8; allowed are"):
        VisualizationConfig(size=8)


def test_pictures_are_kept_by_weights_place_and_settings(model: GoogLeNet) -> None:
    path = visualization_path("ab" * 32, "4b", "5x5", 17)
    others = {
        visualization_path("cd" * 32, "4b", "5x5", 17),
        visualization_path("ab" * 32, "4b", "5x5", 16),
        visualization_path("ab" * 32, "4b", "5x5", 17, QUICK),
    }
    assert path not in others and len(others) == 3
    assert kept_visualization(path) is None
    smooth = torch.linspace(0, 255, 48).byte().expand(3, 48, 48)
    keep_visualization(path, smooth)
    kept = kept_visualization(path)
    assert kept is not None and (kept.float() - smooth.float()).abs().mean() < 4
    path.write_bytes(path.read_bytes()[:40])
    assert kept_visualization(path) is None, "a damaged file is no picture"


def test_a_sheet_that_was_interrupted_goes_on_where_it_was(
    model: GoogLeNet, index: Index, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    grown: list[tuple[str, str]] = []
    original = sprite_sheet.visualize

    def counted(model, stage, branch, channels, config, **more):
        grown.append((stage, branch))
        return original(model, stage, branch, channels, config, **more)

    monkeypatch.setattr(sprite_sheet, "visualize", counted)
    config = VisualizationConfig(size=32, steps=1)
    folder = tmp_path / "sheet"
    stopped = make_sprite(
        model, index, folder, count=2, config=config, stop=lambda: len(grown) == 10
    )
    assert stopped is None and not folder.exists()
    told: list[tuple[int, int]] = []
    sprite = make_sprite(
        model, index, folder, count=2, config=config,
        progress=lambda done, total: told.append((done, total)),
    )  # fmt: skip
    assert sprite is not None and len(grown) == 37, "one branch was begun twice, the rest once"
    assert len(sprite.places) == 72 and told[-1] == (72, 72)
    assert sprite.places[:2] == tuple(("3a", "1x1", c) for c in index.strongest("3a", "1x1", 2))
    place = sprite.places[45]
    shown = from_sprite("ab" * 32, place, folder)
    kept = kept_visualization(visualization_path("ab" * 32, *place, config))
    assert shown is not None and kept is not None and shown.shape == (3, 96, 96)
    assert (shown.float().mean((1, 2)) - kept.float().mean((1, 2))).abs().max() < 12
    assert from_sprite("cd" * 32, place, folder) is None, "other weights"
    assert from_sprite("ab" * 32, ("4b", "5x5", 10_000), folder) is None
    with Image.open(folder / "visualizations.webp") as image:
        assert image.size == (24 * 96, 3 * 96)


def test_the_strongest_channels_are_those_of_the_highest_mean(index: Index) -> None:
    for stage in STAGES:
        for branch in BRANCHES:
            first = index.offset(stage, branch)
            means = [
                float(index.means[stage][first + c]) for c in index.strongest(stage, branch, 99)
            ]
            assert means == sorted(means, reverse=True)


def test_an_index_by_other_weights_makes_no_sheet(model: GoogLeNet, index: Index) -> None:
    other = fold(network("batch-norm"))
    with pytest.raises(GnetError, match="made by other weights"):
        make_sprite(other, index, count=1, config=QUICK)


def test_the_command_grows_a_picture_and_a_sheet(tmp_path, capsys, model: GoogLeNet) -> None:
    unfolded = network("batch-norm")
    unfolded.info = ModelInfo(preprocessing=Preprocessing(size=64))
    path = str(save(unfolded, tmp_path / "weights.safetensors"))
    picture = tmp_path / "new" / "channel.png"
    given = ["--module", "4b", "--branch", "5x5", "--channel", "1", "--steps", "2", "--size", "48"]
    assert main(["visualize", "--weights", path, *given, "--out", str(picture), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"file": str(picture)}
    with Image.open(picture) as image:
        assert image.size == (48, 48)
    assert main(["visualize", "--weights", path, *given]) == 2
    assert main(["visualize", "--weights", path, *given, "--out", "channel.exe"]) == 2
    assert "end in .png or .webp" in capsys.readouterr().err
    below = str(picture / "below.png")
    assert main(["visualize", "--weights", path, *given, "--out", below]) == 2
    assert "Cannot write" in capsys.readouterr().err
    sheet = ["dream", "--weights", path, "--sprite", "--steps", "1", "--size", "32"]
    assert main(sheet) == 2
    assert "python -m gnet index" in capsys.readouterr().err
    made = load(path)
    noise = torch.randint(0, 256, (2, 3, 64, 64), dtype=torch.uint8)
    index = make_index(fold(made), list(noise), data="the shipped pictures")
    index.save(index_path(made.info.digest, index.data))
    assert main([*sheet, "--dir", str(tmp_path), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["pictures"] >= 36 * 4 and told["bytes"] < 6_000_000
