"""Speed against torchvision's GoogLeNet, measured side by side in one run.

Every figure is a ratio of medians over turns that alternate, so that other work on the machine
slows both sides. Knows nothing of pages or files.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from itertools import cycle
from typing import Any

import torch
import torchvision
from captum.attr import LayerConductance
from torch import Tensor

from gnet.explain.account import account
from gnet.explain.recording import record
from gnet.explain.worth import branch_worth
from gnet.network.config import BRANCHES, STAGES, ModelConfig
from gnet.network.folding import fold
from gnet.network.hooks import watching
from gnet.network.model import GoogLeNet
from gnet.runs.events import RunStarted, StepDone
from gnet.runs.train_config import TrainConfig
from gnet.studies.speed import bench_forward, bench_reasons
from gnet.studies.speed.bench_forward import networks
from gnet.studies.speed.plain_loop import CLASSES, Turns, own_process, plain_loop
from gnet.system.processes import TUNABLES
from gnet.system.progress import Progress
from gnet.training.loop import train

RECORD_SIZE, BATCH = 224, 64
TRAIN_SIZES = {"train_128": 128, "train_64": 64}
WORKERS = (0, 2)
"""What the plain loop's DataLoader is tried with; the faster is taken."""
LEAD_IN, STEPS = 2, 4
"""Steps of a turn that are not timed, and that are."""
POINTS = 50
"""Steps of the account, on both sides: captum's default and ours."""
GOALS = {
    "record": 1.6,
    "map": 9.0,
    "account": 60.0,
    "train_128": 3.0,
    "train_64": 2.0,
}
BRANCHES_IN_ALL = len(STAGES) * len(BRANCHES)
GOALS_WITHOUT_MATRIX_UNITS = {"train_128": 2.4, "train_64": 2.0}
"""The goals of training on a machine without bf16 matrix units."""


def bench(*, rounds: int = 5, progress: Progress | None = None) -> dict[str, Any]:
    """Measure recording and training; `rounds` turns of each side.

    `record`: one picture, 224 px, 36 branches and three heads against torchvision's bare eager
    forward. `max_error` is the largest difference from torchvision's own values: within a
    branch's maps relative to their maximum, for a probability absolute. `map`: each of the 36
    branches switched off, against 36 bare forwards. `account`: what all 36 branches carry of a
    logit, against 36 calls of captum's LayerConductance, of which nine are made, one account after
    each. `grad_cams`, `integrated` and `occlusion`: see `bench_reasons`. `forward_224_1` and its
    like: see `bench_forward`. `train_128`, `train_64`: pictures/s of `train` against a plain
    torchvision fp32 loop with a DataLoader, batch 64: the same pictures in memory, the same
    threads, crops and flips on all sides. `ratio` is against that loop in this process, which has
    the large memory pages that training gains from; `ratio_to_own_process` against it in a process
    of its own without them, as its users run it. All steps lie within one epoch, so that neither
    side validates or saves anything while it is timed.
    """
    total = 4 * rounds + 3
    done = 0

    def turn() -> None:
        nonlocal done
        done += 1
        if progress:
            progress(done, total)

    unit = machine()
    result = _one_picture(rounds, turn)
    result |= bench_forward.bench_forward(rounds=rounds)
    turn()
    result |= {name: _train(size, rounds, turn) for name, size in TRAIN_SIZES.items()}
    for name, row in result.items():
        if "goal" not in row:
            row["goal"] = goal(name, unit)
    return {**result, "machine": unit}


def goal(name: str, unit: dict[str, Any]) -> float:
    """The ratio that `name` should reach on the machine `unit`."""
    able = unit["bf16_matrix_units"]
    return (GOALS if able else GOALS | GOALS_WITHOUT_MATRIX_UNITS)[name]


