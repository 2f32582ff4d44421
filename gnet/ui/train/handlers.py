"""What the Train tab does when something is pressed: each handler checks, then calls.

Knows nothing of layout. A run lives in a process and a folder of its own; the page follows it.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

import gradio as gr

from gnet.data.source import is_missing, parse
from gnet.errors import FieldError, GnetError
from gnet.runs.beginning import read_beginning
from gnet.runs.experiments import EXPERIMENTS, Experiment
from gnet.runs.folder import EVENTS, PINNED
from gnet.runs.outcomes import outcome_of
from gnet.runs.train_config import TrainConfig
from gnet.serving.measuring import ESTIMATE, FIND_RATE, Measuring
from gnet.serving.offers import Offers
from gnet.serving.reviews import Reviews
from gnet.serving.runs import ENDED, UNDER_WAY, NewRun, Runs
from gnet.system.paths import without_paths
from gnet.ui.events import as_new, as_text, sent, spoken
from gnet.ui.train import data as data_tab
from gnet.ui.train.form import FIELDS, allowed, filled, form_values, named
from gnet.ui.train.form_check import check, departures, form_sentence, refusal, wanted
from gnet.ui.train.rows import after_runs, described
from gnet.ui.train.sentences import about, called, queue, share_begun, watched
from gnet.words import cut, duration

FIRST = next(iter(EXPERIMENTS.values()))
"""The experiment that the form shows before anybody chooses one."""
MEASURING = "How long it takes here is being measured …"
MEASURED_LATER = "Time per epoch can be measured when the current run has ended."
_MOST_LAID = 12
"""Runs of others that a page may list."""


class Handlers:
    """The events of one page's Train tab; forms arrive in the order of `FIELDS`."""

    def __init__(
        self, runs: Runs, offers: Offers, measuring: Measuring, reviews: Reviews | None = None
    ) -> None:
        self.runs = runs
        self.reviews = reviews or Reviews()
        self.offers = offers
        self.measuring = measuring
        self.most = {"epochs": runs.limits.max_epochs, "size": runs.limits.max_size}
        """The server's limits, by field of the form."""

    def fill(self, event: gr.EventData) -> list[Any]:
        """The form as an experiment has it; pictures that are for the person to choose stay."""
        with spoken():
            experiment = experiment_of(sent(event, "key")["key"])
            values = filled_in(experiment, self.most)
            updates = values | ({"data": gr.skip()} if experiment.own_data else {})
            return [as_text({"key": experiment.key}), *updates.values()]

    def start(self, owner: str, key: str, *form: Any) -> str:
        with spoken():
            return as_text({"run": begin(self.runs, owner, experiment_of(key), self._meant(form))})

    def steer(self, event: gr.EventData) -> None:
        with spoken():
            steer(self.runs, **sent(event, "run", "owner", "action", "value"))

    def check(self, key: str, *form: Any) -> tuple[str, Any]:
        """The messages to the form, and whether it can be started so."""
        with spoken():
            found = checked(self.runs, self.offers, experiment_of(key), named(form))
            ready = self.runs.limits.enabled and not found["troubles"]
            return as_new(found), gr.update(interactive=ready)

    def lock(self, event: gr.EventData, key: str, *form: Any) -> list[Any]:
        with spoken():
            return locked(experiment_of(key), named(form), sent(event, "ever")["ever"])

    def estimate(self, request: gr.Request, key: str, *form: Any) -> Iterator[tuple[Any, str]]:
        """The label of the start button. The page asks by itself: a refusal stands beside it."""
        turn = self.measuring.turn()  # before anything that may take longer than the next request
        with spoken():
            experiment = experiment_of(key)
            first = gr.update(value=start_label(experiment))
            yield first, as_text({"trouble": "", "takes": ""})
            if checked(self.runs, self.offers, experiment, named(form))["troubles"]:
                return  # they are told at the fields
            try:
                yield from self._measured(experiment, form, str(request.session_hash), turn)
            except GnetError as error:
                yield first, as_text(self._unmeasured(error))

    def _measured(
        self, experiment: Experiment, form: Sequence[Any], owner: str, turn: int
    ) -> Iterator[tuple[Any, str]]:
        """Updates of the start button while an epoch is measured."""
        config = as_run(self.runs, experiment, self._meant(form))
        for found in self.measuring.ask(ESTIMATE, config, owner, turn=turn):
            if found is None:
                yield gr.skip(), as_text({"trouble": "", "takes": MEASURING})
                continue
            time = time_taken(found, experiment, config.epochs)
            label = gr.update(value=start_label(experiment, time))
            yield label, as_text({"trouble": "", "takes": f"It takes {time} here."})

    def _unmeasured(self, error: GnetError) -> dict[str, Any]:
        """Why the time is not known, and whether to ask again when a run has ended."""
        busy = bool(self.runs.shelf.counts()["running"])
        trouble = MEASURED_LATER if busy else f"Time per epoch is not known. {error}"
        return {"trouble": without_paths(trouble), "takes": "", "later": busy}

    def find_rate(self, request: gr.Request, key: str, *form: Any) -> Iterator[str]:
        with spoken():
            config = as_run(self.runs, experiment_of(key), self._meant(form))
            for found in self.measuring.ask(FIND_RATE, config, str(request.session_hash)):
                yield as_text(found or {"waiting": True})

    def use_rate(self, event: gr.EventData) -> Any:
        return sent(event, "rate")["rate"]

    def add_zips(self, event: gr.EventData) -> Any:
        with spoken():
            return data_tab.listed(self.offers, sent(event, "keys")["keys"])

    def look(self, *form: Any) -> Iterator[str]:
        def config() -> TrainConfig:
            return self.runs.limits.admitted(filled(FIRST.runs[0][1], self._meant(form)))

        yield from data_tab.looked_at(self.offers, config)

    def follow(self, run: Any, since: Any, owner: Any) -> dict[str, Any]:
        """A run's events from `since` on and its state; before it begins, a download's progress."""
        found = self.runs.shelf.follow(_text(run), _count(since), _text(owner))
        row = found["run"]
        inside = {"watched": watched(row["config"].get("start", "")), "word": called(row["state"])}
        return found | {"run": row | self._said(row) | inside}

    def _said(self, run: dict[str, Any]) -> dict[str, Any]:
        """The sentence about a run, and how far it is before its first step."""
        folder = self.runs.folder / run["id"]
        if run["state"] in ENDED:
            review = self.reviews.find(folder) if run["weights"] else None
            said = about(run, outcome=outcome_of(folder / EVENTS), review=review)
            return {"said": said, "begun": 0.0}
        if run["state"] != "starting":
            begun = 0.9 if run["state"] in UNDER_WAY else 0.0
            return {"said": about(run, at_once=self.runs.limits.at_once), "begun": begun}
        beginning = read_beginning(folder)
        download = self.offers.fetching.progress(run["config"].get("data", ""))
        said = about(run, beginning, download=download)
        return {"said": said, "begun": share_begun(beginning)}

    def listed(self, owner: Any, also: Any) -> dict[str, Any]:
        others = [_text(run) for run in also[:_MOST_LAID]] if isinstance(also, list) else []
        rows = described(self.runs.shelf.list(_text(owner), others))
        counts = self.runs.shelf.counts()
        own = any(row["state"] not in ENDED for row in rows)
        return {"rows": rows, "queue": counts | {"said": queue(**counts, own=own)}}

    def change(self, run: Any, owner: Any, action: Any, value: Any) -> dict[str, Any]:
        """Set something of a run anew while it trains; a refusal names the field."""
        try:
            steer(self.runs, run, owner, action, value)
        except FieldError as error:
            raise GnetError(refusal(error)) from error
        return {}

    def rename(self, run: Any, owner: Any, name: Any) -> dict[str, Any]:
        return {"name": self.runs.rename(_text(run), _text(owner), name)}

    def pinned(self, run: Any) -> dict[str, Any]:
        return {"src": pinned_picture(self.runs, _text(run))}

    def after(self, run: Any, owner: Any) -> dict[str, Any]:
        return {"after": after_runs(self.runs, _text(run), _text(owner))}

    def _meant(self, form: Sequence[Any]) -> dict[str, Any]:
        return data_tab.with_data(self.offers, named(form))


