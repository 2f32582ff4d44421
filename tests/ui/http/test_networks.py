"""Own weights files over http: PUT network/<name> keeps a network, and refuses everything else."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from gnet.network import weights
from gnet.serving.networks.offered import NetworkOffers
from gnet.serving.networks.own import OwnNetworks
from support.networks import network
from support.pages import on_a_free_port, random_network


@pytest.fixture(scope="module")
def offers(tmp_path_factory: pytest.TempPathFactory) -> NetworkOffers:
    folder = tmp_path_factory.mktemp("own")
    return NetworkOffers(own=OwnNetworks(folder, most_bytes=2_000_000))


@pytest.fixture(scope="module")
def address(gradio_environment: None, offers: NetworkOffers) -> Iterator[str]:
    with on_a_free_port(random_network(), offers=offers) as address:
        yield address


def put(address: str, name: str, content: object) -> httpx.Response:
    with httpx.Client(trust_env=False, timeout=60) as client:
        return client.put(f"{address}network/{name}", content=content)  # pyright: ignore[reportArgumentType]


def test_a_network_is_kept_and_its_id_answered(address, offers, tmp_path: Path) -> None:
    path = weights.save(network("batch-norm"), tmp_path / "birds.safetensors")
    answer = put(address, "birds.safetensors", path.read_bytes())
    assert answer.status_code == 200 and answer.json()["name"] == "birds"
    assert offers.own.find(answer.json()["net"]).read_bytes() == path.read_bytes()


def test_what_is_no_network_is_one_sentence_without_the_servers_folders(address, offers) -> None:
    answer = put(address, "birds.pth", b"PK\x03\x04 no weights")
    sentence = answer.json()["error"]
    assert answer.status_code == 422 and sentence.startswith("birds.pth is a pickle or zip")
    assert str(offers.own.folder) not in sentence and "\n" not in sentence


def test_a_file_that_hides_its_size_is_cut_off_at_the_limit(address, offers) -> None:
    def parts() -> Iterator[bytes]:
        yield from [bytes(1 << 16)] * 60

    try:
        sentence = put(address, "a.safetensors", parts()).json()["error"]
        assert "allowed are up to 2 MB" in sentence
    except httpx.HTTPError:
        pass  # the server has hung up on what is still being sent
    kept = [path.stat().st_size for path in offers.own.folder.glob("*/*")]
    assert all(size < 2_000_000 for size in kept)


def test_a_server_without_a_place_for_files_has_no_such_address(gradio_environment: None) -> None:
    with on_a_free_port(random_network()) as address:
        assert put(address, "a.safetensors", b"x").status_code in (404, 405)
