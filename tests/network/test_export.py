"""What leaves the program: the architecture as JSON, ONNX, and files for torchvision."""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from gnet.errors import FieldError, GnetError
from gnet.network import export, weights
from gnet.network.config import BRANCHES, STAGES, TABLE_1, UNTRAINED, ModelConfig
from gnet.network.hooks import watching
from gnet.network.info import ModelInfo, Preprocessing
from gnet.network.model import GoogLeNet

INFO = ModelInfo(name="small", classes=("a", "b", "ü"), preprocessing=Preprocessing(size=64))


def small(preset: str, **changes) -> GoogLeNet:
    torch.manual_seed(0)
    config = ModelConfig.preset(preset, width=0.0625, num_classes=3, init="he", **changes)
    model = GoogLeNet(config, INFO)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean = torch.randn(module.num_features) / 4
    return model.eval()


@pytest.mark.parametrize("preset", ["paper", "batch-norm", "pre-activation", "torchvision"])
def test_the_architecture_is_json_with_every_layer_once(preset):
    model = small(preset)
    record = export.to_json(model, 224)
    assert json.loads(json.dumps(record)) == record
    assert record["config"] == json.loads(json.dumps(model.config.to_json()))
    assert list(record["modules"]) == list(STAGES)
    assert all(tuple(module["branches"]) == BRANCHES for module in record["modules"].values())

    layers = list(record["stem"]["layers"])
    for module in record["modules"].values():
        layers += [layer for branch in module["branches"].values() for layer in branch]
    for head in record["heads"].values():
        assert head["status"] == UNTRAINED
        layers += head["layers"]
    modules = dict(model.named_modules())
    costly = [layer for layer in layers if "macs" in layer]
    live = [m for m in modules.values() if isinstance(m, nn.Conv2d | nn.Linear)]
    assert len({layer["unit"] for layer in costly}) == len(costly) == len(live)
    assert sum(layer["weights"] for layer in costly) == sum(m.weight.numel() for m in live)
    assert all(layer["module"] in modules for layer in layers)
    everything = record["totals"]["all heads"]
    assert everything["parameters"] == sum(p.numel() for p in model.parameters())
    parts = [record["stem"], *record["modules"].values(), *record["heads"].values()]
    assert everything["macs"] == sum(part["macs"] for part in parts)
    auxiliary = record["heads"]["aux1"]["macs"] + record["heads"]["aux2"]["macs"]
    assert record["totals"]["main head"]["macs"] == everything["macs"] - auxiliary


def test_the_json_names_the_papers_layers():
    with torch.device("meta"):
        record = export.to_json(GoogLeNet(ModelConfig.preset("paper")))
    assert record["input"] == [3, 224, 224]
    assert record["stem"]["layers"][0] == {
        "module": "conv1",
        "kind": "convolutional block",
        "steps": ["convolution", "ReLU"],
        "channels": [3, 64],
        "kernel": 7,
        "stride": 2,
        "padding": 3,
        "unit": "conv1/7x7_s2",
        "weights": 9408,
        "parameters": 9472,
        "macs": 9408 * 112 * 112,
        "output": [64, 112, 112],
    }
    kinds = [layer["kind"] for layer in record["stem"]["layers"]]
    block, norm, pool = "convolutional block", "local response norm", "max pool"
    assert kinds == [block, pool, norm, block, block, norm, pool]
    assert record["modules"]["3b"]["then"]["kernel"] == 3
    assert "then" not in record["modules"]["4a"]
    for stage, widths in TABLE_1.items():
        module = record["modules"][stage]
        assert module["output_channels"] == widths.total
        assert [branch[-1]["channels"][1] for branch in module["branches"].values()] == list(
            widths.branches
        )
        assert module["branches"]["5x5"][1]["kernel"] == 5
        assert module["branches"]["5x5"][1]["padding"] == 2
        assert module["branches"]["pool"][0]["kind"] == "max pool"
    aux = record["heads"]["aux2"]
    assert aux["reads"] == "4d"
    assert [layer["kind"] for layer in aux["layers"]] == [
        "average pool",
        "convolutional block",
        "linear",
        "dropout",
        "linear",
    ]
    assert [layer["share"] for layer in aux["layers"] if "share" in layer] == [0.7]


