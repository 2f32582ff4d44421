"""Headers of every answer: nobody frames the page but, on a Space, its host; nobody reads it."""

import httpx
import pytest

from gnet.ui.http.headers import HEADERS, headers
from support.pages import Server


def test_only_a_space_lets_its_host_frame_the_page() -> None:
    policies = [headers(space=space)["Content-Security-Policy"] for space in (False, True)]
    assert policies[0].endswith("frame-ancestors 'self'")
    assert policies[1] == f"{policies[0]} https://huggingface.co"
    assert "X-Frame-Options" not in headers(space=True)
    assert headers(space=False)["X-Frame-Options"] == "SAMEORIGIN"


def test_the_page_loads_scripts_and_data_from_its_own_server_alone() -> None:
    policy = dict(
        part.split(" ", 1) for part in headers(space=False)["Content-Security-Policy"].split("; ")
    )
    assert policy == {
        "default-src": "'self'",
        "script-src": "'self' 'unsafe-inline' 'unsafe-eval'",
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data: blob:",
        "media-src": "'self' blob:",
        "font-src": "'self' data:",
        "connect-src": "'self'",
        "object-src": "'none'",
        "base-uri": "'self'",
        "form-action": "'self'",
        "frame-ancestors": "'self'",
    }


def test_every_answer_has_them(server: Server) -> None:
    with httpx.Client(base_url=server.address, trust_env=False) as client:
        for path in ("/healthz", "/config", "/nothing-here"):
            answer = client.get(path)
            assert (
                HEADERS.items()
                <= {name.title(): value for name, value in answer.headers.items()}.items()
            ), path


FOREIGN = {"Host": "public.example", "Origin": "https://other.example"}
"""As a browser sends it for a page of another site, when the server has a public name."""


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/config"),
        ("GET", "/healthz"),
        ("GET", "/nothing-here"),
        ("POST", "/gradio_api/call/explore"),
        ("POST", "/gradio_api/upload"),
    ],
)
def test_pages_of_other_sites_may_read_no_answer(server: Server, method: str, path: str) -> None:
    with httpx.Client(base_url=server.address, trust_env=False) as client:
        sent = {"data": [{"example": "cat"}]} if "call" in path else None
        for origin in (FOREIGN["Origin"], "null", "http://public.example", "http://localhost"):
            answer = client.request(method, path, headers=FOREIGN | {"Origin": origin}, json=sent)
            assert sharing(answer) == [], origin


@pytest.mark.parametrize("path", ["/", "/config", "/healthz", "/gradio_api/call/explore"])
def test_a_page_of_another_site_that_asks_whether_it_may_is_refused(
    server: Server, path: str
) -> None:
    asking = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x"}
    with httpx.Client(base_url=server.address, trust_env=False) as client:
        answer = client.options(path, headers=FOREIGN | asking)
    assert (answer.status_code, sharing(answer)) == (403, [])
    assert answer.text == "Pages of other sites may not ask this server."
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_what_a_page_of_another_site_sends_without_asking_is_refused(server: Server) -> None:
    foreign, files = {"Sec-Fetch-Site": "cross-site"}, {"files": ("a.png", b"a picture")}
    with httpx.Client(base_url=server.address, trust_env=False) as client:
        for path in ("/gradio_api/upload", "/gradio_api/call/explore"):
            refused = client.post(path, headers=foreign, files=files)
            assert refused.status_code == 403
            assert refused.text == "Pages of other sites may not ask this server."
        for own in ({"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}, {}):
            sent = client.post("/gradio_api/upload", headers=own, files=files)
            assert sent.status_code == 200, own
        assert client.get("/", headers=foreign).status_code == 200  # a link leads here


def sharing(answer: httpx.Response) -> list[str]:
    """The answer's headers that let another site read it."""
    return [name for name in answer.headers if name.startswith("access-control-")]
