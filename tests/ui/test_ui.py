"""What travels to the page, what the page may ask, and how the server starts."""

import inspect
import json
import re
import socket
from dataclasses import replace

import numpy as np
import pytest

from gnet import app
from gnet.answers import examples
from gnet.answers.answer import describe_attribution, describe_network
from gnet.answers.explorer import Chosen, Explorer
from gnet.errors import GnetError
from gnet.explain.attribution.attribute import attribute
from gnet.explain.belief import belief
from gnet.explain.branches import mean_map, statistics
from gnet.explain.recording import record
from gnet.figures.colours import BRANCH_COLOURS, HEAD_COLOURS, INK
from gnet.network.config import BRANCHES, STAGES, UNTRAINED, ModelConfig
from gnet.network.model import GoogLeNet
from gnet.network.receptive_field import effective_fields, receptive_fields
from gnet.ui.environment import without_stubs
from support.pages import Server, map_values, photo, random_network
from support.root import ROOT

CAT = examples.chosen("cat")


@pytest.fixture(scope="module")
def explorer() -> Explorer:
    return Explorer(random_network())


@pytest.fixture(scope="module")
def answer(explorer: Explorer) -> dict:
    return explorer.explore(CAT)


def test_an_answer_holds_the_maps_of_all_36_branches(explorer: Explorer, answer: dict) -> None:
    recording = record(explorer.model, explorer.view(CAT).pixels)
    for stage in STAGES:
        numbers = statistics(recording, stage)
        for branch in BRANCHES:
            sent = answer["stages"][stage]["branches"][branch]
            expected = mean_map(recording, stage, branch).numpy()
            step = sent["map"]["limit"] / 255
            assert np.abs(map_values(sent["map"], expected.shape) - expected).max() <= 0.6 * step
            assert [top["channel"] for top in sent["top"]] == list(numbers[branch].top)
            for top in sent["top"]:
                channel = recording.branches[stage][branch][top["channel"]].numpy()
                assert map_values(top, channel.shape) == pytest.approx(
                    channel, abs=top["limit"] / 250
                )
            assert sent["share"] == pytest.approx(numbers[branch].share, rel=1e-3)
            assert sent["sparsity"] == pytest.approx(numbers[branch].sparsity, rel=1e-3)


def test_scales_end_at_the_largest_value_they_hold(answer: dict) -> None:
    for stage in answer["stages"].values():
        parts = stage["branches"].values()
        assert stage["limits"]["maps"] == max(part["map"]["limit"] for part in parts)
        tops = [top["limit"] for part in parts for top in part["top"]]
        assert stage["limits"]["channels"] == max(tops)
    for kind in ("maps", "channels"):
        assert answer["limits"][kind] == max(s["limits"][kind] for s in answer["stages"].values())


def test_shares_of_a_module_sum_to_one_and_its_sentence_names_the_largest(answer: dict) -> None:
    for stage in answer["stages"].values():
        shares = {name: part["share"] for name, part in stage["branches"].items()}
        assert sum(shares.values()) == pytest.approx(1, abs=2e-3)
        largest = max(shares, key=lambda name: shares[name])
        assert f"{largest.replace('x', '×')} branch" in stage["sentence"]


def test_windows_are_those_of_the_live_network(explorer: Explorer, answer: dict) -> None:
    fields = receptive_fields(explorer.model)
    for stage, parts in answer["stages"].items():
        for branch, part in parts["branches"].items():
            field = fields[stage][branch]
            assert part["field"] == [field.size, field.stride, field.start]
            top, left, bottom, right = part["box"]
            assert 0 <= top < bottom <= 64 and 0 <= left < right <= 64


def test_an_answer_for_128_px_is_small_enough_to_travel_at_once() -> None:
    assert len(json.dumps(Explorer(random_network(size=128)).explore(CAT))) < 150_000


def test_an_untrained_head_sends_no_belief() -> None:
    answer = Explorer(random_network(aux1=UNTRAINED)).explore(CAT)
    sent = answer["heads"]["aux1"]
    assert set(sent) == {"status", "sentence"} and sent["status"] == UNTRAINED
    assert UNTRAINED in sent["sentence"]
    assert "probabilities" in answer["heads"]["aux2"]