def machine() -> dict[str, Any]:
    """What decides the figures: threads, instruction sets, versions."""
    able = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    return {
        "threads": torch.get_num_threads(),
        "bf16_matrix_units": bool(able.get("amx_bf16") or able.get("sme")),
        "bf16_instructions": bool(able.get("avx512_bf16") or able.get("bf16")),
        "large_pages": "glibc.malloc.hugetlb=1" in os.environ.get(TUNABLES, "").split(":"),
        "capability": torch.backends.cpu.get_cpu_capability(),
        "torch": torch.__version__,
        "torchvision": torchvision.__version__,
    }


def table(result: dict[str, Any]) -> str:
    """The result as lines for a terminal."""
    unit, about, mapped = result["machine"], result["record"], result["map"]
    split = result["account"]
    pages = "with" if unit["large_pages"] else "without"
    bf16 = "has" if unit["bf16_matrix_units"] else "lacks"
    rows = [
        f"record      {about['ratio']:5.2f} times torchvision's bare forward "
        f"({about['milliseconds']:.1f} ms against {about['torchvision_milliseconds']:.1f} ms; "
        f"largest error {about['max_error']:.1e}; {about['path']}; goal {about['goal']})",
        f"map         {mapped['ratio']:5.2f} times 36 bare forwards "
        f"({mapped['milliseconds']:.0f} ms for 36 branches switched off; goal {mapped['goal']})",
        f"account     {split['ratio']:5.2f} times 36 calls of captum's LayerConductance "
        f"({split['milliseconds']:.0f} ms for {POINTS} steps; goal {split['goal']})",
    ]
    rows += bench_reasons.lines({name: result[name] for name in bench_reasons.GOALS})
    rows.append(bench_forward.table({n: r for n, r in result.items() if n.startswith("forward_")}))
    for name in ("train_128", "train_64"):
        row = result[name]
        rows.append(
            f"{name:<10}  {row['ratio']:5.2f} times a plain torchvision loop in the same process "
            f"({row['pictures_per_second']:.0f} against "
            f"{row['torchvision_pictures_per_second']:.0f} pictures/s; {row['precision']}; "
            f"its DataLoader with {row['torchvision_workers']} workers; goal {row['goal']})\n"
            f"{'':<10}  {row['ratio_to_own_process']:5.2f} times the same loop in a process of its "
            f"own, without GLIBC_TUNABLES "
            f"({row['torchvision_own_process_pictures_per_second']:.0f} pictures/s)"
        )
    rows.append(
        f"{unit['threads']} threads; the CPU {bf16} bf16 matrix units; {unit['capability']}; "
        f"this process {pages} large memory pages"
    )
    return "\n".join(rows)


def _one_picture(rounds: int, turn: Callable[[], None]) -> dict[str, Any]:
    theirs, model, pictures = networks(RECORD_SIZE)
    folded, pixels = fold(model), pictures[:1]
    inputs = model.info.preprocessing.normalise(pixels)

    recorded, mapped, bare = [], [], []
    recording = record(folded, pixels)
    with torch.no_grad():
        for _ in range(rounds):
            bare.append(_seconds(lambda: theirs(inputs)))
            recorded.append(_seconds(lambda: record(folded, pixels)))
            turn()
            mapped.append(_seconds(lambda: branch_worth(folded, recording), times=3))
            turn()
    split = _account(model, folded, pixels)
    turn()
    mine, maps, reference = map(statistics.median, (recorded, mapped, bare))
    reasons = bench_reasons.bench_reasons(theirs, model, folded, pixels)
    turn()
    return {
        **reasons,
        "record": {
            "ratio": reference / mine,
            "max_error": recording_error(theirs, folded, pixels, inputs),
            "milliseconds": 1000 * mine,
            "torchvision_milliseconds": 1000 * reference,
            "path": "batch norm folded, channels-last",
        },
        "map": {"ratio": BRANCHES_IN_ALL * reference / maps, "milliseconds": 1000 * maps},
        "account": split,
    }


def _account(model: GoogLeNet, folded: GoogLeNet, pixels: Tensor) -> dict[str, float]:
    """One call of captum's for each module, another branch each time, and an account after each."""
    called, split = [], []
    for stage, branch in zip(STAGES, cycle(BRANCHES), strict=False):
        one = partial(conductance, model, pixels, stage, branch, steps=POINTS)
        called.append(_seconds(one, times=1, lead_in=0))
        every = partial(account, folded, pixels, target=0, steps=POINTS)
        split.append(_seconds(every, times=1, lead_in=0))
    middle = statistics.median(split)
    return {"ratio": len(BRANCHES) * sum(called) / middle, "milliseconds": 1000 * middle}


