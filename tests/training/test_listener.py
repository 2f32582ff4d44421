"""The listener reads requests where they changed, for all processes of a run at once."""

from gnet.runs.control import Requests, read_requests, write_requests
from gnet.training.distributed import Group
from gnet.training.steering import Listener


def listener(path, stop=lambda: False):
    return Listener(path, Group(), stop)


def test_a_listener_hears_what_was_written_since(tmp_path):
    ears = listener(tmp_path / "w")
    assert ears.read() == Requests()
    for requests in (Requests(pause=True), Requests(steps=2, learning_rate=1e-3), Requests()):
        write_requests(tmp_path / "w", requests)
        assert ears.read() == requests == ears.read()


def test_a_listener_without_a_file_hears_the_request_to_stop_alone():
    assert listener(None, stop=lambda: True).read() == Requests(stop=True)


def test_a_file_is_read_only_where_it_changed(tmp_path, monkeypatch):
    write_requests(tmp_path / "w", Requests(pause=True))
    ears = listener(tmp_path / "w")
    ears.read()
    monkeypatch.setattr("gnet.training.steering.read_requests", None)
    assert ears.read() == Requests(pause=True)


def test_a_damaged_file_changes_nothing_and_a_missing_one_takes_all_requests_back(tmp_path):
    write_requests(tmp_path / "w", Requests(pause=True, learning_rate=0.5))
    ears = listener(tmp_path / "w")
    ears.read()
    (tmp_path / "w").write_text("half a fi")
    assert ears.read() == Requests(pause=True, learning_rate=0.5)
    assert "is not JSON" in ears.refusal()
    write_requests(tmp_path / "w", Requests(aux1_weight=0.0))
    assert ears.read() == Requests(aux1_weight=0.0)
    (tmp_path / "w").unlink()
    assert ears.read() == Requests()


def test_a_followed_wish_to_stop_is_taken_back_with_its_pause_and_a_pause_alone_stays(tmp_path):
    ears = listener(tmp_path / "w")
    ears.clear_stop()
    assert not (tmp_path / "w").exists()
    write_requests(tmp_path / "w", Requests(pause=True, steps=4))
    ears.clear_stop()
    assert read_requests(tmp_path / "w") == Requests(pause=True, steps=4)
    write_requests(tmp_path / "w", Requests(pause=True, stop=True, steps=4, aux1_weight=0.5))
    ears.clear_stop()
    assert read_requests(tmp_path / "w") == Requests(steps=4, aux1_weight=0.5)


def test_only_the_first_process_reads_and_any_may_stop(tmp_path):
    """Two processes played by one: what each brings is added up."""
    write_requests(tmp_path / "w", Requests(pause=True, steps=5, learning_rate=0.1 + 0.2))
    brought = []

    class Kept(Group):
        def summed(self, values):
            brought.append(values)
            return values

    for rank in (0, 1):
        Listener(tmp_path / "w", Kept(rank=rank, world=2), lambda rank=rank: rank == 1).read()

    class Added(Group):
        def summed(self, values):
            return brought[0] + brought[1]

    expected = Requests(pause=True, steps=5, stop=True, learning_rate=0.1 + 0.2)
    assert Listener(tmp_path / "w", Added(rank=0, world=2), lambda: False).read() == expected


def test_a_refusal_is_told_once_for_each_change_of_the_file(tmp_path):
    ears = listener(tmp_path / "w")
    for content, word in (("{'pause': true}", "not JSON"), ('{"stopp": true}', "stopp")):
        (tmp_path / "w").write_text(content)
        assert ears.read() == Requests()
        assert word in ears.refusal()
        assert ears.read() == Requests() and ears.refusal() == ""
    (tmp_path / "w").write_text("")  # a shell is about to write
    assert ears.read() == Requests() and ears.refusal() == ""
    (tmp_path / "w").write_text('{"pause": true}')
    assert ears.read() == Requests(pause=True) and ears.refusal() == ""