def test_belief_is_that_of_the_recording(explorer: Explorer, answer: dict) -> None:
    held = belief(record(explorer.model, explorer.view(CAT).pixels))
    for head, believed in held.heads.items():
        sent = answer["heads"][head]
        assert sent["top"] == list(believed.top)
        assert sent["probabilities"] == pytest.approx(believed.probabilities, rel=1e-3)
        assert sent["entropy"] == pytest.approx(believed.entropy, rel=1e-3)
    assert answer["agree"] == held.agree


def test_signed_responses_travel_signed() -> None:
    model = random_network()
    config = ModelConfig.preset("pre-activation", num_classes=12, width=0.25)
    explorer = Explorer(GoogLeNet(config, model.info).eval())
    answer = explorer.explore(CAT)
    assert answer["signed"] is True
    recording = record(explorer.model, explorer.view(CAT).pixels)
    sent = answer["stages"]["4b"]["branches"]["3x3"]
    assert sent["sparsity"] is None
    expected = mean_map(recording, "4b", "3x3").numpy()
    assert map_values(sent["map"], expected.shape, True) == pytest.approx(
        expected, abs=sent["map"]["limit"] / 120
    )


def test_the_page_is_told_of_a_3x3_kernel_in_the_5x5_branch() -> None:
    config = ModelConfig.preset("torchvision", num_classes=12, width=0.0625)
    branches = describe_network(GoogLeNet(config, random_network().info))["branches"]
    assert "its kernel is 3×3" in branches[BRANCHES.index("5x5")]["does"]


def test_a_network_without_auxiliary_heads_can_be_shown() -> None:
    config = ModelConfig.preset("batch-norm", num_classes=12, width=0.0625, aux=False)
    explorer = Explorer(GoogLeNet(config, random_network().info).eval())
    assert [head["name"] for head in explorer.network["heads"]] == ["main"]
    assert list(explorer.explore(CAT)["heads"]) == ["main"]


def test_an_attribution_travels_with_its_numbers(explorer: Explorer) -> None:
    sent = explorer.attribute(CAT, "integrated-gradients", "aux2", "thing 3", None)
    made = attribute(
        explorer.model,
        explorer.view(CAT).pixels,
        method="integrated-gradients",
        head="aux2",
        target=3,
    )
    assert (sent["target"], sent["head"], sent["key"]) == (3, "aux2", explorer.view(CAT).key)
    assert sent["completeness_error"] == pytest.approx(made.completeness_error, abs=1e-4)
    small = made.map.abs() <= sent["limit"]
    shown = map_values({"data": sent["map"], "limit": sent["limit"]}, (64, 64), True)
    assert shown[small] == pytest.approx(made.map.numpy()[small], abs=sent["limit"] / 120)
    assert ("outside the scale" in sent["range"]) == bool((~small).any())
    json.dumps(sent)


def test_a_flat_attribution_is_still_a_record(explorer: Explorer) -> None:
    made = attribute(
        explorer.model, explorer.view(CAT).pixels, method="saliency", head="main", target=0
    )
    made.map.zero_()
    assert describe_attribution(made, "key")["limit"] == 0


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda it: it.measure(CAT, "9z"), "There is no module '9z'"),
        (lambda it: it.measure(CAT, None), "There is no module 'None'"),
        (lambda it: it.measure(CAT, ["4b"]), "There is no module"),
        (
            lambda it: it.attribute(CAT, "saliency", "main", "unicorn", None),
            "no class 'unicorn'",
        ),
        (lambda it: it.attribute(CAT, "saliency", "main", 99, None), "from 0 to 11"),
        (
            lambda it: it.attribute(CAT, "saliency", "main", 10**400, None),
            "from 0 to 11",
        ),
        (lambda it: it.attribute(CAT, "saliency", "main", -1, None), "from 0 to 11"),
        (lambda it: it.attribute(CAT, "saliency", "main", True, None), "no class"),
        (lambda it: it.attribute(CAT, "saliency", "main", {"a": []}, None), "no class"),
        (
            lambda it: it.attribute(CAT, "magic", "main", 0, None),
            "There is no method 'magic'",
        ),
        (
            lambda it: it.attribute(CAT, "grad-cam", "aux1", 0, "5a"),
            "5a lies behind aux1",
        ),
        (
            lambda it: it.explore(Chosen(path=ROOT / "gone.jpg", name="gone")),
            "no longer here",
        ),
        (
            lambda it: it.explore(Chosen(path=ROOT / ("a" * 3000), name="long")),
            "no longer here",
        ),
        (lambda it: it.explore(Chosen(path=ROOT, name="folder")), "no longer here"),
    ],
)
def test_what_cannot_be_answered_is_a_sentence(explorer: Explorer, ask, words: str) -> None:
    with pytest.raises(GnetError, match=re.escape(words)):
        ask(explorer)


