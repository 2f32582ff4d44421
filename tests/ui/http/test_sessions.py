"""A viewer's session holds no description of the page; the page itself is described as before."""

from typing import Any

import pytest

from gnet.ui.http.sessions import keep_light, look_less_often


def test_a_session_describes_no_component_and_the_page_all_of_them(
    gradio_environment: None,
) -> None:
    import gradio as gr
    from gradio.state_holder import SessionState

    with gr.Blocks(analytics_enabled=False) as page:
        given = gr.Textbox("here", label="given")
        given.change(lambda text: text, given, given)
    before = page.get_config_file()["components"]
    heavy = SessionState(page)
    assert any(heavy.config_values.values())
    keep_light(page)
    light = SessionState(page)
    assert not any(light.config_values.values())
    assert light[given._id] is given
    assert page.get_config_file()["components"] == before


def test_a_browser_makes_no_parts_of_an_endpoint_and_programs_read_of_all(
    gradio_environment: None,
) -> None:
    import gradio as gr
    from gradio.events import api

    def double(number: float) -> float:
        return 2 * number

    with gr.Blocks(analytics_enabled=False) as page:
        with gr.Column():
            given = gr.HTML("1")
            api(double)
        given.change(double, given, given)
    keep_light(page)
    config: Any = page.get_config_file()
    types = {part["id"]: part["type"] for part in config["components"]}
    assert sorted(types.values()) == ["api", "api", "column", "html"]
    assert [event["api_name"] for event in config["dependencies"]] == ["double", "double_1"]
    shown = config["page"][""]
    assert sorted(types[part] for part in shown["components"]) == ["column", "html"]
    assert shown["dependencies"] == [e["id"] for e in config["dependencies"] if e["targets"]]
    [column] = shown["layout"]["children"]
    assert [types[part["id"]] for part in column["children"]] == ["html"]
    assert list(page.get_api_info()["named_endpoints"]) == ["/double", "/double_1"]


def test_the_line_is_looked_at_less_often_than_gradio_does(
    gradio_environment: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    import gradio as gr

    monkeypatch.setattr("platform.system", lambda: "Linux")
    with gr.Blocks(analytics_enabled=False) as page:
        gr.Textbox("here")
    page.queue()
    names = ("sleep_when_free", "progress_update_sleep_when_free")
    before = [getattr(page._queue, name) for name in names]
    look_less_often(page)
    after = [getattr(page._queue, name) for name in names]
    assert all(more >= 2 * less > 0 for more, less in zip(after, before, strict=True))
