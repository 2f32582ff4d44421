"""The commands for pictures: predict, explore, attribute, ablate, map, account, compare."""

import json
import pickle
import re
from dataclasses import replace
from pathlib import Path

import pytest

from gnet.commands.main import main
from gnet.data.pictures import open_picture, to_pixels
from gnet.explain.attribution.methods import METHODS
from gnet.network.config import BRANCHES, STAGES, TRAINED, UNTRAINED
from gnet.network.folding import fold
from gnet.network.info import Sureness
from gnet.network.receptive_field import effective_fields
from gnet.network.weights import load, save, save_info


def test_predict_gives_class_probability_and_status_of_each_head(weights, photo, answer):
    heads = answer("predict", photo, "--weights", weights)
    assert list(heads) == [
        "main",
        "aux1",
        "aux2",
        "status",
        "sure",
        "certain",
        "families",
        "answer",
    ]
    assert heads["status"] == {"main": TRAINED, "aux1": TRAINED, "aux2": UNTRAINED}
    for head in ("main", "aux1"):
        rows = heads[head]
        assert [set(row) for row in rows] == [{"class", "probability", "status"}] * 2
        assert sum(row["probability"] for row in rows) == pytest.approx(1)
        assert rows[0]["probability"] >= rows[1]["probability"]
        assert {row["class"] for row in rows} == {"cat", "dog"}
        assert {row["status"] for row in rows} == {TRAINED}
    assert heads["aux2"] == []  # an untrained head has no belief


def test_predict_gives_a_list_for_several_pictures(weights, photo, answer):
    both = answer("predict", photo, photo, "--weights", weights, "--top", "1")
    assert len(both) == 2 and both[0] == both[1] and len(both[0]["main"]) == 1


def test_a_broken_picture_leaves_the_others_their_answers(weights, photo, tmp_path, capsys):
    broken = tmp_path / "cut.png"
    broken.write_bytes(Path(photo).read_bytes()[:200])
    command = ["predict", photo, str(broken), str(tmp_path / "none.png"), photo]
    assert main([*command, "--weights", weights]) == 2
    said = capsys.readouterr()
    assert said.out.count("%  cat") == 4 and said.out.count(f"{photo}\n") == 2
    first, second = said.err.splitlines()
    assert first.startswith("gnet: ") and "cut.png" in first
    assert second.startswith("gnet: There is no file") and "none.png" in second
    assert main([*command, "--weights", weights, "--json"]) == 2
    answers = json.loads(capsys.readouterr().out)
    assert [answer is None for answer in answers] == [False, True, True, False]
    assert main(["predict", str(broken), str(broken), "--weights", weights]) == 2
    assert capsys.readouterr().out == ""


def test_predict_prints_a_table(weights, photo, capsys):
    assert main(["predict", photo, "--weights", weights]) == 0
    text = capsys.readouterr().out
    assert f"main  ({TRAINED})" in text and text.endswith("aux2  (untrained)\n")
    assert "%  cat" in text


def test_predict_gives_the_family_where_the_head_is_not_sure(
    weights, photo, answer, tmp_path, capsys
):
    model, doubtful = load(weights), tmp_path / "doubtful.safetensors"
    never = Sureness(score="maximum probability", threshold=2.0, false_alarms=1.0, detected=1.0)
    families = tuple("pet" for _ in model.info.classes)
    save_info(weights, replace(model.info, families=families, sure={"main": never}), doubtful)
    shares = answer("predict", photo, "--weights", doubtful)["families"]["main"]
    assert shares == {"pet": pytest.approx(1)}
    assert main(["predict", photo, "--weights", str(doubtful)]) == 0
    text = capsys.readouterr().out
    assert f"main  ({TRAINED})  not sure; nearest is " in text
    of_class = replace(never, threshold=0.0, certain=1.0)
    save_info(doubtful, replace(load(doubtful).info, sure={"main": of_class}), doubtful)
    assert answer("predict", photo, "--weights", doubtful)["certain"]["main"] is False
    assert main(["predict", photo, "--weights", str(doubtful)]) == 0
    text = capsys.readouterr().out
    assert f"main  ({TRAINED})  a pet, 100 %; most likely " in text