@pytest.mark.parametrize(
    "ask",
    [
        lambda explorer, long: explorer.measure(CAT, long),
        lambda explorer, long: explorer.attribute(CAT, long, "main", 0, None),
        lambda explorer, long: explorer.attribute(CAT, "saliency", long, 0, None),
        lambda explorer, long: explorer.attribute(CAT, "saliency", "main", long, None),
        lambda explorer, long: explorer.attribute(CAT, "grad-cam", "main", 0, long),
    ],
)
@pytest.mark.parametrize("long", ["x" * 5000, ["x"] * 5000, 10**4000])
def test_what_a_client_sent_is_said_back_in_few_words(explorer: Explorer, ask, long) -> None:
    with pytest.raises(GnetError) as caught:
        ask(explorer, long)
    assert len(str(caught.value)) < 250


def test_a_class_whose_name_is_a_number_is_explained_by_its_place() -> None:
    model = random_network()
    names = tuple(str(11 - index) for index in range(12))
    model.info = replace(model.info, classes=names)
    sent = Explorer(model).attribute(CAT, "saliency", "main", 3, None)  # as the page sends it
    assert (sent["target"], sent["target_name"]) == (3, "8")
    named = Explorer(model).attribute(CAT, "saliency", "main", "3", None)
    assert (named["target"], named["target_name"]) == (8, "3")


def test_fields_are_measured_once_from_what_is_kept(explorer: Explorer, monkeypatch) -> None:
    key, pixels = explorer.explore(CAT)["key"], explorer.view(CAT).pixels
    monkeypatch.setattr("gnet.answers.explorer.open_picture", None)  # would fail if it were called
    first = explorer.measure(Chosen(path=ROOT / "gone.jpg", name="gone"), "4a", key)
    whole = effective_fields(explorer.model, pixels)
    assert first == {"key": key, "stage": "4a", "sides": whole["4a"]}
    monkeypatch.setattr("gnet.answers.explorer.effective_fields", None)
    assert explorer.measure(CAT, "4a", key) == first
    with pytest.raises(GnetError, match="no longer here"):
        explorer.measure(Chosen(path=ROOT / "gone.jpg", name="gone"), "4a", "another key")


def test_measured_fields_are_smaller_than_the_theoretical(explorer: Explorer) -> None:
    measured = explorer.measure(CAT, "3a")
    theory = explorer.explore(CAT)["stages"]["3a"]["branches"]
    for branch in BRANCHES:
        assert 0 < measured["sides"][branch] <= theory[branch]["field"][0]


def test_the_same_square_is_recorded_once(explorer: Explorer, monkeypatch) -> None:
    explorer.explore(CAT)
    monkeypatch.setattr("gnet.answers.explorer.record", None)  # would fail if it were called
    assert explorer.explore(CAT)["key"] == explorer.view(CAT).key


def test_a_square_outside_the_picture_is_moved_inside(explorer: Explorer) -> None:
    answer = explorer.explore(replace(CAT, box=(9999.0, -50.0, 120.0)))
    assert answer["picture"]["box"][1:] == [0, 120]
    assert answer["picture"]["box"][0] == answer["picture"]["width"] - 120
    with pytest.raises(GnetError):
        explorer.explore(replace(CAT, box=(0.0, 0.0, float("nan"))))


def test_a_toast_shows_markup_as_text(gradio_environment) -> None:
    import gradio as gr

    from gnet.ui.events import spoken

    with pytest.raises(gr.Error) as caught, spoken():
        raise GnetError("<img src=x onerror=alert(1)> is not a picture.")
    assert "<" not in caught.value.message and "&lt;img" in caught.value.message