def test_pre_activation_reads_norm_relu_convolution_and_shows_its_last_norm():
    record = export.to_json(small("pre-activation"), 64)
    assert record["stem"]["layers"][0]["steps"] == ["convolution"]
    assert record["stem"]["layers"][2]["steps"] == ["batch norm", "ReLU", "convolution"]
    assert record["heads"]["main"]["layers"][0]["kind"] == "batch norm"


def test_the_json_file_holds_the_record(tmp_path):
    model = small("torchvision", aux=False)
    path = export.write_json(model, tmp_path / "m.json")
    record = json.loads(path.read_text(encoding="utf-8"))
    assert record == export.to_json(model)
    assert list(record["heads"]) == ["main"]
    assert record["input"] == [3, 64, 64]


@pytest.mark.parametrize(
    ("preset", "size", "changes"),
    [
        ("batch-norm", 96, {"transform_input": True, "rectified_outputs": True}),
        ("paper", 224, {}),
        ("pre-activation", 32, {"aux": False, "stem": "small", "left_out": "3x3"}),
    ],
)
def test_onnx_computes_what_the_network_computes(preset, size, changes, tmp_path):
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxscript")
    runtime = pytest.importorskip("onnxruntime")
    model = small(preset, **changes).train()
    path = export.to_onnx(model, tmp_path / "model.onnx", size)
    assert list(tmp_path.iterdir()) == [path], "one file, no data beside it"
    assert model.training, "the mode is as it was"
    assert all(module.training for module in model.modules())
    model.eval()

    described = onnx.load(path)
    onnx.checker.check_model(described)
    record = json.loads({p.key: p.value for p in described.metadata_props}["gnet"])
    assert ModelConfig.from_json(record["config"]) == model.config
    assert ModelInfo.from_json(record["info"]) == model.info

    session = runtime.InferenceSession(path, providers=["CPUExecutionProvider"])
    heads = ["main", "aux1", "aux2"] if model.config.aux else ["main"]
    assert [output.name for output in session.get_outputs()] == heads
    (given,) = session.get_inputs()
    assert given.name == "pixels"
    assert given.shape[1:] == [3, size, size]
    for count in (1, 3):
        pixels = torch.randn(count, 3, size, size)
        answers = session.run(None, {"pixels": pixels.numpy()})
        with torch.no_grad():
            logits = model(pixels)._asdict()
        for head, answer in zip(heads, answers, strict=True):
            assert answer.shape == (count, 3)
            assert np.abs(answer - logits[head].numpy()).max() <= 1e-4


@pytest.mark.parametrize(
    ("preset", "head", "last"), [("batch-norm", None, "5b"), ("pre-activation", "aux1", "4a")]
)
def test_onnx_puts_out_the_branches_by_unit(preset, head, last, tmp_path):
    pytest.importorskip("onnxscript")
    runtime = pytest.importorskip("onnxruntime")
    model = small(preset)
    path = export.to_onnx(model, tmp_path / "model.onnx", head=head, branches=True)
    session = runtime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    stages = STAGES[: STAGES.index(last) + 1]
    units = {"1x1": "1x1", "3x3": "3x3", "5x5": "5x5", "pool": "pool_proj"}
    heads = [head] if head else ["main", "aux1", "aux2"]
    assert names == heads + [f"inception_{s}/{units[b]}" for s in stages for b in BRANCHES]
    assert len(names) - len(heads) == (36 if head is None else 12)

    pixels = torch.randn(2, 3, 64, 64)
    modules = {s: module for s, module in model.inceptions().items() if s in stages}
    with torch.no_grad(), watching(modules) as passed:
        logits = model(pixels)._asdict()
    expected = [logits[name] for name in heads] + [
        part
        for stage, module in modules.items()
        for part in passed[stage].output.split(module.widths.branches, dim=1)
    ]
    answers = session.run(None, {"pixels": pixels.numpy()})
    for name, answer, own in zip(names, answers, expected, strict=True):
        error = np.abs(answer - own.numpy()).max() / own.abs().max().item()
        assert error <= 1e-5, name
    checked = export.check_onnx(model, path, head=head, branches=True)
    assert checked is not None and checked.outputs == len(names) and checked.error <= 1e-5


