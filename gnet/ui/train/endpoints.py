"""The Train tab's handlers as endpoints for scripts: a form is a dict, field → value.

What is not given stands as the experiment has it.
"""

from collections.abc import Iterator
from typing import Any

import gradio as gr

from gnet.errors import FieldError
from gnet.runs.train_config import TrainConfig
from gnet.serving.measuring import ESTIMATE, FIND_RATE
from gnet.ui.events import endpoint, refusing, spoken
from gnet.ui.train import data as data_tab
from gnet.ui.train.form import filled
from gnet.ui.train.handlers import (
    FIRST,
    Handlers,
    as_run,
    begin,
    checked,
    experiment_of,
    filled_in,
    steer,
)
from gnet.ui.train.review import Questions
from gnet.words import cut, listed


class Endpoints:
    """What needs a form; everything else is published as it is."""

    def __init__(self, handlers: Handlers) -> None:
        self.handlers = handlers

    def show_experiment(self, experiment: Any) -> dict[str, Any]:
        """The settings of an experiment, as large as this server allows."""
        with spoken():
            return filled_in(experiment_of(experiment), self.handlers.most)

    def check_settings(self, experiment: Any, settings: Any = None) -> dict[str, Any]:
        """What is wrong with settings of an experiment, and a word on others, field by field."""
        with spoken():
            runs, offers = self.handlers.runs, self.handlers.offers
            return checked(
                runs, offers, experiment_of(experiment), self._form(experiment, settings)
            )

    def start_run(self, owner: Any, experiment: Any, settings: Any = None) -> dict[str, Any]:
        """Start an experiment's runs; the id of the first. Only `owner` can control them."""
        with spoken():
            values = self._meant(experiment, settings)
            name = owner if isinstance(owner, str) else ""
            return {"run": begin(self.handlers.runs, name, experiment_of(experiment), values)}

    def steer_run(self, run: Any, owner: Any, action: Any, value: Any = None) -> dict[str, Any]:
        """Pause, continue, step, stop, resume or delete a run, or set its learning rate."""
        with spoken():
            steer(self.handlers.runs, run, owner, action, value)
            return {"run": run}

    def estimate_time(self, owner: Any, experiment: Any, settings: Any = None) -> Iterator[Any]:
        """The seconds that an epoch takes here, measured."""
        yield from self._measured(ESTIMATE, owner, experiment, settings)

    def find_rate(self, owner: Any, experiment: Any, settings: Any = None) -> Iterator[Any]:
        """A learning rate to begin with, and the losses it was found by."""
        yield from self._measured(FIND_RATE, owner, experiment, settings)

    def preview_data(self, settings: Any = None) -> Iterator[str]:
        """A data set before a run: classes, split and a sheet of pictures, as a text of JSON."""

        def config() -> TrainConfig:
            values = self._meant(FIRST.key, settings)
            return self.handlers.runs.limits.admitted(filled(FIRST.runs[0][1], values))

        with spoken():
            yield from data_tab.looked_at(self.handlers.offers, config)

    def _measured(self, what: str, owner: Any, experiment: Any, settings: Any) -> Iterator[Any]:
        with spoken():
            values = self._meant(experiment, settings)
            config = as_run(self.handlers.runs, experiment_of(experiment), values)
            for found in self.handlers.measuring.ask(what, config, cut(owner)):
                yield found or {"waiting": True}

    def _form(self, experiment: Any, settings: Any) -> dict[str, Any]:
        """An experiment's form with some settings changed; raises `GnetError`."""
        values = filled_in(experiment_of(experiment), self.handlers.most)
        given = {} if settings is None else settings
        if not isinstance(given, dict):
            raise FieldError("settings", cut(given), 'as {"epochs": 3}')
        unknown = [name for name in given if name not in values]
        if unknown:
            raise FieldError("settings", cut(unknown[0]), listed(values))
        return values | given

    def _meant(self, experiment: Any, settings: Any) -> dict[str, Any]:
        return data_tab.with_data(self.handlers.offers, self._form(experiment, settings))


def publish(handlers: Handlers) -> None:
    """Make every handler of the tab an endpoint, except those that only draw."""
    forms, questions = Endpoints(handlers), Questions(handlers.runs, handlers.reviews)
    with gr.Column(visible=False):
        for handler in (
            forms.show_experiment,
            forms.check_settings,
            forms.start_run,
            forms.steer_run,
            forms.estimate_time,
            forms.find_rate,
            forms.preview_data,
        ):
            endpoint(handler, handler.__name__, concurrency_limit=4)
        for handler, name in (
            (handlers.follow, "follow_run"),
            (handlers.listed, "list_runs"),
            (handlers.rename, "rename_run"),
            (handlers.pinned, "show_pinned"),
            (handlers.after, "offer_next"),
            (questions.look, "review_run"),
            (questions.pictures, "list_pictures"),
            (questions.differ, "compare_runs"),
        ):
            endpoint(refusing(handler), name, concurrency_limit=4)
