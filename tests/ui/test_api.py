"""The endpoints as a script meets them: docs/api.md runs as it stands, refusals are sentences."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gnet.channels.visualization import VisualizationConfig
from gnet.network.weights import save
from gnet.serving.networks.offered import NetworkOffers
from gnet.serving.networks.own import OwnNetworks
from gnet.serving.runs import Runs
from support.networks import network
from support.pages import photo, with_training
from support.root import ROOT

PAGE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture(scope="module")
def address(gradio_environment: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A page with a Train tab, whose runs are pretended and whose pictures grow in two steps."""
    from gnet.answers import channel
    from support import pretend_training

    folder = tmp_path_factory.mktemp("runs")
    original = channel.visualizing
    runs = Runs(folder, command=pretend_training.COMMAND, niceness=0, pause=0.05).open()
    with pytest.MonkeyPatch.context() as patch:
        quick = VisualizationConfig(size=32, steps=16)
        patch.setenv("GNET_CACHE", str(folder / "cache"))
        patch.setattr(channel, "visualizing", lambda *place: original(*place, config=quick))
        offers = NetworkOffers(own=OwnNetworks(folder / "own"))
        with with_training(runs, offers) as server:
            yield server.address
    runs.close()


@pytest.fixture(scope="module")
def client(address: str) -> Iterator[Any]:
    from gradio_client import Client

    client = Client(address, verbose=False)
    yield client
    client.close()


def test_every_example_of_the_page_runs(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "photo.jpg").write_bytes(photo(200, 150))
    save(network("batch-norm", num_classes=3), tmp_path / "own.safetensors")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    monkeypatch.setenv("no_proxy", "*")
    for block in BLOCKS:
        exec(block.replace("http://127.0.0.1:7860", address.rstrip("/")), names)
    names["page"].close()
    assert "4b/7x7" in str(names.get("refusal", "4b/7x7"))
    assert Path(names["saved"]).read_text().startswith("<?xml")
    assert names["state"]["run"]["id"] == names["run"]


def test_every_endpoint_has_an_example(client: Any) -> None:
    named = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    assert sorted(named) == sorted(set(re.findall(r'api_name="(/\w+)"', PAGE)))
    assert all(re.fullmatch("/[a-z]+(_[a-z]+)*", name) for name in named)


@pytest.mark.parametrize(
    ("name", "values", "words"),
    [
        ("measure_fields", ("9z",), "There is no module '9z'"),
        ("open_channel", ("4b", "7x7", 0), "7x7"),
        ("open_channel", ("4b", "3x3", 10**6), "1000000"),
        ("switch_branches", ({"4b/5x5": -1},), "-1"),
        ("switch_branches", ({"4b/5x5": "nan"},), "nan"),
        ("weigh_branches", ("tail", 0), "tail"),
        ("attribute", ("magic", "main", 0, None), "There is no method 'magic'"),
        ("save_view", ("all", "svg", None), "allowed are module, overview"),
        ("save_view", ("heads", "bmp", None), "allowed are png, svg"),
    ],
)
def test_what_cannot_be_answered_is_the_one_sentence(
    client: Any, name: str, values: tuple[Any, ...], words: str
) -> None:
    from gradio_client.exceptions import AppError

    with pytest.raises(AppError) as caught:
        client.predict({"example": "cat"}, *values, api_name=f"/{name}")
    sentence = str(caught.value)
    assert words in sentence and sentence.endswith(".") and "\n" not in sentence


def test_a_picture_that_is_gone_is_the_one_sentence(client: Any, tmp_path: Path) -> None:
    from gradio.utils import get_upload_folder
    from gradio_client.exceptions import AppError

    for path, words in (
        (Path(get_upload_folder()) / "gone.jpg", "kept for an hour"),
        (tmp_path / "mine.jpg", "was not uploaded here"),
    ):
        with pytest.raises(AppError, match=words):
            client.predict({"path": str(path)}, api_name="/explore")


@pytest.mark.parametrize(
    ("name", "question", "words"),
    [
        ("show_architecture", {"preset": "vgg"}, "allowed are paper, batch-norm"),
        ("show_architecture", {"size": 7}, "size is '7'"),
        ("show_architecture", {"net": "none"}, "no such run"),
        ("change_reduces", {"stage": "9z", "size": 224}, "stage is '9z'"),
        ("change_reduces", {"stage": "4b", "size": 224, "reduces": {"pool": 0}}, "pool is '0'"),
        ("change_reduces", "4b", "stage is"),
        ("show_weights", {"preset": ["paper"]}, "preset is"),
        ("save_architecture", {"format": "png"}, "format is 'png'"),
        ("save_architecture", {"format": "json", "head": "tail"}, "head is 'tail'"),
    ],
)
def test_what_is_no_architecture_is_the_one_sentence(
    client: Any, name: str, question: Any, words: str
) -> None:
    from gradio_client.exceptions import AppError

    with pytest.raises(AppError) as caught:
        client.predict(question, api_name=f"/{name}")
    assert words in str(caught.value) and str(caught.value).endswith(".")


@pytest.mark.parametrize(
    ("name", "values", "words"),
    [
        ("show_experiment", ("sums",), "There is no experiment 'sums'"),
        ("start_run", ("me", "first-run", {"speed": 3}), "settings is 'speed'"),
        ("check_settings", ("first-run", 7), "settings is '7'"),
        ("follow_run", ("none", 0, ""), "run"),
        ("steer_run", ("none", "me", "stop"), "run"),
    ],
)
def test_what_cannot_be_trained_is_the_one_sentence(
    client: Any, name: str, values: tuple[Any, ...], words: str
) -> None:
    from gradio_client.exceptions import AppError

    with pytest.raises(AppError, match=words) as caught:
        client.predict(*values, api_name=f"/{name}")
    assert str(caught.value).endswith(".")