def test_explore_writes_figures_and_the_recording(weights, photo, answer, tmp_path):
    told = answer("explore", photo, "--weights", weights, "--out", tmp_path / "out")
    files = [Path(name) for name in told["files"]]
    assert all(path.stat().st_size > 0 for path in files)
    names = {path.name for path in files}
    modules = {f"module-{stage}.png" for stage in STAGES}
    views = {"heads.png", "depth.png", "overview.png"}
    assert names == modules | views | {"recording.safetensors"}
    shares = [row["share"] for row in told["branches"]["3a"].values()]
    assert sum(shares) == pytest.approx(1)
    model = fold(load(weights))
    pixels = to_pixels(open_picture(photo), model.info.preprocessing)
    assert told["measured"] == effective_fields(model, pixels)


@pytest.mark.parametrize("method", METHODS)
def test_attribute_explains_by_every_method(method, weights, photo, answer, tmp_path):
    figure = tmp_path / "why.png"
    asked = ("--method", method, "--target", "dog", "--out", figure)
    place = ("--stage", "3a") if METHODS[method].needs_stage else ()
    steps = ("--steps", 2) if METHODS[method].has("steps") else ()
    told = answer("attribute", photo, "--weights", weights, *asked, *place, *steps)
    assert told["method"] == method and told["target_name"] == "dog" and told["head"] == "main"
    assert figure.stat().st_size > 0


@pytest.mark.parametrize(
    ("method", "option", "value", "having"),
    [
        ("grad-cam", "--patch", 30, "occlusion does"),
        ("saliency", "--module", "4d", "grad-cam, guided-grad-cam and layer-conductance do"),
        ("occlusion", "--samples", 2, "smooth-grad does"),
        ("saliency", "--branch", "5x5", "grad-cam, guided-grad-cam and layer-conductance do"),
    ],
)
def test_an_option_that_the_method_does_not_take_is_refused(
    method, option, value, having, weights, photo, refusal
):
    said = refusal("attribute", photo, "--weights", weights, "--method", method, option, value)
    given = f"{option} {value} was given with {method}, which does not take it; {having}."
    assert said == f"gnet: {given}\n"


@pytest.mark.parametrize("command", ["attribute", "map", "account"])
def test_a_class_without_a_name_is_refused(command, weights, photo, refusal):
    assert "knows no class ''" in refusal(command, photo, "--weights", weights, "--class", "")


def test_a_fall_of_nothing_has_no_minus_sign(weights, photo, capsys):
    for command in ("map", "account"):
        assert main([command, photo, "--weights", weights]) == 0
        assert not re.search(r"[-−]0\.0+(?!\d)", capsys.readouterr().out)


def test_grad_cam_of_all_branches_is_printed_in_one_go(
    weights, photo, answer, refusal, capsys, tmp_path
):
    asked = ("attribute", photo, "--weights", weights, "--branch", "all")
    told = answer(*asked, "--method", "grad-cam", "--head", "aux1")
    assert list(told["maps"])[:5] == ["3a/1x1", "3a/3x3", "3a/5x5", "3a/pool", "3b/1x1"]
    assert len(told["maps"]) == 12 and min(map(min, told["maps"]["4a/pool"])) >= 0
    capsys.readouterr()
    assert main([str(part) for part in (*asked, "--method", "grad-cam")]) == 0
    assert "5b/pool" in capsys.readouterr().out
    figure = tmp_path / "cams.svg"
    answer(*asked, "--method", "grad-cam", "--out", figure)
    assert "Grad-CAM of all branches" in figure.read_text()
    assert "all goes with grad-cam" in refusal(*asked, "--method", "saliency")
    assert "--check is for one map" in refusal(*asked, "--method", "grad-cam", "--check")


def test_attribute_checks_its_map_when_asked(weights, photo, answer):
    asked = ("--method", "occlusion", "--patch", 30, "--stride", 30, "--check")
    told = answer("attribute", photo, "--weights", weights, *asked)
    assert told["options"] == {"baseline": "mean", "patch": 30, "stride": 30}
    assert told["invalid"] is None
    assert told["curves"]["deletion"]["area"] >= 0
    assert next(iter(told["sanity"]["similarities"])) == "main"


def test_a_picture_that_is_none_is_refused(weights, refusal, tmp_path):
    (tmp_path / "text.png").write_text("not a picture")
    refusal("predict", tmp_path / "text.png", "--weights", weights)
    said = refusal("predict", tmp_path / "missing.png", "--weights", weights)
    assert "missing.png" in said