def test_a_check_notices_a_file_of_another_network(tmp_path):
    pytest.importorskip("onnxscript")
    pytest.importorskip("onnxruntime")
    model = small("batch-norm")
    path = export.to_onnx(model, tmp_path / "model.onnx", head="main")
    with torch.no_grad():
        model.fc.bias.add_(1.0)
    checked = export.check_onnx(model, path, head="main")
    assert checked is not None and checked.error > 1e-2


def test_what_is_written_of_one_head_is_what_it_needs_and_no_more(tmp_path):
    pytest.importorskip("onnxscript")
    onnx = pytest.importorskip("onnx")
    model = small("batch-norm")
    record = export.to_json(model, 224, "aux1")
    assert list(record["modules"]) == ["3a", "3b", "4a"] and list(record["heads"]) == ["aux1"]
    needed = sum(p.numel() for p in model.until("aux1").parameters())
    assert record["totals"] == {
        "aux1 head": {
            "weights": record["stem"]["weights"]
            + sum(module["weights"] for module in record["modules"].values())
            + record["heads"]["aux1"]["weights"],
            "parameters": needed,
            "macs": record["stem"]["macs"]
            + sum(module["macs"] for module in record["modules"].values())
            + record["heads"]["aux1"]["macs"],
        }
    }
    written = onnx.load(export.to_onnx(model, tmp_path / "aux1.onnx", head="aux1"))
    numbers = sum(int(np.prod(t.dims)) for t in written.graph.initializer)
    assert numbers < needed * 1.2 < sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize("head", ["tail", "aux1"])
def test_a_head_that_is_not_there_is_refused(head):
    model = small("batch-norm", aux=head != "aux1")
    with pytest.raises(FieldError) as caught:
        export.to_json(model, head=head)
    assert caught.value.field == "head"


def test_without_onnx_a_sentence_names_what_to_install(tmp_path, monkeypatch):
    find = export.importlib.util.find_spec
    monkeypatch.setattr(
        export.importlib.util,
        "find_spec",
        lambda name, *rest: None if name == "onnxscript" else find(name, *rest),
    )
    with pytest.raises(GnetError, match=r"needs onnxscript.*pip install"):
        export.to_onnx(small("batch-norm"), tmp_path / "model.onnx")
    assert list(tmp_path.iterdir()) == []


def test_onnx_refuses_a_size_the_network_cannot_take(tmp_path):
    with pytest.raises(GnetError, match="224"):
        export.to_onnx(small("paper"), tmp_path / "model.onnx", 64)


def test_a_file_for_torchvision_loads_there_and_here(tmp_path):
    torchvision = pytest.importorskip("torchvision")
    torch.manual_seed(0)
    model = GoogLeNet(ModelConfig.preset("torchvision", num_classes=3), INFO).eval()
    path = export.to_torchvision(model, tmp_path / "tv.safetensors")
    theirs = torchvision.models.GoogLeNet(num_classes=3, init_weights=False).eval()
    theirs.load_state_dict(load_file(path), strict=True)
    pixels = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(theirs(pixels), model(pixels).main)
    again = weights.load(path)
    assert again.config == model.config
    assert again.info.classes == INFO.classes


def test_a_network_torchvision_cannot_compute_is_not_written(tmp_path):
    with pytest.raises(GnetError, match=r"kernel_5x5 5.*allows only.*kernel_5x5 3"):
        export.to_torchvision(small("batch-norm"), tmp_path / "tv.safetensors")
    assert list(tmp_path.iterdir()) == []
