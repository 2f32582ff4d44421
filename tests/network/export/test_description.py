"""The architecture as JSON: every layer once, with the paper's names and sums."""

import json

import pytest
import torch
from torch import nn

from gnet.errors import FieldError
from gnet.network.config import BRANCHES, STAGES, TABLE_1, UNTRAINED, ModelConfig
from gnet.network.export.description import to_json, write_json
from gnet.network.model import GoogLeNet
from support.networks import exported


@pytest.mark.parametrize("preset", ["paper", "batch-norm", "pre-activation", "torchvision"])
def test_the_architecture_is_json_with_every_layer_once(preset):
    model = exported(preset)
    record = to_json(model, 224)
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
        record = to_json(GoogLeNet(ModelConfig.preset("paper")))
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
    record = to_json(exported("pre-activation"), 64)
    assert record["stem"]["layers"][0]["steps"] == ["convolution"]
    assert record["stem"]["layers"][2]["steps"] == ["batch norm", "ReLU", "convolution"]
    assert record["heads"]["main"]["layers"][0]["kind"] == "batch norm"


def test_the_json_file_holds_the_record(tmp_path):
    model = exported("torchvision", aux=False)
    path = write_json(model, tmp_path / "m.json")
    record = json.loads(path.read_text(encoding="utf-8"))
    assert record == to_json(model)
    assert list(record["heads"]) == ["main"]
    assert record["input"] == [3, 64, 64]


def test_what_is_written_of_one_head_is_what_it_needs_and_no_more():
    model = exported("batch-norm")
    record = to_json(model, 224, "aux1")
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


@pytest.mark.parametrize("head", ["tail", "aux1"])
def test_a_head_that_is_not_there_is_refused(head):
    model = exported("batch-norm", aux=head != "aux1")
    with pytest.raises(FieldError) as caught:
        to_json(model, head=head)
    assert caught.value.field == "head"
