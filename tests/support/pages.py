"""A server with the page and a browser that looks at it, for the tests of the page.

Gradio is imported late: it reads its variables then, and other tests do without it.
"""

import asyncio
import base64
import io
import socket
import statistics
import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from gnet.answers.lessons.teaching import Lessons
from gnet.inference.session import Session
from gnet.network.config import HEADS, TRAINED, ModelConfig
from gnet.network.info import ModelInfo, Preprocessing
from gnet.network.model import GoogLeNet
from gnet.network.weights import BUNDLED, load
from gnet.serving.measuring import Measuring
from gnet.serving.networks.offered import NetworkOffers
from gnet.serving.runs import Runs
from support import pretend_measuring
from support.browser_tabs import Tabs

DESK, PHONE = {"width": 1280, "height": 830}, {"width": 390, "height": 844}
TIMES = pytest.StashKey[dict[str, list[float]]]()


def random_network(size: int = 64, **heads: str) -> GoogLeNet:
    """A narrow network that nobody trained but whose heads claim otherwise."""
    torch.manual_seed(0)
    info = ModelInfo(
        name="random",
        classes=tuple(f"thing {index}" for index in range(12)),
        preprocessing=Preprocessing(size=size),
        heads=dict.fromkeys(HEADS, TRAINED) | heads,
        digest="of random weights",
    )
    config = ModelConfig.preset("batch-norm", num_classes=12, width=0.25)
    return GoogLeNet(config, info).eval()


def map_values(
    described: dict[str, Any], shape: tuple[int, ...], signed: bool = False
) -> np.ndarray:
    """A map as the page reads it."""
    data = np.frombuffer(base64.b64decode(described["data"]), np.uint8).astype(np.float64) / 255
    return ((2 * data - 1) if signed else data).reshape(shape) * described["limit"]


@pytest.fixture(scope="session")
def gradio_environment() -> Iterator[None]:
    """Gradio's variables, as app.py sets them; the event loops it makes and forgets are closed."""
    from gnet.ui.environment import prepare

    prepare()
    import gradio.utils

    class Noting:
        """Gradio's view of asyncio."""

        def __getattr__(self, name: str) -> Any:
            return getattr(asyncio, name)

        def new_event_loop(self) -> asyncio.AbstractEventLoop:
            loops.append(asyncio.new_event_loop())
            return loops[-1]

    loops: list[asyncio.AbstractEventLoop] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gradio.utils, "asyncio", Noting())
        yield
    asyncio.set_event_loop(None)
    for loop in loops:
        loop.close()


@pytest.fixture(scope="session")
def page_model() -> GoogLeNet:
    """The bundled network if it is there, else a random one."""
    return load() if BUNDLED.is_file() else random_network()


@dataclass
class Server:
    """A page being served."""

    address: str
    explorer: Any
    records: list[str] = field(default_factory=list)
    """One entry for each time the network was run on a picture."""


@pytest.fixture(scope="session")
def server(gradio_environment: None, page_model: GoogLeNet) -> Iterator[Server]:
    """The page, served on a free port for all tests."""
    from gnet.answers import explorer as explorer

    served = Server(address="", explorer=None)
    with pytest.MonkeyPatch.context() as patch:
        original = explorer.record

        def counted(model: GoogLeNet, pixels: torch.Tensor, session: Session | None) -> Any:
            served.records.append(str(tuple(pixels.shape)))
            return original(model, pixels, session)

        patch.setattr(explorer, "record", counted)
        with on_a_free_port(page_model) as served.address:
            yield served


@contextmanager
def on_a_free_port(
    model: GoogLeNet,
    runs: Runs | None = None,
    measuring: Measuring | None = None,
    offers: NetworkOffers | None = None,
    *,
    lessons: Lessons | None = None,
    mcp: bool = False,
) -> Iterator[str]:
    """The address of a page for `model`, with a Train tab where `runs` are given."""
    from gnet import ui

    page = ui.build(model, runs, measuring, offers, lessons)
    _, address, _ = page.launch(
        server_name="127.0.0.1",
        server_port=_free_port(),
        quiet=True,
        prevent_thread_lock=True,
        _frontend=False,  # it would ask itself whether it answers, for three seconds and not longer
        **ui.launch_options(runs, offers, lessons, mcp=mcp),
    )
    yield address
    page.close()


