"""A chief and its workers in one process, over the real port of this machine."""

import contextlib
import socket
import threading
import time

import pytest

from keras_vit import ConditionError, InputError
from keras_vit.training.recipe import Recipe
from keras_vit.training.tuning import Search
from keras_vit.training.tuning.cluster import coordinator as chief
from keras_vit.training.tuning.cluster import protocol as messages
from keras_vit.training.tuning.cluster import remote_ledger as remote
from keras_vit.training.tuning.cluster.coordinator import Chief, check_address, serving
from keras_vit.training.tuning.cluster.remote_ledger import LOST, RemoteLedger
from keras_vit.training.tuning.results.display import Display
from keras_vit.training.tuning.space.space import build_space
from keras_vit.training.tuning.state.journal import Journal
from keras_vit.training.tuning.state.ledger import WAIT, Ledger
from keras_vit.training.tuning.state.oracles import build_oracle
from keras_vit.training.tuning.state.records import COMPLETED, FAILED, MISFIT, TrialRecord
from keras_vit.training.tuning.workers.runner import TrialLost

pytestmark = pytest.mark.filterwarnings("ignore:.*is deprecated, :DeprecationWarning:keras_tuner")
OBJECTIVE = ("val_accuracy", "max")
HEADER = {"event": "search", "id": "one"}


def space(hp):
    hp.Choice("hidden_dim", [8, 16, 32, 64])
    hp.Choice("stem", ["conv", "linear"])
    hp.Choice("batch_norm", [True, False])
    hp.Float("learning_rate", 1e-4, 1e-1, sampling="log")


SPACE = build_space(Search(Recipe(epochs=9), space))


@pytest.fixture
def address():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{free.getsockname()[1]}"


@pytest.fixture
def hasty(monkeypatch):
    """Nobody waits long."""
    monkeypatch.setattr(chief, "SILENCE", 0.8)
    monkeypatch.setattr(chief, "TICK", 0.05)
    monkeypatch.setattr(remote, "FIRST_ANSWER", 0.3)
    monkeypatch.setattr(remote, "PATIENCE", 1.0)
    monkeypatch.setattr(remote, "PAUSE", 0.05)
    monkeypatch.setattr(remote, "BEAT", 0.1)


def ledger_of(path, tuner="random", trials=6):
    oracle = build_oracle(tuner, SPACE, OBJECTIVE, trials=trials, seed=0)
    journal = Journal(path, lambda line: None)
    return Ledger(oracle, journal, journal.read(), seed=0)


@contextlib.contextmanager
def begun(address, ledger, header=HEADER):
    """A chief that watches in a thread of its own, and what it raised."""
    made, raised = Chief(ledger, header, Display(OBJECTIVE, 1)), []

    def watch():
        try:
            made.watch()
        except (ConditionError, InputError) as error:
            raised.append(error)

    with serving(made, address):
        thread = threading.Thread(target=watch, daemon=True)
        thread.start()
        made.thread, made.raised = thread, raised
        yield made
    made._ending = made._ending or "STOPPED"
    thread.join()


def finish(ledger):
    while (record := ledger.next()) is not None:
        if record is WAIT:
            continue
        ledger.measured(record.id, {"parameters": record.values["hidden_dim"]})
        for epoch in range(record.first_epoch, (record.until_epoch or 9) + 1):
            value = record.values["learning_rate"] * epoch / (1 + record.values["hidden_dim"])
            if not ledger.report(record.id, epoch, {"val_accuracy": value}):
                break
        ledger.end(record.id, 1.5)


def test_a_trial_arrives_as_it_was_sent():
    values = {"hidden_dim": 8, "stem": "conv", "batch_norm": True, "learning_rate": 0.1, "tuner/epochs": 3}
    record = TrialRecord("0007", values, 2**32 - 1, "0002", {"parameters": 10**9 + 1, "latency_ms": 0.1})
    assert messages.record_of(messages.trial_message(record)) == record
    ending = ("0007", 1.25, MISFIT, "too large")
    assert messages.end_of(messages.end_message("0007", MISFIT, "too large", 1.25)) == ending
    assert messages.end_of(messages.end_message("0007", COMPLETED, None, 0.1))[2:] == (COMPLETED, None)


@pytest.mark.parametrize("tuner", ["random", "hyperband", "asha"])
def test_a_worker_gets_the_trials_that_a_search_of_one_machine_has(tmp_path, address, tuner):
    alone = ledger_of(tmp_path / "alone", tuner)
    finish(alone)
    shared = ledger_of(tmp_path / "shared", tuner)
    with begun(address, shared) as served:
        worker = RemoteLedger(address, OBJECTIVE)
        with worker.joined():
            finish(worker)
        served.thread.join(5)
        assert not served.thread.is_alive()
    assert shared.records == alone.records
    assert {r.id: (r.score, r.status) for r in worker.records.values()} == {
        r.id: (r.score, r.status) for r in alone.records.values()
    }