def conductance(model: GoogLeNet, pixels: Tensor, stage: str, branch: str, steps: int) -> Tensor:
    """What one branch carries of the first class's logit, by captum: (channels, h, w)."""
    normalise, network = model.info.preprocessing.normalise, model.until("main")
    baseline = pixels.new_tensor(model.info.preprocessing.mean).view(1, 3, 1, 1).expand_as(pixels)
    layer = model.inceptions()[stage].branch_modules()[branch]
    values = LayerConductance(lambda x: network(normalise(x)), layer).attribute(
        pixels, baselines=baseline, target=0, n_steps=steps, method="riemann_trapezoid"
    )
    assert isinstance(values, Tensor)
    return values[0].detach()


def _seconds(call: Callable[[], Any], times: int = 10, lead_in: int = 2) -> float:
    """Median seconds of one call, after `lead_in` to warm up."""
    for _ in range(lead_in):
        call()
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        call()
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken)


@torch.no_grad()
def recording_error(
    theirs: torchvision.models.GoogLeNet, folded: GoogLeNet, pixels: Tensor, inputs: Tensor
) -> float:
    """The recording against torchvision's own branch outputs and its heads' probabilities."""
    modules = {
        (stage, number): theirs.get_submodule(f"inception{stage}.branch{number}")
        for stage in STAGES
        for number in (1, 2, 3, 4)
    }
    with watching(modules) as passed:
        main = theirs(inputs)
    aux1 = theirs.get_submodule("aux1")(
        torch.cat([passed["4a", n].output for n in (1, 2, 3, 4)], 1)
    )
    aux2 = theirs.get_submodule("aux2")(
        torch.cat([passed["4d", n].output for n in (1, 2, 3, 4)], 1)
    )
    recording = record(folded, pixels)
    errors = []
    for stage in STAGES:
        for number, own in enumerate(recording.branches[stage].values(), start=1):
            reference = passed[stage, number].output[0]
            errors.append(((own - reference).abs().max() / reference.abs().max()).item())
    for head, logits in (("main", main), ("aux1", aux1), ("aux2", aux2)):
        own = recording.logits[head].softmax(0)
        errors.append((own - logits[0].softmax(0)).abs().max().item())
    return max(errors)


def _train(size: int, rounds: int, turn: Callable[[], None]) -> dict[str, Any]:
    needed = rounds * (LEAD_IN + STEPS) * BATCH
    per_class = -(-needed // CLASSES) + BATCH
    turns = Turns(size=size, per_class=per_class, batch=BATCH, lead_in=LEAD_IN, steps=STEPS)
    pictures = turns.pictures()
    workers = max(WORKERS, key=lambda n: turns.rate(plain_loop(turns, pictures, n)))
    config = TrainConfig(
        model=ModelConfig.preset("torchvision", init="he"),
        per_class=per_class,
        size=size,
        epochs=1,
        batch=BATCH,
        schedule="constant",
    )
    mine, here, apart = [], [], []
    plain = plain_loop(turns, pictures, workers)
    with own_process(turns, workers) as other, closing(train(config)) as run:
        precision = next(e.precision for e in run if isinstance(e, RunStarted))
        ours = (BATCH for event in run if isinstance(event, StepDone))
        for _ in range(rounds):
            here.append(turns.rate(plain))
            apart.append(other.rate())
            mine.append(turns.rate(ours))
            turn()
    own, same, alone = map(statistics.median, (mine, here, apart))
    return {
        "ratio": own / same,
        "ratio_to_own_process": own / alone,
        "pictures_per_second": own,
        "torchvision_pictures_per_second": same,
        "torchvision_own_process_pictures_per_second": alone,
        "precision": precision,
        "torchvision_workers": workers,
    }
