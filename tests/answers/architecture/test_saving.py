"""Files of an architecture: JSON at once, ONNX by a child process, refusals as sentences."""

import json
import sys

import pytest

from gnet.answers.architecture.plans import Plan, shape_of
from gnet.answers.architecture.saving import architecture_file
from gnet.errors import FieldError, GnetError
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
        (("svg",), "format"),
        ((None,), "format"),
        (("json", "tail"), "head"),
        (("json", "", 7), "size"),
    ],
)
def test_what_there_is_not_is_refused(values, field):
    with pytest.raises(FieldError) as caught:
        architecture_file(PAPER, *values)
    assert caught.value.field == field


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
