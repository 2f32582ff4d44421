"""A viewer's session holds no description of the page; the page itself is described as before."""

from gnet.ui.http.sessions import keep_light


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
