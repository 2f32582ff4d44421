"""Files of torchvision's GoogLeNet become weights of this program, however they were saved."""

import json
import shlex

import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torchvision.models import GoogLeNet as TorchvisionGoogLeNet

from gnet.commands.main import main
from gnet.errors import GnetError
from gnet.network.config import HEADS, TRAINED, UNTRAINED
from gnet.network.conversion import convert, read_classes
from gnet.network.weights import from_torchvision, load
from support.networks import unsettle

NAMES = ("cat", "dog", "Möwe")


@pytest.fixture(scope="module")
def theirs() -> TorchvisionGoogLeNet:
    torch.manual_seed(0)
    model = TorchvisionGoogLeNet(num_classes=3, init_weights=False).eval()
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)
    unsettle(model)
    return model


@pytest.fixture(scope="module")
def state(theirs) -> dict[str, torch.Tensor]:
    return theirs.state_dict()


def fine_tuned(state):
    """Only the last layer was replaced; the auxiliary heads still know 1000 classes."""
    wide = {f"{h}.fc2.weight": torch.randn(1000, 1024) for h in ("aux1", "aux2")}
    return state | wide | {f"{h}.fc2.bias": torch.randn(1000) for h in ("aux1", "aux2")}


def without(*heads):
    return lambda state: {n: v for n, v in state.items() if n.partition(".")[0] not in heads}


def in_sequence(state):
    return {
        name.replace("fc.", "fc.1.") if name[:3] == "fc." else name: v for name, v in state.items()
    }


SAVED = {
    "as it is": (lambda state: state, ()),
    "only fc replaced": (fine_tuned, ("aux1", "aux2")),
    "no auxiliary heads": (without("aux1", "aux2"), ()),
    "one auxiliary head": (without("aux2"), ("aux1",)),
    "parallel": (lambda state: {f"module.{name}": v for name, v in state.items()}, ()),
    "compiled": (lambda state: {f"_orig_mod.{name}": v for name, v in state.items()}, ()),
    "a checkpoint": (lambda state: {"state_dict": state, "epoch": 3, "optimizer": {"lr": 0.1}}, ()),
    "lightning": (
        lambda state: {
            "state_dict": {f"model.{n}": v for n, v in state.items()}
            | {"loss.weight": torch.ones(3)}
        },
        (),
    ),
    "half precision": (
        lambda state: {n: v.half() if v.is_floating_point() else v for n, v in state.items()},
        (),
    ),
    "dropout before fc": (in_sequence, ()),
    "old, without counters": (
        lambda state: {n: v for n, v in state.items() if "num_batches" not in n},
        (),
    ),
}


@pytest.mark.parametrize("transform_input", [True, False])
@pytest.mark.parametrize("kind", SAVED)
def test_a_file_becomes_a_network_that_computes_the_same(
    kind, transform_input, theirs, state, tmp_path
):
    change, left_out = SAVED[kind]
    torch.save(change(dict(state)), tmp_path / "own.pth")
    found = convert(tmp_path / "own.pth", NAMES, transform_input=transform_input)
    info = found.model.info
    assert found.left_out == left_out and info.classes == NAMES and info.name == "own"
    assert info.heads == {"main": TRAINED, "aux1": UNTRAINED, "aux2": UNTRAINED}
    assert found.model.config.aux == ("aux1.fc2.weight" in found.model.state_dict())
    x = torch.randn(1, 3, 96, 96)
    theirs.transform_input = transform_input
    with torch.no_grad():
        expected, got = theirs(x), found.model(x).main
    tolerance = 2e-2 if kind == "half precision" else 0.0
    assert torch.allclose(got, expected, rtol=tolerance, atol=tolerance)


def test_the_command_writes_weights_that_answer(state, tmp_path, capsys):
    torch.save(state, tmp_path / "own.pth")
    (tmp_path / "names.txt").write_text("\n".join(NAMES) + "\n", encoding="utf-8")
    out = tmp_path / "new" / "own.safetensors"
    command = ["convert", str(tmp_path / "own.pth"), "--classes", str(tmp_path / "names.txt")]
    ending = ["--transform-input", "--out", str(out)]
    assert main([*command, *ending, "--heads", "main, aux1,aux2", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["file"] == str(out) and told["classes"] == 3 and told["left_out"] == []
    model = load(out)
    assert model.config.transform_input and model.info.heads == dict.fromkeys(HEADS, TRAINED)
    assert main([*command, *ending]) == 0
    assert capsys.readouterr().out == f"{out}, 3 classes, trained heads: main\n"
    with pytest.raises(SystemExit):
        main([*command, "--out", str(out)])
    assert "--transform-input" in capsys.readouterr().err


def test_the_refusal_of_a_pth_file_advises_a_command_that_works(state, tmp_path, capsys):
    path = tmp_path / "my own.pth"
    torch.save(state, path)
    (tmp_path / "FILE").write_text("\n".join(NAMES), encoding="utf-8")
    with pytest.raises(GnetError, match="pickle") as caught:
        load(path)
    advised = str(caught.value).split("`")[1].replace("FILE", f"'{tmp_path / 'FILE'}'")
    start, words = advised.split(" ")[:3], shlex.split(advised)[3:]
    assert start == ["python", "-m", "gnet"] and main(words) == 0
    assert load(words[-1]).info.classes == NAMES


def test_safetensors_of_torchvision_are_converted_too(state, tmp_path):
    save_file(state, tmp_path / "own.safetensors")
    with pytest.raises(GnetError, match="python -m gnet convert"):
        load(tmp_path / "own.safetensors")
    found = convert(tmp_path / "own.safetensors", NAMES, transform_input=False)
    assert found.model.info.classes == NAMES


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ({"a": torch.ones(2)}, "holds no GoogLeNet of torchvision but a;"),
        ({"state_dict": {"b.weight": torch.ones(2)}}, "but b.weight"),
        ([torch.ones(2)], "but list"),
        (torch.ones(2), "but Tensor"),
        (nn.Linear(2, 2), "more than tensors"),
    ],
    ids=str,
)
def test_what_is_no_such_network_is_one_sentence(content, word, tmp_path):
    torch.save(content, tmp_path / "own.pth")
    with pytest.raises(GnetError) as caught:
        convert(tmp_path / "own.pth", NAMES, transform_input=False)
    assert word in str(caught.value) and "allowed is" in str(caught.value)