def experiment_of(key: Any) -> Experiment:
    """The experiment of that key; raises `GnetError` for any other."""
    if not isinstance(key, str) or key not in EXPERIMENTS:
        raise GnetError(f"There is no experiment {cut(key)!r}; there are {', '.join(EXPERIMENTS)}.")
    return EXPERIMENTS[key]


def filled_in(experiment: Experiment, most: dict[str, int]) -> dict[str, Any]:
    """The form's values for an experiment, as large as the server allows; `most`: its limits."""
    values = form_values(experiment.runs[0][1])
    return {shown.name: allowed(shown, values[shown.name], most) for shown in FIELDS}


def begin(runs: Runs, owner: str, experiment: Experiment, values: dict[str, Any]) -> str:
    """Start the experiment's runs with what the form holds, all or none; the id of the first.

    Runs that are no longer the experiment's are kept without its key: nothing is concluded.
    """
    configs = wanted(experiment, values)
    key = "" if departures(experiment, [config for _, config in configs]) else experiment.key
    taken = {row["name"] for row in runs.shelf.list(owner)}
    together = [
        NewRun(name=_free(name, taken), config=config, part=name) for name, config in configs
    ]
    return runs.start_all(together, owner=owner, experiment=key)[0]


def checked(
    runs: Runs, offers: Offers, experiment: Experiment, values: dict[str, Any]
) -> dict[str, Any]:
    """The messages to the form's fields, a data set that is gone included."""
    missing: dict[str, str] = {}
    try:
        values = data_tab.with_data(offers, values)
    except GnetError as error:
        values, missing = values | {"data": "built-in"}, {"data": without_paths(str(error))}
    found = asdict(check(experiment, values, runs.limits))
    troubles = found["troubles"] | missing
    return found | {
        "locked": list(found["locked"]),
        "troubles": troubles,
        "said": form_sentence(troubles, found["changed"]),
    }


