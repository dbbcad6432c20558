"""A coordinator and its workers in one process, over a real port of this machine."""

import concurrent.futures
import contextlib
import json
import socket
import threading
import time

import pytest

from keras_vit import ConditionError, InputError
from keras_vit.training.recipe import ImageRecipe
from keras_vit.training.tuning import Search
from keras_vit.training.tuning.cluster import coordinator, protocol, remote_ledger
from keras_vit.training.tuning.cluster.coordinator import Coordinator, check_address, serving
from keras_vit.training.tuning.cluster.protocol import FINISHED
from keras_vit.training.tuning.cluster.remote_ledger import LOST, RemoteLedger
from keras_vit.training.tuning.results.display import Display
from keras_vit.training.tuning.space.space import build_space
from keras_vit.training.tuning.state.journal import Journal
from keras_vit.training.tuning.state.ledger import WAIT, Ledger
from keras_vit.training.tuning.state.oracles import build_oracle
from keras_vit.training.tuning.state.records import FAILED, MISFIT, TrialRecord
from keras_vit.training.tuning.workers.runner import TrialLost

pytestmark = pytest.mark.filterwarnings("ignore:.*is deprecated, :DeprecationWarning:keras_tuner")
OBJECTIVE = ("val_accuracy", "max")
HEADER = {"event": "search", "id": "one"}


def space(hp):
    hp.Choice("hidden_dim", [8, 16, 32, 64])
    hp.Choice("stem", ["conv", "linear"])
    hp.Choice("qk_norm", [True, False])
    hp.Float("learning_rate", 1e-4, 1e-1, sampling="log")


SPACE = build_space(Search(ImageRecipe(epochs=9), space))


@pytest.fixture
def address():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{free.getsockname()[1]}"


@pytest.fixture
def impatient(monkeypatch):
    """All waiting times are short."""
    monkeypatch.setattr(coordinator, "SILENCE", 0.8)
    monkeypatch.setattr(coordinator, "TICK", 0.05)
    monkeypatch.setattr(remote_ledger, "FIRST_ANSWER", 0.3)
    monkeypatch.setattr(remote_ledger, "PATIENCE", 1.0)
    monkeypatch.setattr(remote_ledger, "PAUSE", 0.05)
    monkeypatch.setattr(remote_ledger, "HEARTBEAT", 0.1)


def ledger_of(path, tuner="random", trials=6):
    oracle = build_oracle(tuner, SPACE, OBJECTIVE, trials=trials, seed=0)
    journal = Journal(path, lambda line: None)
    return Ledger(oracle, journal, journal.read(), seed=0)


@contextlib.contextmanager
def started(address, ledger, header=HEADER):
    """A coordinator that runs in its own thread, and the error that it raised."""
    made, raised = Coordinator(ledger, header, Display(OBJECTIVE, 1)), []

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
    made._ending = made._ending or FINISHED
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
    values = {"hidden_dim": 8, "stem": "conv", "qk_norm": True, "learning_rate": 0.1, "tuner/epochs": 3}
    record = TrialRecord("0007", values, 2**32 - 1, "0002", {"parameters": 10**9 + 1, "latency_ms": 0.1})
    assert TrialRecord(**json.loads(json.dumps(protocol.trial_message(record)))) == record


@pytest.mark.parametrize(
    ("status", "reason"), [(MISFIT, "too large"), (FAILED, "no such data"), (FAILED, None)]
)
def test_the_end_of_a_trial_arrives_as_it_was_sent(tmp_path, address, status, reason):
    with started(address, ledger_of(tmp_path / "journal")) as served:
        worker = RemoteLedger(address, OBJECTIVE)
        with worker.joined():
            trial = worker.next().id
            worker.end(trial, 1.25, status, reason)
        record = served.ledger.records[trial]
        assert (record.seconds, record.status, record.reason) == (1.25, status, reason)


@pytest.mark.parametrize("tuner", ["random", "hyperband", "asha"])
def test_a_worker_gets_the_same_trials_as_a_search_on_one_machine(tmp_path, address, tuner):
    alone = ledger_of(tmp_path / "alone", tuner)
    finish(alone)
    shared = ledger_of(tmp_path / "shared", tuner)
    with started(address, shared) as served:
        worker = RemoteLedger(address, OBJECTIVE)
        with worker.joined():
            finish(worker)
        served.thread.join(5)
        assert not served.thread.is_alive()
    assert shared.records == alone.records
    assert {r.id: (r.score, r.status) for r in worker.records.values()} == {
        r.id: (r.score, r.status) for r in alone.records.values()
    }


def test_the_trial_of_a_silent_worker_goes_to_another(tmp_path, address, impatient):
    with started(address, ledger_of(tmp_path / "journal")) as served:
        dead, alive = RemoteLedger(address, OBJECTIVE), RemoteLedger(address, OBJECTIVE)
        dead._join()  # and does not call again
        taken = dead.next()
        with alive.joined():
            assert alive.next().id != taken.id
            wait_for(lambda: served._registry.holder(taken.id) is None)
            assert alive.next() == taken
            with pytest.raises(TrialLost):
                dead.report(taken.id, 1, {"val_accuracy": 0.5})
            dead.lost(taken.id)
            assert dead.records[taken.id].reason == LOST
            alive.report(taken.id, 1, {"val_accuracy": 0.25})
        assert served.ledger.records[taken.id].epochs == {1: {"val_accuracy": 0.25}}


