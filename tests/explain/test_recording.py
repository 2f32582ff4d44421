"""Recordings: what one pass keeps, that the model is as before, and the numbers drawn from it."""

import dataclasses
import json
import math
from collections.abc import Mapping

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn

from gnet.errors import GnetError
from gnet.explain.belief import belief, probabilities
from gnet.explain.branches import mean_map, statistics
from gnet.explain.recording import Recording, record
from gnet.network.config import BRANCHES, HEADS, PROBE, STAGES, TRAINED, UNTRAINED, ModelConfig
from gnet.network.folding import fold
from gnet.network.info import ModelInfo, Preprocessing
from gnet.network.model import GoogLeNet
from gnet.network.receptive_field import receptive_fields

CLASSES = ("cat", "cup", "boat", "tree", "lamp")
INFO = ModelInfo(
    name="test",
    classes=CLASSES,
    preprocessing=Preprocessing(size=64, mean=(0.4, 0.5, 0.6), std=(0.2, 0.3, 0.25)),
    heads={"main": TRAINED, "aux1": TRAINED, "aux2": PROBE},
)


def small(preset: str = "batch-norm", **changes: object) -> GoogLeNet:
    """A narrow net with lively batch norm, in eval mode."""
    torch.manual_seed(3)
    config = ModelConfig.preset(preset, width=0.125, num_classes=5, **changes)
    model = GoogLeNet(config, INFO)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            assert module.running_mean is not None and module.running_var is not None
            nn.init.normal_(module.running_mean, std=0.3)
            nn.init.uniform_(module.running_var, 0.5, 2.0)
            nn.init.normal_(module.bias, std=0.3)
    return model.eval()


@pytest.fixture(scope="module")
def model() -> GoogLeNet:
    return small()


@pytest.fixture(scope="module")
def pixels() -> torch.Tensor:
    return torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(5))


@pytest.fixture(scope="module")
def recording(model, pixels) -> Recording:
    return record(model, pixels)


def hooks_of(model: nn.Module) -> int:
    return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules())


def same(one: Recording, other: Recording) -> bool:
    return (
        torch.equal(one.pixels, other.pixels)
        and all(torch.equal(one.inputs[s], other.inputs[s]) for s in STAGES)
        and all(
            torch.equal(one.branches[s][b], other.branches[s][b]) for s in STAGES for b in BRANCHES
        )
        and one.logits.keys() == other.logits.keys()
        and all(torch.equal(one.logits[h], other.logits[h]) for h in one.logits)
    )


@pytest.mark.parametrize("preset", ["batch-norm", "torchvision", "pre-activation"])
def test_a_recording_equals_what_naive_hooks_see(preset, pixels):
    model = small(preset)
    seen: dict[tuple[str, str], torch.Tensor] = {}
    handles = []
    for stage, inception in model.inceptions().items():
        for branch, module in inception.branch_modules().items():

            def keep(_module, _args, output, key=(stage, branch)):
                seen[key] = output[0].clone()

            handles.append(module.register_forward_hook(keep))

        def keep_input(_module, args, key=(stage, "input")):
            seen[key] = args[0][0].clone()

        handles.append(inception.register_forward_pre_hook(keep_input))
    with torch.no_grad():
        logits = model(INFO.preprocessing.normalise(pixels))
    for handle in handles:
        handle.remove()

    recording = record(model, pixels)
    for stage in STAGES:
        assert torch.equal(recording.inputs[stage], seen[stage, "input"])
        for branch in BRANCHES:
            assert torch.equal(recording.branches[stage][branch], seen[stage, branch])
    for head in HEADS:
        assert torch.equal(recording.logits[head], getattr(logits, head)[0])
    assert recording.signed == (preset == "pre-activation")
    assert recording.kernel_5x5 == (3 if preset == "torchvision" else 5)


def test_branches_concatenate_to_the_module_output(model, recording):
    for stage, inception in model.inceptions().items():
        whole = torch.cat(list(recording.branches[stage].values()))
        assert torch.equal(whole, recording.outputs[stage])
        with torch.no_grad():
            assert torch.equal(whole, inception(recording.inputs[stage][None])[0])


def test_a_recording_is_plain_data_on_the_cpu(recording):
    tensors = [recording.pixels, *recording.inputs.values(), *recording.logits.values()]
    tensors += [recording.branches[s][b] for s in STAGES for b in BRANCHES]
    for tensor in tensors:
        assert tensor.dtype == torch.float32 and tensor.device.type == "cpu"
        assert not tensor.requires_grad and tensor.grad_fn is None
    assert not any(
        isinstance(getattr(recording, field.name), nn.Module)
        for field in dataclasses.fields(recording)
    )
    with pytest.raises(dataclasses.FrozenInstanceError):
        recording.signed = True