def locked(experiment: Experiment, values: dict[str, Any], ever: Any) -> list[Any]:
    """Updates of the form's components: what cannot be set shows what will run.

    Only fields that are or were (`ever`) locked: an update may undo what is just being written.
    """
    held = check(experiment, values).locked
    were = ever if isinstance(ever, list) else []

    def update(name: str) -> Any:
        if name in held:
            return gr.update(interactive=False, value=held[name])
        return gr.update(interactive=True) if name in were else gr.skip()

    return [update(shown.name) for shown in FIELDS]


def as_run(runs: Runs, experiment: Experiment, values: dict[str, Any]) -> TrainConfig:
    """The experiment's first run with what the form holds, as it would run on this server.

    Raises `GnetError` where its pictures would have to be downloaded first.
    """
    config = wanted(experiment, values)[0][1]
    if is_missing(parse(config.data)):
        raise GnetError(
            f"The pictures of {config.data} are not on this machine; a run downloads them first."
        )
    return runs.as_run(config)


def start_label(experiment: Experiment, time: str = "") -> str:
    """The start button's text: how many runs, and the time they take where it is known."""
    runs = len(experiment.runs)
    what = "Start" if runs == 1 else f"Start {runs} runs"
    return f"{what}: {time}" if time else what


def time_taken(found: dict[str, Any], experiment: Experiment, epochs: Any) -> str:
    """`about 16 s an epoch`, measured on a few steps; of several runs what they take together."""
    runs = len(experiment.runs)
    seconds = max(1.0, found["seconds_per_epoch"] * (1 if runs == 1 else runs * epochs))
    time = f"about {duration(seconds) if seconds > 1 else 'a second'}"
    return f"{time} an epoch" if runs == 1 else time


def pinned_picture(runs: Runs, run_id: str) -> str:
    """The picture that a run looks at after each epoch, as an address; empty if there is none."""
    path = runs.shelf.run_folder(run_id).path / PINNED
    if not path.is_file():
        return ""
    return f"data:image/png;base64,{b64encode(path.read_bytes()).decode()}"


def steer(runs: Runs, run: Any, owner: Any, action: Any, value: Any) -> None:
    """Do with a run what a button of its bar asks for; raises `GnetError`."""
    values = {
        "learning_rate": {"learning_rate": value},
        "aux_weights": {"aux1_weight": value, "aux2_weight": value},
    }
    runs.steer(_text(run), _text(owner), _text(action), **values.get(_text(action), {}))


def _free(name: str, taken: set[str]) -> str:
    """`name`, or with the first number that makes it another one."""
    names = (name if n == 1 else f"{name} {n}" for n in range(1, len(taken) + 2))
    return next(n for n in names if n not in taken)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _count(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
