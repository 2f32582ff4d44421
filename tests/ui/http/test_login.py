"""A password for everything but the address that tells whether the server is well."""

import base64

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

import gnet
from gnet.ui.http import health
from gnet.ui.http.login import Login


@pytest.fixture
def client() -> TestClient:
    async def page(_: object) -> PlainTextResponse:
        return PlainTextResponse("the page")

    routes = [Route("/", page), *health.routes()]
    guard = Middleware(Login, login="class:röt:e")
    return TestClient(Starlette(routes=routes, middleware=[guard]))


def basic(text: str) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(text.encode()).decode()}"}


def test_without_the_password_the_browser_is_asked_for_it(client: TestClient) -> None:
    answer = client.get("/")
    assert answer.status_code == 401 and answer.headers["WWW-Authenticate"].startswith("Basic")


@pytest.mark.parametrize(
    "wrong",
    [
        basic("class:rot:e"),
        basic("class"),
        basic(""),
        {"Authorization": "Basic !!"},
        {"Authorization": "Bearer " + basic("class:röt:e")["Authorization"].split()[1]},
    ],
)
def test_a_wrong_password_opens_nothing(client: TestClient, wrong: dict[str, str]) -> None:
    assert client.get("/", headers=wrong).status_code == 401


def test_the_right_one_opens_the_page(client: TestClient) -> None:
    assert client.get("/", headers=basic("class:röt:e")).text == "the page"


def test_whether_the_server_is_well_is_told_to_anybody(client: TestClient) -> None:
    answer = client.get("/healthz")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok", "version": gnet.__version__}
