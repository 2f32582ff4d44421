"""The page by Ray Serve: pip install "ray[serve]", then serve run examples.ray_serve:gnet.

One replica: a viewer's uploads and waiting answers live in one process. Ray's own GradioServer does
not work with Gradio 6; a FastAPI app that holds the page does. Nobody trains there.
"""

from fastapi import FastAPI
from ray import serve


def page() -> FastAPI:
    """The page as an ASGI app; what it needs is imported where it runs."""
    from gnet import ui
    from gnet.network.weights import load
    from gnet.ui.environment import prepare

    prepare()  # before gradio is imported
    import gradio

    model = load()
    options = ui.launch_options()
    kept = ("theme", "head", "footer_links", "max_file_size", "app_kwargs", "ssr_mode")
    given = {name: options[name] for name in kept}
    return gradio.mount_gradio_app(FastAPI(), ui.build(model), path="/", show_error=False, **given)


@serve.deployment(num_replicas=1, max_ongoing_requests=200)
@serve.ingress(page)
class Page:
    """The page, and nothing beside it."""


gnet = Page.bind()