def test_weights_that_are_none_are_refused(photo, refusal, tmp_path):
    (tmp_path / "w.pth").write_bytes(pickle.dumps({"a": 1}))
    assert "pickle" in refusal("predict", photo, "--weights", tmp_path / "w.pth")
    assert "There is no file" in refusal("predict", photo, "--weights", tmp_path / "missing")


def test_weights_of_another_architecture_are_refused(weights, photo, refusal, tmp_path):
    model = load(weights)
    model.config = replace(model.config, width=0.25)
    save(model, tmp_path / "other.safetensors")
    said = refusal("predict", photo, "--weights", tmp_path / "other.safetensors")
    assert "of another architecture" in said


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        (["--method", "magic"], "There is no method 'magic'; there are grad-cam,"),
        (["--target", "unicorn"], "The network knows no class 'unicorn'"),
        (["--target", "2"], "allowed are numbers from 0 to 1."),
        (["--method", "grad-cam"], "none was named"),
        (["--method", "grad-cam", "--stage", "9z"], "There is no module '9z'"),
        (["--method", "grad-cam", "--stage", "5b", "--head", "aux1"], "5b lies behind aux1"),
        (["--head", "aux2"], "Head aux2 of this network is untrained"),
        (["--head", "tail"], "There is no head 'tail'"),
        (["--steps", "100000"], "allowed are whole numbers from 2 to 1024."),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_question_that_cannot_be_answered_is_refused(
    arguments, sentence, weights, photo, refusal
):
    assert sentence in refusal("attribute", photo, "--weights", weights, *arguments)


def test_what_cannot_be_written_is_refused(weights, photo, refusal, tmp_path):
    (tmp_path / "file").write_text("")
    below = tmp_path / "file" / "out"
    assert "Cannot write" in refusal("explore", photo, "--weights", weights, "--out", below)
    export = ("export", "--format", "json", "--weights", weights, "--out", below)
    assert "Cannot write" in refusal(*export)


def test_the_method_help_names_every_method(capsys):
    with pytest.raises(SystemExit):
        main(["attribute", "--help"])
    said = "".join(capsys.readouterr().out.split())  # a name may be broken at its hyphen
    assert all(name in said for name in METHODS)


def test_ablate_gives_each_head_before_and_after(weights, photo, answer, capsys):
    command = ("ablate", photo, "--weights", weights, "--off", "4b/5x5", "--scale", "5a/pool=0.5")
    found = answer(*command, "--mean", "4d/3x3")
    assert found["switches"] == {"4b/5x5": 0.0, "4d/3x3": "mean", "5a/pool": 0.5}
    assert found["reached"] == ["aux2", "main"]
    assert found["reference"].endswith("example pictures")
    assert set(found["heads"]) == {"main", "aux1"}  # aux2 is untrained
    assert found["heads"]["aux1"]["before"] == found["heads"]["aux1"]["after"]
    assert found["heads"]["main"]["before"] != found["heads"]["main"]["after"]
    assert main(list(command)) == 0
    said = capsys.readouterr().out
    assert said.startswith(
        "With the 5×5 branch of 4b off and the pool branch of 5a times 0.5, main goes from"
    )
    assert "aux1  (not reached by the switches)" in said


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (["--off", "4b/7x7"], "4b/7x7"),
        (["--scale", "4b/5x5=-1"], "'-1'"),
        (["--scale", "4b/5x5=nan"], "'nan'"),
        (["--scale", "4b/5x5"], "--scale"),
    ],
)
def test_a_switch_that_is_wrong_is_a_sentence(weights, photo, capsys, options, word):
    assert main(["ablate", photo, "--weights", weights, *options]) == 2
    assert word in capsys.readouterr().err


def test_map_gives_each_branch_s_worth(weights, photo, answer, capsys, tmp_path):
    figure = tmp_path / "map.svg"
    command = ("map", photo, "--weights", weights, "--class", "dog")
    found = answer(*command, "--out", str(figure))
    assert figure.read_text().startswith("<?xml")
    assert (found["class"], found["head"], len(found["branches"])) == ("dog", "main", 36)
    assert all(set(row) == {"off", "mean"} for row in found["branches"].values())
    early = answer(*command, "--head", "aux1")["branches"]
    assert early["4a/pool"]["off"] and early["4b/1x1"]["off"] is None
    assert main(list(command)) == 0
    assert capsys.readouterr().out.count("\n") == 38
    assert main([*command, "--head", "aux2"]) == 2  # untrained
    assert "aux2" in capsys.readouterr().err


