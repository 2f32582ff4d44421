"""A stand-in for the process that trains: the same files, requests and signals, and no network.

It starts in a twentieth of a second, and takes as long as its `epochs` of five steps say.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path

COMMAND = (sys.executable, "-S", "-E", __file__)
STEPS = 5
PAUSE = float(os.environ.get("PRETEND_PAUSE", "0.005"))
"""Seconds between two steps."""
FAILS, CRASHES, VANISHES = 1, 2, 3
"""Seeds of runs that end with a sentence, with a trace, and with nothing at all."""


def main(folder: Path) -> int:
    asked: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: asked.append(number))
    config = json.loads((folder / "config.json").read_text())
    if config["seed"] == FAILS:
        print("gnet: Cannot write it (No space left on device); make room.", file=sys.stderr)
        return 2
    if config["seed"] == CRASHES:
        raise RuntimeError("out of luck")
    if config["seed"] == VANISHES:
        os.kill(os.getpid(), signal.SIGKILL)

    events, saved = folder / "events.jsonl", folder / "state"
    fresh = not events.exists()
    begun = time.monotonic()

    def say(kind: str, **values: object) -> None:
        with events.open("a") as file:
            file.write(json.dumps({"type": kind, "step": step} | values) + "\n")

    step = int(saved.read_text()) if saved.exists() else 0
    say("RunResumed")
    if fresh:
        say(
            "RunStarted",
            steps=STEPS * config["epochs"],
            classes=["a", "b"],
            pictures={"train": 2, "val": 2},
            parameters=1,
            precision="fp32",
            threads=1,
            processes=1,
        )
    paused, taken = False, 0
    while step < STEPS * config["epochs"]:
        requests = json.loads((folder / "control.json").read_text())
        if asked or requests["stop"]:
            saved.write_text(str(step))
            say("RunEnded", reason="stopped", seconds=time.monotonic() - begun)
            return 0
        if requests["pause"] != paused:
            paused = requests["pause"]
            say("RunPaused" if paused else "RunContinued")
        time.sleep(PAUSE)
        if paused and requests["steps"] == taken:
            continue
        taken += paused
        step += 1
        rate = requests["learning_rate"] or config["learning_rate"]
        say(
            "StepDone",
            epoch=1 + (step - 1) // STEPS,
            size=config["size"],
            loss=1 / step,
            losses={"main": 1 / step},
            accuracy={"main": 0.5},
            learning_rate=rate,
            pictures_per_second=100.0,
            seconds=time.monotonic() - begun,
        )
        if step % STEPS == 0:
            (folder / "last.safetensors").touch()
            say(
                "EpochDone",
                epoch=step // STEPS,
                train_loss={"main": 0.5},
                train_accuracy={"main": 0.5},
                val_loss={"main": 0.5},
                val_accuracy={"main": 0.5},
                seconds=0.1 * step,
            )
    say("RunEnded", reason="finished", seconds=time.monotonic() - begun)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