UNUSUAL = {
    "complex": lambda value: value.to(torch.complex64),
    "sparse": lambda value: value.to_sparse(),
    "meta": lambda value: value.to("meta"),
    "quantised": lambda value: torch.quantize_per_tensor(value, 0.1, 0, torch.qint8),
    "nested": lambda value: torch.nested.nested_tensor([value, value]),
}


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", ["conv1.conv.weight", "fc.weight", "aux2.fc2.bias"])
@pytest.mark.parametrize("kind", UNUSUAL)
def test_a_tensor_of_an_unusual_kind_is_named(kind, name, state, tmp_path):
    unusual = state | {name: UNUSUAL[kind](state[name])}
    torch.save(unusual, tmp_path / "own.pth")
    for given, refused in (
        (tmp_path / "own.pth", lambda: convert(tmp_path / "own.pth", NAMES, transform_input=True)),
        ("The state dict given", lambda: from_torchvision(unusual)),
    ):
        with pytest.raises(GnetError) as caught:
            refused()
        assert str(caught.value) == (
            f"{given} holds {name} as a {kind} tensor; allowed are dense tensors of real numbers."
        )


def test_what_does_not_fit_is_one_sentence(state, tmp_path):
    path = tmp_path / "own.pth"

    def refusal(content, names=NAMES, **options):
        torch.save(content, path)
        with pytest.raises(GnetError) as caught:
            convert(path, names, transform_input=False, **options)
        return str(caught.value)

    assert "2 class names were given; own.pth has 3 classes" in refusal(state, NAMES[:2])
    assert "has no classifier" in refusal(without("fc")(state))
    two = {f"{net}.{name}": v for name, v in state.items() for net in "ab"}
    assert "holds 2 networks" in refusal(two)
    assert "another architecture" in refusal(without("inception5b")(state))
    rounded = state | {"conv2.conv.weight": state["conv2.conv.weight"].to(torch.int8)}
    assert "has whole numbers as conv2.conv.weight;" in refusal(rounded)
    assert "NaN" in refusal(state | {"fc.bias": torch.full((3,), torch.nan)})
    assert "trained heads are aux1" in refusal(state, trained=("aux1",))
    assert "has no aux2" in refusal(without("aux2")(state), trained=("main", "aux2"))
    path.write_bytes(b"PK\x03\x04 half of it")
    with pytest.raises(GnetError, match="damaged"):
        convert(path, NAMES, transform_input=False)
    for place, word in ((tmp_path / "none.pth", "no file"), (tmp_path, "is a folder")):
        with pytest.raises(GnetError, match=word):
            convert(place, NAMES, transform_input=False)


@pytest.mark.parametrize(
    "text",
    [
        "cat\r\ndog\r\nMöwe\r\n\n",
        "\ufeffcat\ndog\nMöwe",
        '["cat", "dog", "Möwe"]',
        '{"1": "dog", "0": "cat", "2": "Möwe"}',
        '{"0": ["n1", "cat"], "1": ["n2", "dog"], "2": ["n3", "Möwe"]}',
    ],
)
def test_class_names_are_read_from_lines_and_from_json(text, tmp_path):
    (tmp_path / "names").write_bytes(text.encode())
    assert read_classes(tmp_path / "names") == NAMES


@pytest.mark.parametrize(
    "content", [b"", b"cat\n\ndog", b"[1, 2]", b'{"a": "cat"}', b"[", b"\xff\xfec\0a\0t\0"]
)
def test_other_files_of_class_names_are_one_sentence(content, tmp_path):
    (tmp_path / "names").write_bytes(content)
    with pytest.raises(GnetError, match=r"allowed|give"):
        read_classes(tmp_path / "names")
    with pytest.raises(GnetError, match="cannot be read"):
        read_classes(tmp_path / "none")
