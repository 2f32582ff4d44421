"""ONNX files: they compute what the network computes, for any number of pictures."""

import json
import sys

import numpy as np
import pytest
import torch

from gnet.errors import GnetError
from gnet.network.config import BRANCHES, STAGES, ModelConfig
from gnet.network.export.onnx_file import check_onnx, to_onnx
from gnet.network.hooks import watching
from gnet.network.info import ModelInfo
from support.networks import exported


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
    runtime = pytest.importorskip("onnxruntime")
    model = exported(preset, **changes).train()
    path = to_onnx(model, tmp_path / "model.onnx", size)
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
    pytest.importorskip("onnx")
    runtime = pytest.importorskip("onnxruntime")
    model = exported(preset)
    path = to_onnx(model, tmp_path / "model.onnx", head=head, branches=True)
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
    checked = check_onnx(model, path, head=head, branches=True)
    assert checked is not None and checked.outputs == len(names) and checked.error <= 1e-5


def test_a_check_notices_a_file_of_another_network(tmp_path):
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    model = exported("batch-norm")
    path = to_onnx(model, tmp_path / "model.onnx", head="main")
    with torch.no_grad():
        model.fc.bias.add_(1.0)
    checked = check_onnx(model, path, head="main")
    assert checked is not None and checked.error > 1e-2


def test_what_is_written_of_one_head_is_what_it_needs_and_no_more(tmp_path):
    onnx = pytest.importorskip("onnx")
    model = exported("batch-norm")
    needed = sum(p.numel() for p in model.until("aux1").parameters())
    written = onnx.load(to_onnx(model, tmp_path / "aux1.onnx", head="aux1"))
    numbers = sum(int(np.prod(t.dims)) for t in written.graph.initializer)
    assert numbers < needed * 1.2 < sum(p.numel() for p in model.parameters())


def test_weights_have_the_names_of_the_state_dict_and_stand_once(tmp_path):
    onnx = pytest.importorskip("onnx")
    model = exported("paper", aux_pool="adaptive")
    written = onnx.load(to_onnx(model, tmp_path / "model.onnx", 224))
    names = [tensor.name for tensor in written.graph.initializer]
    assert len(set(names)) == len(names)
    assert {name for name, _ in model.named_parameters()} <= set(names)
    weights = {
        tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in written.graph.initializer
    }
    for name, value in model.named_parameters():
        assert np.array_equal(weights[name], value.detach().numpy())
    for output in written.graph.output:
        rows, classes = output.type.tensor_type.shape.dim
        assert rows.dim_param and classes.dim_value == 3


@pytest.mark.parametrize("side", [33, 47, 98, 145])
@pytest.mark.parametrize("preset", ["batch-norm", "torchvision"])
def test_a_file_for_any_size_computes_what_the_network_computes(preset, side, tmp_path):
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    model = exported(preset)
    checked = check_onnx(model, to_onnx(model, tmp_path / "model.onnx", side))
    assert checked is not None and checked.outputs == 3 and checked.error <= 1e-5


class Twice(torch.nn.Module):
    """A layer that no network of this project has."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return 2 * x


def test_a_layer_that_cannot_be_written_is_named(tmp_path):
    pytest.importorskip("onnx")
    model = exported("batch-norm")
    model.inception4c.branch2.insert(1, Twice())
    with pytest.raises(GnetError, match=r"inception4c\.branch2\.1 is a Twice"):
        to_onnx(model, tmp_path / "model.onnx")
    assert list(tmp_path.iterdir()) == []


def test_without_onnx_a_sentence_names_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(GnetError, match=r"needs onnx,.*pip install"):
        to_onnx(exported("batch-norm"), tmp_path / "model.onnx")
    assert list(tmp_path.iterdir()) == []


def test_onnx_refuses_a_size_the_network_cannot_take(tmp_path):
    with pytest.raises(GnetError, match="224"):
        to_onnx(exported("paper"), tmp_path / "model.onnx", 64)
