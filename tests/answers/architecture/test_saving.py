"""Files of an architecture: JSON, table, drawing and ONNX; refusals as sentences."""

import csv
import io
import json
import re
import sys
from xml.etree import ElementTree

import pytest

from gnet.answers.architecture.blueprint import blueprint
from gnet.answers.architecture.plans import Plan, begun, shape_of
from gnet.answers.architecture.saving import architecture_file
from gnet.errors import FieldError, GnetError
from gnet.network.costs import layer_costs
from gnet.network.export.description import to_json
from gnet.network.export.onnx_file import check_onnx
from support.networks import network

PAPER = Plan(model=shape_of("paper"), preset="paper")


def test_the_json_is_the_description_at_that_size():
    name, content, said = architecture_file(PAPER, "json", "aux2", 224)
    assert name == "paper-aux2.json" and said == ""
    assert json.loads(content) == to_json(PAPER.model, 224, "aux2")


@pytest.mark.parametrize(
    ("values", "field"),
    [
        (("png",), "format"),
        ((None,), "format"),
        (("json", "tail"), "head"),
        (("json", "", 7), "size"),
    ],
)
def test_what_there_is_not_is_refused(values, field):
    with pytest.raises(FieldError) as caught:
        architecture_file(PAPER, *values)
    assert caught.value.field == field


def test_the_table_has_a_line_for_each_unit():
    _, content, _ = architecture_file(PAPER, "csv")
    rows = list(csv.DictReader(io.StringIO(content.decode())))
    costs = {cost.unit: cost for cost in layer_costs(PAPER.model, 224)}
    counted = {row["unit"]: row for row in rows if row["macs"]}
    assert counted.keys() == costs.keys()
    for unit, row in counted.items():
        assert (int(row["weights"]), int(row["macs"])) == (costs[unit].weights, costs[unit].macs)
    assert next(r for r in rows if r["unit"] == "inception_4b/5x5")["cell sees"] == "235"


def test_the_drawing_is_an_svg_with_every_block_and_pale_where_a_head_does_not_reach():
    _, content, _ = architecture_file(PAPER, "svg", "aux1")
    root = ElementTree.fromstring(content)
    drawing = blueprint(PAPER.model, 224)
    texts = [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]
    assert texts.count("conv → ReLU") == sum(bool(node["steps"]) for node in drawing["nodes"])
    parts = [p for name in ("nodes", "edges", "groups", "labels") for p in drawing[name]]
    pale = sum("aux1" not in part["heads"] for part in parts)
    assert len([g for g in root if g.tag.endswith("}g")]) == pale > 0


def test_branches_are_yes_or_no():
    with pytest.raises(FieldError):
        architecture_file(PAPER, "onnx", branches="all")


@pytest.mark.parametrize(
    ("plan", "head", "name"),
    [
        (Plan(model=network("batch-norm")), "aux1", "untrained-aux1-branches.onnx"),
        (PAPER, "", "paper-branches.onnx"),
    ],
)
def test_onnx_is_the_networks_own_or_the_presets_that_it_begins_with(plan, head, name, tmp_path):
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    given, content, said = architecture_file(plan, "onnx", head, branches=True)
    assert given == name and re.match(r"ONNX Runtime and torch agree in \d+ outputs: ", said)
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    model = begun(plan.preset) if plan.preset else plan.model
    checked = check_onnx(model, path, head=head or None, branches=True)
    assert checked is not None and checked.outputs == (13 if head else 39)
    assert checked.error <= 1e-5


def test_without_onnx_the_refusal_is_a_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(GnetError, match=r"^Export to ONNX needs onnx"):
        architecture_file(PAPER, "onnx")
