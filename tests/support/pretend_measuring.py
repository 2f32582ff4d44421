"""A stand-in for the process that measures before a run: it answers at once, and as it is told.

The seed of the run it is asked about says what it does.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path

COMMAND = (sys.executable, "-S", "-E", __file__)
SECONDS = 9.0
"""What an epoch is said to take."""
HANGS, FAILS, CRASHES, VANISHES = 11, 12, 13, 14


def main(what: str) -> int:
    config = json.loads(sys.stdin.readline())
    note = os.environ.get("PRETEND_MEASURING")
    if note:
        with Path(note).open("a") as file:
            file.write(f"{what} {os.getpid()} {os.nice(0)} {config['seed']}\n")
    if config["seed"] == HANGS:
        time.sleep(600)
    if config["seed"] == FAILS:
        print("gnet: The training set has 1 pictures; 2 are the least.", file=sys.stderr)
        return 2
    if config["seed"] == CRASHES:
        raise RuntimeError("out of luck")
    if config["seed"] == VANISHES:
        os.kill(os.getpid(), signal.SIGKILL)
    answer = {"seconds_per_epoch": SECONDS, "pictures_per_second": 400.0, "steps": 20}
    if what == "find-rate":
        answer = {"rates": [1e-3, 1e-2, 1e-1], "losses": [2.0, 1.0, 3.0], "suggested": 1e-3}
    print(json.dumps(answer))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
