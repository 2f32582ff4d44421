"""`gnet train --resume`, but that judging an epoch takes long enough for somebody to stop it."""

import sys
import time
from typing import Any

COMMAND = (sys.executable, __file__)
SECONDS = 60


def main() -> int:
    from gnet.commands.main import main
    from gnet.evaluation.accuracy import Stopped, evaluate
    from gnet.training import epochs as judging

    def slowly(*given: Any, stop: Any, **more: Any) -> Any:
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            if stop():
                raise Stopped
            time.sleep(0.02)
        return evaluate(*given, stop=stop, **more)

    judging.evaluate = slowly
    return main(["train", "--resume", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