def test_the_model_is_recorded_in_eval_mode_and_gets_its_mode_back(pixels):
    model = small()
    calm = record(model, pixels)
    model.train()
    model.inception4a.eval()
    means = model.state_dict()["conv1.bn.running_mean"].clone()
    assert same(record(model, pixels), calm)
    assert model.training and model.fc.training and not model.inception4a.branch1.training
    assert torch.equal(model.state_dict()["conv1.bn.running_mean"], means)


def test_recorded_twice_is_equal(model, pixels, recording):
    assert same(record(model, pixels), recording)


def test_no_hook_survives_a_pass(model, pixels):
    record(model, pixels)
    assert hooks_of(model) == 0


def test_no_hook_survives_a_failing_forward(pixels):
    model = small().train()
    model.inception4c.branch3 = nn.Sequential(nn.Conv2d(1, 1, 1))
    with pytest.raises(RuntimeError):
        record(model, pixels)
    assert hooks_of(model) == 0
    assert all(module.training for module in model.modules())


def test_a_folded_network_records_the_same_to_1e4():
    model = small()
    pixels = torch.rand(1, 3, 96, 96, generator=torch.Generator().manual_seed(6))
    plain, folded = record(model, pixels), record(fold(model), pixels)
    for stage in STAGES:
        for branch in BRANCHES:
            one, other = plain.branches[stage][branch], folded.branches[stage][branch]
            assert (one - other).abs().max() <= 1e-4 * one.abs().max()
    for head in HEADS:
        assert torch.allclose(
            plain.logits[head].softmax(0), folded.logits[head].softmax(0), atol=1e-4
        )


def test_a_network_without_heads_has_only_the_main_one(pixels):
    recording = record(small(aux=False), pixels)
    assert list(recording.logits) == ["main"]
    believed = belief(recording)
    assert list(believed.heads) == ["main"] and believed.agree is None


def test_shared_memory_is_counted_once(recording):
    assert recording.inputs["3b"].data_ptr() == recording.outputs["3a"].data_ptr()
    apart = [recording.pixels, *recording.logits.values(), *recording.outputs.values()]
    apart += [recording.inputs[stage] for stage in ("3a", "4a", "5a")]
    assert recording.nbytes == sum(tensor.numel() * 4 for tensor in apart)


@pytest.mark.parametrize("folded", [False, True])
def test_a_saved_recording_is_loaded_equal(tmp_path, pixels, folded):
    model = fold(small()) if folded else small()
    recording = record(model, pixels)
    recording.save(tmp_path / "cat.safetensors")
    loaded = Recording.load(tmp_path / "cat.safetensors")
    assert same(loaded, recording)
    assert loaded.fields == recording.fields == receptive_fields(model)
    for name in ("signed", "rectified", "kernel_5x5", "heads", "classes"):
        assert getattr(loaded, name) == getattr(recording, name)
    assert loaded.nbytes == recording.nbytes


