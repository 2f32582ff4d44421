"""Parses the command line, loads the weights, builds the page and launches it."""

import argparse
import atexit
import ipaddress
import logging
import os
import re
import signal
import socket
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gnet.serving.runs import Runs
    from gnet.ui.http.rates import RateLimits

DEFAULT_HOST, DEFAULT_PORT = "127.0.0.1", 7860
CLOSED_WITHIN = 1.0
"""Seconds that the server may still take to end once the runs have stopped."""


def main(arguments: list[str] | None = None) -> int:
    """Serve the page until interrupted; 2 for a mistake the caller can mend."""
    options = parser().parse_args(arguments)

    from gnet.errors import GnetError

    try:
        serve(options)
    except GnetError as error:
        print(f"gnet: {error}", file=sys.stderr)
        return 2
    return 0


def serve(options: argparse.Namespace) -> None:
    """Load, build, launch; ends this process once server and runs have stopped."""
    host, port = options.host.strip("[]"), options.port
    check_port(host, port)

    if options.mcp:
        from gnet.answers.tools.table import check_installed

        check_installed()

    import torch

    from gnet import ui
    from gnet.answers.lessons.reader import read_lessons
    from gnet.network.weights import load
    from gnet.serving.limits import RunLimits
    from gnet.serving.networks.offered import NetworkOffers
    from gnet.serving.runs import Runs
    from gnet.ui.environment import prepare, without_proxies
    from gnet.ui.http.uploads import NETWORKS, ZIPS

    # Requests wait in one line; half of the cores is left to others.
    torch.set_num_threads(max(1, min(4, (os.cpu_count() or 1) // 2)))
    lessons = read_lessons(options.lessons)
    model = load(options.weights)
    uploads = prepare()  # before gradio is imported
    own = is_private(host) and not options.root_path  # nobody but this machine's people
    limits = RunLimits(
        max_epochs=options.max_epochs,
        max_minutes=options.max_minutes,
        max_size=options.max_size,
        max_runs=options.max_runs,
        max_queue=options.max_queue,
        max_pause=options.max_pause,
        enabled=own if options.train is None else options.train,
        folders=tuple(options.data_folder),
        uploads=uploads / ZIPS,
    )
    downloads = own if options.download_weights is None else options.download_weights
    offers = NetworkOffers.of_server(options.weights, uploads / NETWORKS, downloads=downloads)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # so that uploads are deleted then, too
    with Runs(options.runs_folder, limits) as runs:
        with without_proxies():
            page = ui.build(model, runs, offers=offers, lessons=lessons)
            try:
                page.launch(
                    server_name=in_address(host),
                    server_port=port,
                    root_path=options.root_path,
                    quiet=True,
                    prevent_thread_lock=True,
                    _frontend=False,  # else it asks itself for three seconds, and then gives up
                    **ui.launch_options(
                        runs,
                        offers,
                        lessons,
                        options.auth,
                        mcp=options.mcp,
                        rates=rates_of(options),
                        log=options.log,
                    ),
                )
            except OSError:
                if not page.is_running:  # Gradio looks on 127.0.0.1 first
                    check_port(DEFAULT_HOST, port)
                    check_port(host, port)
                raise
        serve_until_stopped(page, runs, address(host, port, options.root_path))
    leave()


def serve_until_stopped(page: Any, runs: "Runs", place: str) -> None:
    """Say where the page is and wait for Ctrl-C, SIGTERM or the server's own end.

    Then end the server and stop the runs, both at the same time.
    """
    page.server.force_exit = True  # streams that pages keep open are cut off, not waited for
    with suppress(KeyboardInterrupt, SystemExit):
        print(f"gnet is at {place}", flush=True)  # from here on it may be stopped
        while page.is_running:
            time.sleep(0.1)
    for kind in (signal.SIGINT, signal.SIGTERM):
        signal.signal(kind, signal.SIG_IGN)  # it is stopping already
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # what is cut off complains
    closing = threading.Thread(target=page.close, args=(False,), name="closing", daemon=True)
    closing.start()
    runs.close()
    closing.join(CLOSED_WITHIN)


def leave() -> None:
    """End this process after its farewells, and not after answers that nobody reads any more."""
    try:
        atexit._run_exitfuncs()  # uploads are deleted
        sys.stdout.flush()
    finally:
        os._exit(0)


def rates_of(options: argparse.Namespace) -> "RateLimits":
    """How much a person and an address may ask in a minute."""
    from gnet.ui.http.rates import RateLimits

    return RateLimits(
        answers=options.max_answers,
        address_answers=options.max_address_answers,
        uploads=options.max_uploads,
        address_uploads=options.max_address_uploads,
        proxies=options.trusted_proxies,
    )


def address(host: str, port: int, root_path: str = "") -> str:
    """What to open in a browser on this machine, or the whole address that a proxy serves."""
    if not root_path.startswith("/") and root_path:
        return root_path
    name = {"0.0.0.0": "localhost", "::": "::1"}.get(host, host)
    return f"http://{in_address(name)}:{port}"


def in_address(host: str) -> str:
    """A host as an address holds it: one of IPv6 stands in brackets."""
    return f"[{host}]" if ":" in host else host


def is_private(host: str) -> bool:
    """Whether only this machine reaches a server that listens on `host`."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def check_port(host: str, port: int) -> None:
    """Raise `GnetError` when the address cannot be listened on."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            if os.name == "posix":
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise _taken(host, port, error.strerror or str(error)) from error
    except UnicodeError as error:  # a part of a name is empty or has more than 63 letters
        raise _taken(host, port, "no host has such a name") from error


def _taken(host: str, port: int, reason: str) -> Exception:
    from gnet.errors import GnetError

    return GnetError(
        f"cannot listen on {in_address(host)}:{port} ({reason}); choose another with --host and "
        "--port"
    )


def parser() -> argparse.ArgumentParser:
    """The options; each help text ends with the default."""
    result = argparse.ArgumentParser(description="gnet, a browser lab for GoogLeNet.")
    result.add_argument(
        "--host",
        default=os.environ.get("GRADIO_SERVER_NAME") or DEFAULT_HOST,
        help=f"address to listen on ({DEFAULT_HOST}); 0.0.0.0 for the whole network",
    )
    result.add_argument(
        "--port",
        type=_port,
        default=os.environ.get("GRADIO_SERVER_PORT") or str(DEFAULT_PORT),
        help=f"port to listen on ({DEFAULT_PORT})",
    )
    result.add_argument(
        "--root-path",
        type=_root_path,
        default=os.environ.get("GRADIO_ROOT_PATH") or "",
        metavar="PATH",
        help="path under which a proxy serves the page, as /gnet, or its whole address",
    )
    result.add_argument(
        "--weights",
        default="everyday",
        help="the network served first: everyday (bundled), imagenet, or a .safetensors file",
    )
    result.add_argument(
        "--download-weights",
        action=argparse.BooleanOptionalAction,
        help="viewers may have torchvision's ImageNet weights downloaded (only where nobody else "
        "can reach this machine)",
    )
    result.add_argument(
        "--lessons",
        action="append",
        default=[],
        type=Path,
        metavar="DIR",
        help="a folder of guided lessons, offered beside the shipped ones; may be given again",
    )
    result.add_argument(
        "--auth",
        type=_login,
        default=os.environ.get("GNET_AUTH") or "",
        metavar="NAME:PASSWORD",
        help="what everybody has to give who opens the page (nothing); better in GNET_AUTH",
    )
    result.add_argument(
        "--mcp",
        action="store_true",
        help="other programs may ask by the Model Context Protocol at /mcp (off); needs the "
        "package mcp",
    )
    result.add_argument(
        "--log",
        action="store_true",
        help="write a line of JSON on each request that reaches the page to stderr (off), without "
        "names or addresses",
    )
    asking = result.add_argument_group("requests in a minute (0: no limit)")
    for name, default, text in (
        ("--max-answers", 600, "most computed answers of one person"),
        ("--max-address-answers", 3000, "most computed answers of one address"),
        ("--max-uploads", 60, "most uploads of one person"),
        ("--max-address-uploads", 300, "most uploads of one address"),
        ("--trusted-proxies", 0, "proxies in front whose X-Forwarded-For counts"),
    ):
        asking.add_argument(
            name, type=_limit, default=default, metavar="N", help=f"{text} ({default})"
        )
    training = result.add_argument_group("training in the browser (0: no limit)")
    training.add_argument(
        "--runs-folder", default="runs", metavar="DIR", help="folder that keeps the runs (runs)"
    )
    training.add_argument(
        "--data-folder",
        action="append",
        default=[],
        type=_data_folder,
        metavar="DIR",
        help="a folder of classes, or a zip, that runs may use; may be given again",
    )
    training.add_argument(
        "--train",
        action=argparse.BooleanOptionalAction,
        help="viewers may train networks (only where nobody else can reach this machine)",
    )
    for name, kind, default, text in (
        ("--max-epochs", _limit, 0, "most epochs of a run"),
        ("--max-minutes", _minutes, 0.0, "most minutes of a run"),
        ("--max-size", _limit, 0, "largest side of a run's pictures in px"),
        ("--max-runs", _limit, 100, "most runs that are kept, everybody's together"),
        ("--max-queue", _limit, 50, "most runs that wait, everybody's together"),
        ("--max-pause", _minutes, 10.0, "most minutes a run is paused while others wait"),
    ):
        training.add_argument(
            name, type=kind, default=default, metavar="N", help=f"{text} ({default:g})"
        )
    return result


def _data_folder(text: str) -> Path:
    from gnet.system.paths import expanded

    path = expanded(text).resolve()
    if not path.exists():
        raise argparse.ArgumentTypeError(
            f"{text!r} was given; allowed is a folder or zip that exists"
        )
    return path


def _login(text: str) -> str:
    name, colon, password = text.partition(":")
    if text and not (name and colon and password):
        raise argparse.ArgumentTypeError("allowed are a name, a colon and a password")
    return text


def _limit(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} was given; allowed are whole numbers from 0")
    return int(text)


def _minutes(text: str) -> float:
    try:
        minutes = float(text)
    except ValueError:
        minutes = -1.0
    if not 0.0 <= minutes <= 1e6:
        raise argparse.ArgumentTypeError(f"{text!r} was given; allowed are minutes from 0 to 1e6")
    return minutes


def _root_path(text: str) -> str:
    path = text.rstrip("/")
    if path and not re.fullmatch(r"(https?://[^\s/?#]+)?(/[^\s/?#]+)*", path):
        raise argparse.ArgumentTypeError(
            f"{text!r} was given; allowed is a path that begins with /, or a whole address"
        )
    return path


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
