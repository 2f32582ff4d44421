"""Serves examples/ray_serve.py by a small Ray of its own, on a free port, until its input ends.

Ray is imported by name, as it is not installed everywhere.
"""

import importlib
import socket
import sys
import tempfile
from typing import Any


def main() -> None:
    ray: Any = importlib.import_module("ray")
    serve: Any = importlib.import_module("ray.serve")
    page: Any = importlib.import_module("examples.ray_serve").gnet
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        host, port = free.getsockname()
    # Ray's sockets lie in this folder, and the system allows them short names only.
    with tempfile.TemporaryDirectory(prefix="ray-", dir="/tmp") as folder:
        ray.init(
            num_cpus=1,
            include_dashboard=False,
            object_store_memory=80_000_000,
            log_to_driver=False,
            _temp_dir=folder,
        )
        try:
            serve.start(proxy_location="HeadOnly", http_options={"host": host, "port": port})
            serve.run(page)
            print(f"gnet is at http://{host}:{port}", flush=True)
            sys.stdin.read()
        finally:
            serve.shutdown()
            ray.shutdown()


if __name__ == "__main__":
    main()