def test_other_files_are_refused_in_a_sentence(tmp_path, recording):
    good = tmp_path / "good.safetensors"
    recording.save(good)
    files = {
        "text.safetensors": b"not a recording at all",
        "empty.safetensors": b"",
        "cut.safetensors": good.read_bytes()[:-1000],
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    save_file({"a": torch.zeros(2)}, tmp_path / "weights.safetensors")
    header = json.dumps({"format": "gnet recording 1"})
    save_file({"a": torch.zeros(2)}, tmp_path / "bare.safetensors", metadata={"recording": header})
    save_file({"a": torch.zeros(2)}, tmp_path / "list.safetensors", metadata={"recording": "[]"})
    for name in (*files, "weights.safetensors", "bare.safetensors", "list.safetensors"):
        with pytest.raises(GnetError, match=f"{name} is not a recording"):
            Recording.load(tmp_path / name)
    with pytest.raises(GnetError, match="There is no file"):
        Recording.load(tmp_path / "absent.safetensors")


@pytest.mark.parametrize("change", ["format", "precision", "shape", "part missing"])
def test_a_recording_of_another_make_is_refused(tmp_path, recording, change):
    path = tmp_path / "cat.safetensors"
    recording.save(path)
    with safe_open(path, "pt") as file:
        header = json.loads(file.metadata()["recording"])
    tensors = load_file(path)
    if change == "format":
        header["format"] += " b"
    elif change == "precision":
        tensors["output/4a"] = tensors["output/4a"].half()
    elif change == "shape":
        tensors["output/4a"] = tensors["output/4a"].flatten()
    else:
        del tensors["output/4a"]
    save_file(tensors, path, {"recording": json.dumps(header)})
    with pytest.raises(GnetError, match=r"cat\.safetensors is not a recording"):
        Recording.load(path)


def test_statistics_equal_their_definition(recording):
    for stage in STAGES:
        numbers = statistics(recording, stage, top=3)
        assert list(numbers) == list(BRANCHES)
        assert math.isclose(sum(n.share for n in numbers.values()), 1.0)
        whole = recording.outputs[stage]
        for branch, n in numbers.items():
            a = recording.branches[stage][branch]
            assert n.channels == len(a)
            assert torch.equal(whole[n.offset : n.offset + n.channels], a)
            assert n.sum == pytest.approx(float(a.abs().sum()), rel=1e-5)
            assert n.share == pytest.approx(float(a.abs().sum() / whole.abs().sum()), rel=1e-5)
            assert n.mean == pytest.approx(float(a.mean()), rel=1e-5)
            assert n.sparsity == pytest.approx(float((a == 0).float().mean()), abs=1e-6)
            means = a.mean((1, 2))
            assert means[list(n.top)].tolist() == means.sort(descending=True).values[:3].tolist()
            assert torch.equal(mean_map(recording, stage, branch), a.mean(0))


def test_signed_responses_have_no_sparsity_and_share_by_absolute_value(pixels):
    recording = record(small("pre-activation"), pixels)
    assert recording.branches["4b"]["3x3"].min() < 0
    numbers = statistics(recording, "4b")
    assert {n.sparsity for n in numbers.values()} == {None}
    assert math.isclose(sum(n.share for n in numbers.values()), 1.0)


def test_a_silent_module_has_no_shares(recording):
    silent = dict(recording.outputs) | {"4b": torch.zeros_like(recording.outputs["4b"])}
    branches = dict(recording.branches) | {
        "4b": {b: torch.zeros_like(a) for b, a in recording.branches["4b"].items()}
    }
    numbers = statistics(dataclasses.replace(recording, outputs=silent, branches=branches), "4b")
    assert {n.share for n in numbers.values()} == {0.0}
    assert {n.sparsity for n in numbers.values()} == {1.0}


def with_logits(recording: Recording, heads: Mapping, **logits: list[float]) -> Recording:
    values = {head: torch.tensor(row) for head, row in logits.items()}
    return dataclasses.replace(recording, logits=values, heads=dict(heads))


def test_belief_is_softmax_entropy_and_agreement(recording):
    trained = dict.fromkeys(HEADS, TRAINED)
    sure, even = [0.0, 9.0, 0.0, 0.0, 0.0], [0.0] * 5
    believed = belief(with_logits(recording, trained, aux1=sure, aux2=even, main=sure), top=2)
    assert believed.heads["main"].probabilities[1] == pytest.approx(math.e**9 / (math.e**9 + 4))
    assert believed.heads["main"].top[0] == 1 and len(believed.heads["main"].top) == 2
    assert believed.heads["aux2"].entropy == pytest.approx(math.log(5))
    assert believed.agree is False
    assert belief(with_logits(recording, trained, aux1=sure, aux2=sure, main=sure)).agree is True


def test_an_untrained_head_is_never_a_belief(recording):
    sure, other = [0.0, 9.0, 0.0, 0.0, 0.0], [9.0, 0.0, 0.0, 0.0, 0.0]
    heads = {"main": TRAINED, "aux1": UNTRAINED, "aux2": PROBE}
    believed = belief(with_logits(recording, heads, aux1=other, aux2=sure, main=sure))
    assert list(believed.heads) == ["aux2", "main"]
    assert believed.untrained == ("aux1",)
    assert believed.agree is True
    nobody = belief(with_logits(recording, dict.fromkeys(HEADS, UNTRAINED), main=sure))
    assert nobody.heads == {} and nobody.agree is None


def test_dead_rectified_outputs_are_read_as_no_idea():
    assert probabilities(torch.zeros(4), rectified=True).tolist() == [0.25] * 4
    assert probabilities(torch.tensor([0.6, 0.2]), rectified=True).tolist() == pytest.approx(
        [0.75, 0.25]
    )