@contextmanager
def with_training(runs: Runs, offers: NetworkOffers | None = None) -> Iterator[Server]:
    """The page with a Train tab; what an epoch takes is not measured but known."""
    known = Measuring(lambda: runs.shelf.counts()["running"], command=pretend_measuring.COMMAND)
    with on_a_free_port(random_network(), runs, known, offers) as address:
        yield Server(address=address, explorer=None)


def follow(page: Any, run_id: str) -> None:
    """Show a run that was started elsewhere, as a press on Start does."""
    page.wait_for_selector("#train-bar .name", state="attached")
    page.evaluate("run => gnet.train.begun({ run })", run_id)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass
class Viewer:
    """One person's tab: its page, and what went wrong or elsewhere in it."""

    page: Any
    strangers: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    """Requests to the server since the page was opened."""

    @contextmanager
    def noting(self, address: str) -> Iterator[None]:
        """Note what goes wrong in the page, what it asks, and whom else than its server."""

        def asks(request: Any) -> None:
            self.asked.append(request.url)
            if not request.url.startswith((address, "data:", "blob:")):
                self.strangers.append(request.url)

        listeners = {
            "pageerror": lambda error: self.errors.append(str(error)),
            "console": lambda m: self.errors.append(m.text) if m.type == "error" else None,
            "request": asks,
        }
        for event, listener in listeners.items():
            self.page.on(event, listener)
        yield
        for event, listener in listeners.items():
            self.page.remove_listener(event, listener)

    def state(self, path: str) -> Any:
        """A value of the page's shared state."""
        return self.page.evaluate(f"JSON.parse(JSON.stringify(gnet.state.{path}))")

    def give(self, name: str, content: bytes) -> None:
        """Upload a file as a person does."""
        given = {"name": name, "mimeType": "application/octet-stream", "buffer": content}
        self.page.set_input_files("#picture input[type=file]", [given])

    def explored(self, act: Callable[[], object]) -> float:
        """Do something that brings a new answer; the seconds until it is drawn."""
        self.page.evaluate(
            """() => {
              window.drawn = null;
              let start = performance.now();
              const given = () => { start = performance.now(); }; // a file has arrived in the page
              document.addEventListener("change", given, { capture: true, once: true });
              const drawn = ({ detail }) => {
                if (!detail.has("answer")) return;
                document.removeEventListener("gnet", drawn);
                requestAnimationFrame(() => requestAnimationFrame(() => {
                  window.drawn = (performance.now() - start) / 1000;
                }));
              };
              document.addEventListener("gnet", drawn);
            }"""
        )
        act()
        self.page.wait_for_function("window.drawn !== null")
        return self.page.evaluate("window.drawn")


@pytest.fixture
def visit(server: Server, tabs: Tabs) -> Iterator[Callable[..., Viewer]]:
    """Opens the page for a new viewer and waits until it is drawn."""
    with ExitStack() as opened:

        def open_page(query: str = "", size: dict = DESK, **options: Any) -> Viewer:
            page = opened.enter_context(tabs.borrowed(viewport=size, **options))
            viewer = Viewer(page)
            opened.enter_context(viewer.noting(server.address))
            page.goto(server.address + query)
            page.wait_for_selector("html.gnet-ready")
            return viewer

        yield open_page


@pytest.fixture
def timed(request: pytest.FixtureRequest) -> Callable[[str, float], None]:
    """Notes a time in seconds; the medians stand at the end of pytest's report."""
    times = request.config.stash.setdefault(TIMES, {})
    return lambda name, seconds: times.setdefault(name, []).append(seconds)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print the medians of what was timed."""
    for name, seconds in config.stash.get(TIMES, {}).items():
        median = 1000 * statistics.median(seconds)
        terminalreporter.write_line(f"{name}: {median:.0f} ms, median of {len(seconds)}")


def photo(width: int, height: int, seed: int = 0) -> bytes:
    """A JPEG with the detail of a photo; every seed another one."""
    random = np.random.default_rng(seed)
    coarse = Image.fromarray(random.integers(0, 255, (24, 32, 3), dtype=np.uint8))
    fine = Image.fromarray(random.integers(0, 255, (height // 8, width // 8, 3), dtype=np.uint8))
    size = (width, height)
    picture = Image.blend(
        coarse.resize(size, Image.Resampling.BICUBIC),
        fine.resize(size, Image.Resampling.BILINEAR),
        0.2,
    )
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=88)
    return file.getvalue()


def huge_png(side: int = 13_000) -> bytes:
    """A black PNG of side² pixels in some 20 kB."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    packer = zlib.compressobj(9)
    row = bytes(side // 8 + 2)
    data = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )
