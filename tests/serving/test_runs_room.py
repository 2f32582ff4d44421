"""A server's runs: several started at once, how many may wait and be kept, limits that changed."""

from dataclasses import replace

import pytest

from gnet.errors import GnetError
from gnet.runs.train_config import TrainConfig
from gnet.serving import runs as runs_module
from gnet.serving.limits import RunLimits
from gnet.serving.run_card import write_card
from gnet.serving.runs import NewRun, Runs
from gnet.serving.shelf import RunShelf
from support.opened_runs import OWNER, SHORT, STRANGER, reach, start, state, steps
from support.waiting import until

THREE = [NewRun(name=name, config=SHORT, part=name) for name in ("left out", "3×3", "5×5")]


@pytest.fixture
def waiting(tmp_path):
    """Make runs whose queue nobody keeps, so that all of them wait."""

    def make(**limits) -> Runs:
        tmp_path.mkdir(exist_ok=True)
        return Runs(tmp_path, RunLimits(**limits))

    return make


def files(runs):
    return sorted(path.name for path in runs.folder.iterdir() if path.name != ".changes")


def test_runs_started_together_share_a_group_and_wait_in_their_order(waiting):
    runs = waiting()
    ids = runs.start_all(THREE, owner=OWNER, experiment="five-by-five")
    rows = {row["id"]: row for row in runs.shelf.list(OWNER)}
    assert [rows[i]["part"] for i in ids] == ["left out", "3×3", "5×5"]
    assert [rows[i]["position"] for i in ids] == [1, 2, 3]
    assert [row["id"] for row in runs.shelf.list(OWNER)] == ids[::-1]
    (group,) = {row["group"] for row in rows.values()}
    alone = runs.start(SHORT, name="a", owner=OWNER)
    assert len(group) == 22 and runs.shelf.card(alone).group not in ("", group)
    assert files(runs) == sorted([*ids, alone])


def test_a_listing_reads_the_folder_once(waiting, monkeypatch):
    runs, listed = waiting(), []
    for name in "abc":
        start(runs, name=name)
    plain = RunShelf.cards
    monkeypatch.setattr(RunShelf, "cards", lambda shelf: listed.append(1) or plain(shelf))
    rows = runs.shelf.list(OWNER)
    assert [row["position"] for row in rows] == [3, 2, 1] and len(listed) == 1


def test_of_runs_that_do_not_all_find_room_none_is_started(waiting):
    for limits, sentence in (
        ({"max_waiting": 2}, "0 of your runs wait already, and 3 more would make 3; allowed are 2"),
        ({"max_queue": 2}, "0 runs wait here already, and 3 more would make 3; allowed are 2"),
        ({"max_runs": 2}, "keeps 2 runs and has 0, 0 of them yours; for 3 more, 1 must be deleted"),
    ):
        runs = waiting(**limits)
        with pytest.raises(GnetError, match=sentence):
            runs.start_all(THREE, owner=OWNER)
        assert files(runs) == []


def test_where_one_of_several_runs_is_not_allowed_none_is_started(waiting):
    runs = waiting(max_epochs=5)
    wrong = NewRun(name="long", config=replace(SHORT, epochs=6))
    with pytest.raises(GnetError, match="epochs is 6"):
        runs.start_all([*THREE, wrong], owner=OWNER)
    assert files(runs) == []


@pytest.mark.parametrize("name", ["write_card", "move"])
def test_a_disk_that_fills_up_at_the_second_of_several_runs_leaves_none(waiting, monkeypatch, name):
    runs, done = waiting(), []
    kept = start(runs)
    plain = getattr(runs_module, name)

    def once(*arguments):
        done.append(arguments)
        if len(done) == 2:
            raise GnetError("Cannot write it (No space left on device); make room.")
        plain(*arguments)

    monkeypatch.setattr(runs_module, name, once)
    with pytest.raises(GnetError, match="No space left"):
        runs.start_all(THREE, owner=OWNER)
    assert len(done) == 2 and files(runs) == [kept]
    assert [row["id"] for row in runs.shelf.list(OWNER)] == [kept]


def test_a_full_server_deletes_nobodys_runs_for_somebody_else(opened):
    runs = opened(max_runs=3)
    ids = [start(runs, SHORT) for _ in range(3)]
    for run_id in ids:
        reach(runs, run_id, "finished")
    with pytest.raises(GnetError, match="keeps 3 runs and has 3, 0 of them yours; for 1 more"):
        start(runs, owner=STRANGER)
    assert {row["id"] for row in runs.shelf.list(OWNER)} == set(ids)


def test_on_a_full_server_the_owners_oldest_ended_runs_make_room(opened):
    runs = opened(max_runs=3)
    ended = [start(runs, SHORT), start(runs, SHORT)]
    for run_id in ended:
        reach(runs, run_id, "finished")
    theirs = start(runs, owner=STRANGER)
    reach(runs, theirs, "running")
    new = start(runs)
    assert {row["id"] for row in runs.shelf.list(OWNER)} == {ended[1], new}
    with pytest.raises(GnetError, match="3, 2 of them yours; for 2 more, 2 must be deleted"):
        runs.start_all(THREE[:2], owner=OWNER)  # only one of them has ended
    assert {row["id"] for row in runs.shelf.list(OWNER)} == {ended[1], new}
    assert files(runs) == sorted([ended[1], new, theirs, ".server"])


def test_a_run_that_a_new_one_begins_from_does_not_make_room_for_it(opened):
    runs = opened(max_runs=1)
    first = start(runs, SHORT)
    reach(runs, first, "finished")
    with pytest.raises(GnetError, match="for 1 more, 1 must be deleted"):
        start(runs, replace(SHORT, start=str(runs.shelf.weights(first))))
    assert state(runs, first) == "finished"


def test_only_so_many_runs_of_one_person_and_of_all_may_wait(waiting):
    runs = waiting(max_waiting=2, max_queue=3)
    mine = [start(runs), start(runs)]
    with pytest.raises(GnetError, match="2 of your runs wait already, and 1 more would make 3"):
        start(runs)
    start(runs, owner=STRANGER)
    with pytest.raises(GnetError, match="3 runs wait here already"):
        start(runs, owner="somebody-else-entirely")
    runs.steer(mine[0], OWNER, "stop")
    write_card(runs.folder / mine[0], replace(runs.shelf.card(mine[0]), process=2**22 + 1))
    start(runs)
    with pytest.raises(GnetError, match="2 of your runs wait already"):
        runs.steer(mine[0], OWNER, "resume")


@pytest.mark.parametrize(
    ("limits", "sentence"),
    [
        ({"max_epochs": 5}, "epochs is 10000; "),
        ({"max_size": 16}, "size is 32; "),
        ({"max_minutes": 1e-6}, "1e-06 are allowed; "),
    ],
)
def test_a_run_is_resumed_only_within_the_limits_of_now(opened, limits, sentence):
    runs = opened()
    run_id = start(runs)
    until(lambda: steps(runs, run_id) > 2)
    runs.steer(run_id, OWNER, "stop")
    reach(runs, run_id, "stopped")
    runs.close()
    again = opened(**limits)
    with pytest.raises(GnetError, match=sentence):
        again.steer(run_id, OWNER, "resume")
    assert state(again, run_id) == "stopped"


def test_a_resumed_run_has_no_more_minutes_than_are_allowed_now(opened):
    for given in (0.0, 30.0):
        runs = opened()
        run_id = start(runs, TrainConfig(epochs=10_000, size=32, max_minutes=given))
        until(lambda runs=runs, i=run_id: steps(runs, i) > 2)
        runs.steer(run_id, OWNER, "stop")
        reach(runs, run_id, "stopped")
        runs.close()
        again = opened(max_minutes=15.0)
        again.steer(run_id, OWNER, "resume")
        assert reach(again, run_id, "running")["config"]["max_minutes"] == 15.0
        again.steer(run_id, OWNER, "delete")


def test_a_run_that_waits_is_begun_only_within_the_limits_of_now(waiting, opened):
    runs = waiting()
    long, short = start(runs), start(runs, SHORT)
    again = opened(max_epochs=5)
    reach(again, short, "finished")
    run = reach(again, long, "failed")
    assert run["message"].startswith("The run could not be started: epochs is 10000; ")


def test_a_run_goes_on_with_the_zip_it_took_along(opened, tmp_path):
    zips = tmp_path / "zips"
    zips.mkdir()
    (zips / "pets.zip").write_bytes(b"pictures")
    runs = opened(tmp_path / "runs", uploads=zips)
    run_id = start(runs, replace(SHORT, epochs=200, data=str(zips / "pets.zip")))
    until(lambda: steps(runs, run_id) > 2)
    (zips / "pets.zip").unlink()
    runs.steer(run_id, OWNER, "stop")
    reach(runs, run_id, "stopped")
    runs.steer(run_id, OWNER, "resume")
    run = reach(runs, run_id, "running")
    assert run["config"]["data"] == "pets.zip"
    kept = runs.shelf.run_folder(run_id).config().data
    assert kept == str(tmp_path / "runs" / run_id / "pets.zip")
