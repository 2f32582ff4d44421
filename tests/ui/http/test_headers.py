"""Headers of every answer: nobody frames the page but, on a Space, its host."""

import httpx

from gnet.ui.http.headers import HEADERS, headers
from support.pages import Server


def test_only_a_space_lets_its_host_frame_the_page() -> None:
    policies = [headers(space=space)["Content-Security-Policy"] for space in (False, True)]
    assert policies[0].endswith("frame-ancestors 'self'")
    assert policies[1] == f"{policies[0]} https://huggingface.co"
    assert "X-Frame-Options" not in headers(space=True)
    assert headers(space=False)["X-Frame-Options"] == "SAMEORIGIN"


def test_every_answer_has_them(server: Server) -> None:
    with httpx.Client(base_url=server.address, trust_env=False) as client:
        for path in ("/healthz", "/config", "/nothing-here"):
            answer = client.get(path)
            assert (
                HEADERS.items()
                <= {name.title(): value for name, value in answer.headers.items()}.items()
            ), path
