"""Files of an architecture: JSON at once, ONNX by a child process, refusals as sentences."""

import csv
import io
import json
import sys
from xml.etree import ElementTree

import pytest

from gnet.answers.architecture.blueprint import blueprint
from gnet.answers.architecture.plans import Plan, shape_of
from gnet.answers.architecture.saving import architecture_file
from gnet.errors import FieldError, GnetError
from gnet.network.costs import layer_costs
from gnet.network.export import to_json
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


def command(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


def test_onnx_is_written_by_a_child_that_is_told_all_that_was_asked():
    code = "import sys; a = sys.argv; open(a[a.index('--out') + 1], 'w').write(' '.join(a[1:]))"
    plan = Plan(model=network("batch-norm"))
    name, content, _ = architecture_file(plan, "onnx", "aux1", branches=True, command=command(code))
    assert name.endswith("-aux1-branches.onnx")
    given = content.decode().split()
    assert given[:2] == ["--format", "onnx"] and "--branches" in given
    assert given[given.index("--head") + 1] == "aux1"
    assert given[given.index("--weights") + 1].endswith(".safetensors")
    _, content, _ = architecture_file(PAPER, "onnx", command=command(code))
    assert content.decode().split()[-2:] == ["--preset", "paper"]


def test_a_refusal_of_the_child_is_the_answer_and_a_crash_is_an_error():
    refuse = command("import sys; print('gnet: It needs onnx.'); sys.exit(2)")
    with pytest.raises(GnetError, match=r"^It needs onnx\.$"):
        architecture_file(PAPER, "onnx", command=refuse)
    with pytest.raises(RuntimeError):
        architecture_file(PAPER, "onnx", command=command("import sys; sys.exit(1)"))