def test_gradio_parses_no_source_of_its_own_where_it_is_imported_without_stubs(
    gradio_environment, monkeypatch
) -> None:
    import gradio as gr
    from gradio import component_meta

    parsed, ours = [], inspect.getfile(Explorer)
    monkeypatch.setattr(component_meta, "extract_class_source_code", lambda *of: parsed.append(of))
    with without_stubs():
        component_meta.create_or_modify_pyi(gr.HTML, "HTML", [])
        assert not parsed and inspect.getfile(Explorer) == ours
    assert inspect.getfile(gr.HTML).endswith("html.py")


def test_the_style_sheet_wears_the_colours_of_the_figures() -> None:
    style = (ROOT / "assets/components/shared/style.css").read_text(encoding="utf-8")
    light, dark = re.findall(r"(?::root|\.dark) \{(.*?)\}", style, re.DOTALL)[:2]
    for theme, block in (("light", light), ("dark", dark)):
        found = dict(re.findall(r"--(\w+): (#\w+);", block))
        for branch, colour in BRANCH_COLOURS[theme].items():
            assert found[f"b{branch}"] == colour
        for head, colour in HEAD_COLOURS[theme].items():
            assert found[head] == colour
        assert found["ink"] == INK[theme]["ink"] and found["card"] == INK[theme]["paper"]


def test_scripts_of_the_page_stay_short_and_ask_no_other_host() -> None:
    parts = (ROOT / "assets" / "components").rglob("*")
    for path in (part for part in parts if part.is_file()):
        text = path.read_text(encoding="utf-8")
        assert len(text.splitlines()) <= 300, path.name
        assert not re.search(r"https?://(?!www\.w3\.org/2000/svg\b)", text), path.name


def test_the_endpoints_answer_a_script(server: Server, tmp_path) -> None:
    from gradio_client import Client, handle_file

    path = tmp_path / "mine.jpg"
    path.write_bytes(photo(200, 150))
    client = Client(server.address, verbose=False)
    try:
        given = handle_file(str(path))
        answer = json.loads(client.predict(given, api_name="/explore"))
        question = ("grad-cam", "main", "0", "4a")
        why = json.loads(client.predict(given, *question, api_name="/attribute"))
        slow = ("integrated-gradients", *question[1:])
        states = client.submit(given, *slow, api_name="/attribute")
        whole = json.loads(str(states.result()))
        told = [json.loads(str(state)) for state in states.outputs()]
    finally:
        client.close()
    assert set(answer["stages"]) == set(STAGES)
    assert (why["stage"], why["target"], why["key"]) == ("4a", 0, answer["key"])
    shares = [state["done"] for state in told[:-1]]
    assert shares == sorted(shares) and shares[0] == 0 and told[-1]["completeness_error"] >= 0
    assert whole["key"] == answer["key"]


def test_a_taken_port_is_a_sentence(capsys) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert app.main(["--port", str(port)]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"gnet: cannot listen on 127.0.0.1:{port}") and said.count("\n") == 1


def test_weights_that_are_none_are_a_sentence(capsys, tmp_path) -> None:
    pickle = tmp_path / "weights.pth"
    pickle.write_bytes(b"\x80\x04N.")
    for weights in (str(pickle), str(tmp_path / "missing.safetensors")):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        assert app.main(["--port", str(port), "--weights", weights]) == 2
        said = capsys.readouterr().err
        assert said.startswith("gnet: ") and said.count("\n") == 1


@pytest.mark.parametrize("port", ["0", "65536", "web"])
def test_a_port_that_is_none_is_refused(port: str, capsys) -> None:
    with pytest.raises(SystemExit) as caught:
        app.main(["--port", port])
    assert caught.value.code == 2
    assert "allowed are 1 to 65535" in capsys.readouterr().err


def test_gradios_own_variables_are_honoured(monkeypatch) -> None:
    monkeypatch.setenv("GRADIO_SERVER_NAME", "0.0.0.0")
    monkeypatch.setenv("GRADIO_SERVER_PORT", "8123")
    options = app.parser().parse_args([])
    assert (options.host, options.port) == ("0.0.0.0", 8123)
    monkeypatch.delenv("GRADIO_SERVER_NAME")
    monkeypatch.delenv("GRADIO_SERVER_PORT")
    options = app.parser().parse_args([])
    assert (options.host, options.port) == ("127.0.0.1", 7860)
