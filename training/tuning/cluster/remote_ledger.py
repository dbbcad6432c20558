"""The ledger of a search as its workers on other machines see it."""

import contextlib
import itertools
import threading
import time
import uuid

import grpc

from keras_vit.errors import ConditionError, InputError
from keras_vit.training.tuning.cluster import protocol as messages
from keras_vit.training.tuning.state.ledger import WAIT
from keras_vit.training.tuning.state.oracles import IDLE, STOPPED
from keras_vit.training.tuning.state.records import COMPLETED, FAILED
from keras_vit.training.tuning.state.records import STOPPED as HALTED
from keras_vit.training.tuning.workers.runner import TrialLost

FIRST_ANSWER = 10.0  # seconds to wait for a chief that may just be starting
PATIENCE = 120.0  # seconds to wait for one that was there
ANSWER = 20.0  # seconds for one answer: `bayesian` thinks a while
BEAT = 2.0  # seconds
PAUSE = 0.3  # seconds before a call is repeated
LOST = "the chief gave it to another worker"
_ABSENT = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED)
_OPTIONS = [
    ("grpc.enable_http_proxy", 0),
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 1000),  # by itself it would wait up to two minutes
]


class RemoteLedger:
    """Takes trials from a chief and tells it their figures, as a `Ledger` would.

    A chief that does not answer is waited for; one that was started anew learns what runs here.

    Args:
        address: str, `HOST:PORT` of the chief.
        objective: `(name, "min" or "max")`.
        failed: called without arguments when the chief is lost while nobody asks it anything.

    Attributes:
        header: dict, the first event of the chief's journal.
        records: dict from a trial's id to its TrialRecord, of those that ran here.
        failure: the error after which `failed` was called, or None.

    Raises:
        InputError: there is no chief.
    """

    def __init__(self, address, objective, failed=lambda: None):
        self.address = address
        self.objective = objective
        self.failed = failed
        self.worker = uuid.uuid4().hex[:8]
        self.records = {}
        self.failure = None
        self._progress = {"planned": 0, "ended": 0}
        self._names = itertools.count()
        self._running = {}  # trial: the name of the request that it answered
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._channel = grpc.insecure_channel(address, options=_OPTIONS)
        self._search = messages.search_stub(self._channel)
        self._oracle = messages.oracle_service.OracleStub(self._channel)
        self.header = self._first_answer()

    @contextlib.contextmanager
    def joined(self):
        """Belongs to the chief's workers while the block runs, and says so every two seconds."""
        self._join()
        beating = threading.Thread(target=self._beat, daemon=True)
        beating.start()
        try:
            yield
        finally:
            self.close()
            with contextlib.suppress(grpc.RpcError):
                self._search.leave({}, timeout=1, metadata=self._metadata)
            beating.join()
            self._channel.close()

    def close(self):
        """Lets all calls that wait for the chief end with an error."""
        self._closed.set()

    @property
    def planned(self):
        """How many trials there will be here at most."""
        own = sum(record.is_scored or record.status == FAILED for record in self.records.values())
        return max(self._progress["planned"] - self._progress["ended"] + own, own)

    def next(self):
        """Returns the TrialRecord to run next, `WAIT` when others have to end first, or None at the end."""
        name = f"{self.worker}-{next(self._names)}"
        request = messages.requests.CreateTrialRequest(tuner_id=name)
        message = self._call(self._oracle.CreateTrial, request).trial
        status = messages.status_of(message)
        if status == STOPPED:
            return None
        if status == IDLE:
            return WAIT
        record = messages.record_of(message)
        while record.id in self._running and not self._closed.wait(PAUSE):
            pass  # it was lost, came back, and its process has not noticed either
        with self._lock:
            self._running[record.id] = name
            self.records[record.id] = record
        return record

    def give_back(self, trial):
        """Nothing to do: a worker gives all back when it leaves."""

    def measured(self, trial, footprint):
        """Tells what was measured of a trial's model."""
        self.records[trial].footprint = footprint
        self._call(self._search.measured, {"trial": trial, "footprint": footprint}, trial)

    def report(self, trial, epoch, metrics):
        """Tells the metrics of an epoch. Returns whether the trial should go on."""
        request = messages.requests.UpdateTrialRequest(trial_id=trial, metrics=metrics, step=epoch)
        answer = self._call(self._oracle.UpdateTrial, request, trial).trial
        record = self.records[trial]
        record.epochs[epoch] = metrics
        record.halted = messages.status_of(answer) == STOPPED
        return not record.halted

    def end(self, trial, seconds, status=COMPLETED, reason=None):
        """Tells the end of a trial."""
        message = messages.end_message(trial, status, reason, seconds)
        request = messages.requests.EndTrialRequest(trial=message)
        with contextlib.suppress(TrialLost):
            self._call(self._oracle.EndTrial, request, trial)
        self._ended(self.records[trial], status, reason, seconds)

    def lost(self, trial):
        """Takes note that a trial is not ours any more."""
        self._ended(self.records[trial], FAILED, LOST, 0.0)

    def _ended(self, record, status, reason, seconds):
        scores = [metrics[self.objective[0]] for metrics in record.epochs.values()]
        record.status = HALTED if status == COMPLETED and record.halted else status
        record.reason, record.seconds = reason, seconds
        if status == COMPLETED and scores:
            record.score = max(scores) if self.objective[1] == "max" else min(scores)
        with self._lock:
            self._running.pop(record.id, None)

    @property
    def _metadata(self):
        return ((messages.SPEAKER, self.worker),)

    def _first_answer(self):
        try:
            return self._search.header({}, timeout=FIRST_ANSWER, wait_for_ready=True)
        except grpc.RpcError as error:
            raise InputError(
                f"No chief of a search answers at {self.address}. Start one there first, by the same "
                f"command with --chief {self.address} instead of --join."
            ) from error

    def _join(self):
        with self._lock:
            running = dict(self._running)
        request = {"worker": self.worker, "running": running}
        answer = self._patiently(self._search.join, request)
        if answer["id"] != self.header["id"]:
            raise ConditionError(f"The chief at {self.address} is now that of another search.")

    def _call(self, method, request, trial=None):
        """Calls the chief until it answers; one that does not know this worker is told of it."""
        while True:
            try:
                return self._patiently(method, request)
            except grpc.RpcError as error:
                if error.code() == grpc.StatusCode.PERMISSION_DENIED:
                    raise TrialLost(trial) from error
                if error.code() != grpc.StatusCode.UNAUTHENTICATED:
                    raise ConditionError(f"The chief has ended the search: {error.details()}") from error
                self._join()

    def _patiently(self, method, request):
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                return method(request, timeout=ANSWER, metadata=self._metadata)
            except grpc.RpcError as error:
                if error.code() not in _ABSENT:
                    raise
                if time.monotonic() > deadline or self._closed.wait(PAUSE):
                    raise ConditionError(
                        f"The chief at {self.address} has not answered for {PATIENCE / 60:.0f} minutes. "
                        "Start it again by its command, and then this worker by its own: both go on."
                    ) from error

    def _beat(self):
        while not self._closed.wait(BEAT):
            try:
                self._progress = self._call(self._search.beat, {})
            except ConditionError as error:
                if not self._closed.is_set():
                    self.failure = error
                    self.failed()
                return
