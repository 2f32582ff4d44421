"""Parses the command line, loads the weights, builds the page and launches it."""

import argparse
import os
import signal
import socket
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

DEFAULT_HOST, DEFAULT_PORT = "127.0.0.1", 7860


def main(arguments: list[str] | None = None) -> int:
    """Serve the page until interrupted; 2 for a mistake the caller can mend."""
    options = _parser().parse_args(arguments)

    from gnet.errors import GnetError

    try:
        serve(options.host, options.port, options.weights)
    except GnetError as error:
        print(f"gnet: {error}", file=sys.stderr)
        return 2
    return 0


def serve(host: str, port: int, weights: str) -> None:
    """Load, build, launch; returns when the server has stopped."""
    check_port(host, port)

    import torch

    from gnet import ui
    from gnet.ui.environment import prepare
    from gnet.weights import load

    # Requests wait in one line; half of the cores is left to whoever else works here.
    torch.set_num_threads(max(1, min(4, (os.cpu_count() or 1) // 2)))
    model = load(weights)
    prepare()  # before gradio is imported
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # so that uploads are deleted then, too
    page = ui.build(model)
    page.launch(
        server_name=host,
        server_port=port,
        quiet=True,
        prevent_thread_lock=True,
        **ui.launch_options(),
    )
    print(f"gnet is at http://{'localhost' if host == '0.0.0.0' else host}:{port}", flush=True)
    page.block_thread()


def check_port(host: str, port: int) -> None:
    """Raise `GnetError` when nobody can listen there."""
    from gnet.errors import GnetError

    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            if os.name == "posix":
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        reason = error.strerror or str(error)
        raise GnetError(
            f"cannot listen on {host}:{port} ({reason}); choose another with --host and --port"
        ) from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="gnet, a browser lab for GoogLeNet.")
    parser.add_argument(
        "--host",
        default=os.environ.get("GRADIO_SERVER_NAME") or DEFAULT_HOST,
        help=f"address to listen on ({DEFAULT_HOST}); 0.0.0.0 for the whole network",
    )
    parser.add_argument(
        "--port",
        type=_port,
        default=os.environ.get("GRADIO_SERVER_PORT") or str(DEFAULT_PORT),
        help=f"port to listen on ({DEFAULT_PORT})",
    )
    parser.add_argument(
        "--weights", default="everyday", help="everyday (bundled), imagenet, or a .safetensors file"
    )
    return parser


def _port(text: str) -> int:
    try:
        port = int(text)
    except ValueError:
        port = 0
    if not 1 <= port <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port; allowed are 1 to 65535")
    return port


if __name__ == "__main__":
    sys.exit(main())