def test_account_splits_a_logit_over_each_module_s_branches(
    weights, photo, answer, capsys, tmp_path
):
    figure = tmp_path / "account.svg"
    command = ("account", photo, "--weights", weights, "--class", "dog", "--steps", "6")
    found = answer(*command, "--out", str(figure))
    assert figure.read_text().startswith("<?xml")
    for stage, error in found["errors"].items():
        carried = sum(found["branches"][f"{stage}/{branch}"] for branch in BRANCHES)
        assert carried - error == pytest.approx(found["to"] - found["from"], abs=0.02)
    assert answer(*command, "--head", "aux1")["branches"]["4b/1x1"] is None
    assert main(list(command)) == 0
    assert capsys.readouterr().out.startswith("From a plain picture to this one, the logit of dog")


def test_compare_pictures_sets_shares_side_by_side(weights, photo, answer, capsys):
    found = answer("compare-pictures", photo, photo, "--weights", weights)
    shares = [row["share"] for row in found["branches"]["4b"].values()]
    assert all(one == two for one, two in shares)
    assert sum(one for one, _ in shares) == pytest.approx(1)
    assert main(["compare-pictures", photo, photo, "--weights", weights]) == 0
    assert "5b  1x1" in capsys.readouterr().out


@pytest.mark.parametrize(
    "command",
    [
        ("predict",),
        ("explore",),
        ("explore", "--module", "4b", "--off", "4b/5x5"),
        ("depth", "--class", "dog"),
        ("channel", "--module", "4b", "--branch", "3x3", "--channel", "2"),
        ("ablate", "--off", "4b/5x5"),
        ("map",),
        ("attribute", "--method", "saliency"),
    ],
    ids=" ".join,
)
def test_a_view_is_written_as_figure_and_numbers(command, weights, photo, tmp_path, capsys):
    name, *options = command
    call = [name, photo, "--weights", weights, *options]
    for kind in ("svg", "csv", "json"):
        assert main([*call, "--out", str(tmp_path / f"view.{kind}")]) == 0
    capsys.readouterr()
    assert main([*call, "--csv"]) == 0
    text = (tmp_path / "view.csv").read_text()
    assert capsys.readouterr().out == text
    rows = json.loads((tmp_path / "view.json").read_text())["rows"]
    assert len(text.splitlines()) == 1 + len(rows) > 1
    assert text.splitlines()[0].split(",") == list(rows[0])
    drawn = (tmp_path / "view.svg").read_text()
    assert ("branch of 4b off" in drawn) == ("--off" in command)
    assert ("4b/5x5=0.0" in text) == ("--off" in command)


def test_a_view_that_cannot_be_written_so_is_refused(weights, photo, refusal, tmp_path):
    call = ("explore", photo, "--weights", weights, "--module", "4b")
    assert "allowed are png, svg" in refusal(*call, "--format", "bmp")
    assert "give one of them" in refusal(*call, "--csv", "--json")
    many = ("predict", photo, photo, "--weights", weights, "--csv")
    assert "are for one" in refusal(*many)
    missing = ("depth", photo, "--weights", weights, "--out", tmp_path / "view.bmp")
    assert "file is 'view.bmp'" in refusal(*missing)


def test_scales_are_printed_drawn_and_refused_for_other_modules(weights, answer, tmp_path, capsys):
    figure = tmp_path / "scales.svg"
    found = answer("scales", "--module", "4b", "--weights", weights, "--out", str(figure))
    assert set(found["curves"]) == {"1x1", "3x3", "5x5", "pool"} and len(found["periods"]) >= 8
    assert "px from one stripe to the next" in figure.read_text(encoding="utf-8")
    assert main(["scales", "--module", "4b", "--weights", weights]) == 0
    assert capsys.readouterr().out.rstrip().endswith(found["sentence"])
    assert main(["scales", "--module", "4f", "--weights", weights]) == 2
    assert "3a" in capsys.readouterr().err