def test_the_trial_of_a_silent_worker_goes_to_another(tmp_path, address, hasty):
    with begun(address, ledger_of(tmp_path / "journal")) as served:
        dead, alive = RemoteLedger(address, OBJECTIVE), RemoteLedger(address, OBJECTIVE)
        dead._join()  # and says nothing more
        taken = dead.next()
        with alive.joined():
            assert alive.next().id != taken.id
            wait_for(lambda: served._roster.holder(taken.id) is None)
            assert alive.next() == taken
            with pytest.raises(TrialLost):
                dead.report(taken.id, 1, {"val_accuracy": 0.5})
            dead.lost(taken.id)
            assert dead.records[taken.id].reason == LOST
            alive.report(taken.id, 1, {"val_accuracy": 0.25})
        assert served.ledger.records[taken.id].epochs == {1: {"val_accuracy": 0.25}}


def test_a_trial_that_its_workers_die_of_has_failed_the_third_time(tmp_path, address, hasty):
    with begun(address, ledger_of(tmp_path / "journal")) as served:
        for _ in range(3):
            dead = RemoteLedger(address, OBJECTIVE)
            dead._join()
            taken = dead.next()
            assert taken.id == "0000"
            wait_for(lambda: not served._roster)
        wait_for(lambda: served.ledger.records["0000"].status == FAILED)


def test_a_worker_keeps_its_trial_when_the_chief_is_started_again(tmp_path, address, hasty):
    path = tmp_path / "journal"
    with begun(address, ledger_of(path)):
        worker = RemoteLedger(address, OBJECTIVE)
        joined = worker.joined()
        joined.__enter__()
        kept = worker.next()
        worker.report(kept.id, 1, {"val_accuracy": 0.5})
    time.sleep(0.3)
    with begun(address, ledger_of(path)) as again:
        assert worker.report(kept.id, 2, {"val_accuracy": 0.6})
        assert again.ledger.records[kept.id].epochs == {1: {"val_accuracy": 0.5}, 2: {"val_accuracy": 0.6}}
        assert worker.next().id == "0001"
        joined.__exit__(None, None, None)
        assert len(again.ledger.waiting()) == 2


def test_a_chief_that_does_not_come_back_is_not_waited_for_forever(tmp_path, address, hasty):
    called = threading.Event()
    with begun(address, ledger_of(tmp_path / "journal")):
        worker = RemoteLedger(address, OBJECTIVE, called.set)
        joined = worker.joined()
        joined.__enter__()
        record = worker.next()
    with pytest.raises(ConditionError, match="has not answered"):
        worker.report(record.id, 1, {"val_accuracy": 0.5})
    assert called.wait(5) and "has not answered" in str(worker.failure)
    joined.__exit__(None, None, None)


def test_a_chief_of_another_search_in_its_place_ends_a_worker(tmp_path, address, hasty):
    with begun(address, ledger_of(tmp_path / "one")):
        worker = RemoteLedger(address, OBJECTIVE)
        worker._join()
        record = worker.next()
    other = begun(address, ledger_of(tmp_path / "two"), {**HEADER, "id": "two"})
    with other, pytest.raises(ConditionError, match="another search"):
        worker.report(record.id, 1, {"val_accuracy": 0.5})


def test_a_request_whose_answer_was_lost_gets_the_same_trial_again(tmp_path, address):
    with begun(address, ledger_of(tmp_path / "journal")) as served:
        worker = RemoteLedger(address, OBJECTIVE)
        worker._join()
        request = messages.requests.CreateTrialRequest(tuner_id="slot")
        trials = [worker._call(worker._oracle.CreateTrial, request).trial.trial_id for _ in range(2)]
        assert trials == ["0000", "0000"] and len(served.ledger.records) == 1
        for _ in range(2):
            worker._call(worker._search.measured, {"trial": "0000", "footprint": {"parameters": 1}})
    assert (tmp_path / "journal").read_bytes().count(b"measured") == 1


def test_what_ends_a_search_is_told_to_its_workers(tmp_path, address, hasty):
    with begun(address, ledger_of(tmp_path / "journal", trials=50)) as served:
        worker = RemoteLedger(address, OBJECTIVE)
        with worker.joined(), pytest.raises(ConditionError, match="no such data"):
            for _ in range(20):
                worker.end(worker.next().id, 0.0, FAILED, "no such data")
        served.thread.join(5)
        assert "no such data" in str(served.raised[0])


def test_a_search_that_is_over_is_so_without_a_worker(tmp_path, address):
    finish(ledger_of(tmp_path / "journal"))
    with begun(address, ledger_of(tmp_path / "journal")) as served:
        served.thread.join(5)
        assert not served.thread.is_alive() and not served.raised


def test_where_no_chief_is_there_is_an_error(address, hasty):
    with pytest.raises(InputError, match=f"No chief of a search answers at {address}"):
        RemoteLedger(address, OBJECTIVE)


def test_a_port_in_use_is_refused(tmp_path, address):
    with begun(address, ledger_of(tmp_path / "journal")) as served:
        second = serving(served, address)
        with pytest.raises(InputError, match="port is in use"), second:
            pass


@pytest.mark.parametrize("address", ["8900", "host", "host:", ":8900", "host:port", "host:0", "host:70000"])
def test_an_address_has_host_and_port(address):
    with pytest.raises(InputError, match="HOST:PORT"):
        check_address(address)


def wait_for(condition):
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)