def test_a_trial_that_kills_its_workers_has_failed_the_third_time(tmp_path, address, impatient):
    with started(address, ledger_of(tmp_path / "journal")) as served:
        for _ in range(3):
            dead = RemoteLedger(address, OBJECTIVE)
            dead._join()
            taken = dead.next()
            assert taken.id == "0000"
            wait_for(lambda: not served._registry)
        wait_for(lambda: served.ledger.records["0000"].status == FAILED)


def test_a_worker_keeps_its_trial_when_the_coordinator_is_restarted(tmp_path, address, impatient):
    path = tmp_path / "journal"
    with started(address, ledger_of(path)):
        worker = RemoteLedger(address, OBJECTIVE)
        joined = worker.joined()
        joined.__enter__()
        kept = worker.next()
        worker.report(kept.id, 1, {"val_accuracy": 0.5})
    time.sleep(0.3)
    with started(address, ledger_of(path)) as again:
        assert worker.report(kept.id, 2, {"val_accuracy": 0.6})
        assert again.ledger.records[kept.id].epochs == {1: {"val_accuracy": 0.5}, 2: {"val_accuracy": 0.6}}
        assert worker.next().id == "0001"
        joined.__exit__(None, None, None)
        assert len(again.ledger.take_waiting()) == 2


def test_a_worker_does_not_wait_forever_for_a_lost_coordinator(tmp_path, address, impatient):
    called = threading.Event()
    with started(address, ledger_of(tmp_path / "journal")):
        worker = RemoteLedger(address, OBJECTIVE, called.set)
        joined = worker.joined()
        joined.__enter__()
        record = worker.next()
    with pytest.raises(ConditionError, match="has not answered"):
        worker.report(record.id, 1, {"val_accuracy": 0.5})
    assert called.wait(5) and "has not answered" in str(worker.failure)
    joined.__exit__(None, None, None)


def test_a_coordinator_of_another_search_in_its_place_ends_a_worker(tmp_path, address, impatient):
    with started(address, ledger_of(tmp_path / "one")):
        worker = RemoteLedger(address, OBJECTIVE)
        worker._join()
        record = worker.next()
    other = started(address, ledger_of(tmp_path / "two"), {**HEADER, "id": "two"})
    with other, pytest.raises(ConditionError, match="another search"):
        worker.report(record.id, 1, {"val_accuracy": 0.5})


def test_a_request_whose_answer_was_lost_gets_the_same_trial_again(tmp_path, address):
    with started(address, ledger_of(tmp_path / "journal")) as served:
        worker = RemoteLedger(address, OBJECTIVE)
        worker._join()
        trials = [worker._call("next", {"request": "slot"})["trial"]["id"] for _ in range(2)]
        assert trials == ["0000", "0000"] and len(served.ledger.records) == 1
        for _ in range(2):
            worker._call("measured", {"trial": "0000", "footprint": {"parameters": 1}})
    assert (tmp_path / "journal").read_bytes().count(b"measured") == 1


def test_an_error_that_ends_a_search_reaches_its_workers(tmp_path, address, impatient):
    with started(address, ledger_of(tmp_path / "journal", trials=50)) as served:
        worker = RemoteLedger(address, OBJECTIVE)
        with worker.joined(), pytest.raises(ConditionError, match="no such data"):
            for _ in range(20):
                worker.end(worker.next().id, 0.0, FAILED, "no such data")
        served.thread.join(5)
        assert "no such data" in str(served.raised[0])


def test_a_search_whose_trials_have_ended_ends_without_a_worker(tmp_path, address):
    finish(ledger_of(tmp_path / "journal"))
    with started(address, ledger_of(tmp_path / "journal")) as served:
        served.thread.join(5)
        assert not served.thread.is_alive() and not served.raised


def test_a_missing_coordinator_is_an_error(address, impatient):
    with pytest.raises(InputError, match=f"No coordinator of a search answers at {address}"):
        RemoteLedger(address, OBJECTIVE)


def test_a_port_in_use_is_refused(tmp_path, address):
    with started(address, ledger_of(tmp_path / "journal")) as served:
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


def test_a_worker_waits_for_a_coordinator_that_starts_later(tmp_path, address, monkeypatch):
    monkeypatch.setattr(remote_ledger, "FIRST_ANSWER", 0.1)
    shown = []
    with concurrent.futures.ThreadPoolExecutor() as pool:
        worker = pool.submit(RemoteLedger, address, OBJECTIVE, show=shown.append)
        while not shown:
            time.sleep(0.05)
        with started(address, ledger_of(tmp_path / "journal")):
            assert worker.result(60).header == HEADER
    assert shown == [f"no coordinator answers at {address} yet: waiting for 2 minutes"]
