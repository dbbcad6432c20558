"""The ledger of a search as its workers on other machines see it."""

import contextlib
import itertools
import threading
import time
import uuid
from collections.abc import Callable

import grpc

from keras_vit.errors import ConditionError, InputError
from keras_vit.training.tuning.cluster import protocol
from keras_vit.training.tuning.cluster.protocol import FINISHED
from keras_vit.training.tuning.state.ledger import WAIT
from keras_vit.training.tuning.state.records import COMPLETED, FAILED, STOPPED, TrialRecord
from keras_vit.training.tuning.workers.runner import TrialLost

FIRST_ANSWER = 10.0  # seconds until a worker says that it waits for a coordinator
PATIENCE = 120.0  # seconds to wait for a coordinator that is starting, or answered before
ANSWER = 20.0  # seconds for one answer: `bayesian` needs a while
HEARTBEAT = 2.0  # seconds
PAUSE = 0.3  # seconds before a call is repeated
LOST = "the coordinator gave it to another worker"
_ABSENT = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED)
_OPTIONS = [
    ("grpc.enable_http_proxy", 0),
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 1000),  # by default it would wait up to two minutes
]


class RemoteLedger:
    """Gets trials from a coordinator and reports to it, with the methods of a `Ledger`.

    It waits for a coordinator that does not answer; one that was restarted learns what runs here.
    `on_failure` is called when a heartbeat finds the coordinator lost, `show` gets a message while it waits
    for the first answer.
    """

    def __init__(
        self,
        address: str,
        objective: tuple[str, str],
        on_failure: Callable[[], object] = lambda: None,
        show: Callable[[str], object] = lambda line: None,
    ):
        self.address = address
        self.objective = objective
        self.on_failure = on_failure
        self.worker = uuid.uuid4().hex[:8]
        self.records: dict[str, TrialRecord] = {}  # by id, of the trials that ran here
        self.failure: ConditionError | None = None  # why `on_failure` was called
        self._progress = {"planned": 0, "ended": 0}
        self._metadata = ((protocol.CALLER, self.worker),)
        self._requests = itertools.count()
        self._running = {}  # trial: the name of the request that it answered
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._channel = grpc.insecure_channel(address, options=_OPTIONS)
        self._coordinator = protocol.search_stub(self._channel)
        self.header = self._first_answer(show)  # the first event of the coordinator's journal

    @contextlib.contextmanager
    def joined(self):
        """Makes this a worker of the coordinator while the block runs, with a heartbeat every two seconds."""
        self._join()
        heartbeats = threading.Thread(target=self._send_heartbeats, daemon=True)
        heartbeats.start()
        try:
            yield
        finally:
            self.close()
            with contextlib.suppress(grpc.RpcError):
                self._coordinator.leave({}, timeout=1, metadata=self._metadata)
            heartbeats.join()
            self._channel.close()

    def close(self):
        """Ends all calls that wait for the coordinator with an error."""
        self._closed.set()

    @property
    def planned(self):
        """How many trials there will be here at most."""
        return max(self._progress["planned"] - self._progress["ended"], 0) + self.ended

    @property
    def ended(self):
        """How many trials ended here, not counting those that exceed a limit."""
        records = tuple(self.records.values())
        return sum(record.is_scored or record.status == FAILED for record in records)

    def next(self):
        """Returns the TrialRecord to run next, `WAIT` when others have to end first, or None at the end."""
        request = f"{self.worker}-{next(self._requests)}"
        answer = self._call("next", {"request": request})
        if "trial" not in answer:
            return None if answer["status"] == FINISHED else WAIT
        record = TrialRecord(**answer["trial"])
        while record.id in self._running and not self._closed.wait(PAUSE):
            pass  # it was lost, came back, and its process here has not noticed either
        with self._lock:
            self._running[record.id] = request
            self.records[record.id] = record
        return record

    def give_back(self, trial):
        """Does nothing: a worker returns all trials when it leaves."""

    def discovered(self, trial, space, values):
        self.records[trial].values = {**self.records[trial].values, **values}
        self._call("discovered", {"trial": trial, "space": space, "values": values})

    def measured(self, trial, footprint):
        self.records[trial].footprint = footprint
        self._call("measured", {"trial": trial, "footprint": footprint})

    def report(self, trial, epoch, metrics):
        """Sends the metrics of an epoch. Returns whether the trial should continue."""
        answer = self._call("report", {"trial": trial, "epoch": epoch, "metrics": metrics})
        record = self.records[trial]
        record.epochs[epoch] = metrics
        record.halted = not answer["continue"]
        return answer["continue"]

    def end(self, trial, seconds, status=COMPLETED, reason=None):
        with contextlib.suppress(TrialLost):
            self._call("end", {"trial": trial, "seconds": seconds, "status": status, "reason": reason})
        self._ended(self.records[trial], status, reason, seconds)

    def lost(self, trial):
        """Records that a trial runs elsewhere now."""
        self._ended(self.records[trial], FAILED, LOST, 0.0)

    def _ended(self, record, status, reason, seconds):
        scores = [metrics[self.objective[0]] for metrics in record.epochs.values()]
        record.status = STOPPED if status == COMPLETED and record.halted else status
        record.reason, record.seconds = reason, seconds
        if status == COMPLETED and scores:
            record.score = max(scores) if self.objective[1] == "max" else min(scores)
        with self._lock:
            self._running.pop(record.id, None)

    def _first_answer(self, show):
        """Waits for a coordinator, which checks builder and data before it answers."""
        with contextlib.suppress(grpc.RpcError):
            return self._coordinator.header({}, timeout=FIRST_ANSWER, wait_for_ready=True)
        show(f"no coordinator answers at {self.address} yet: waiting for {PATIENCE / 60:.0f} minutes")
        try:
            return self._coordinator.header({}, timeout=PATIENCE, wait_for_ready=True)
        except grpc.RpcError as error:
            raise InputError(
                f"No coordinator of a search answers at {self.address}. Start one there first, by the same "
                f"command with --coordinator {self.address} instead of --join."
            ) from error

    def _join(self):
        with self._lock:
            running = dict(self._running)
        answer = self._call_patiently("join", {"running": running})
        if answer["id"] != self.header["id"]:
            raise ConditionError(f"The coordinator at {self.address} now runs another search.")

    def _call(self, method, request):
        """Calls the coordinator until it answers; joins again when it does not know this worker."""
        while True:
            try:
                return self._call_patiently(method, request)
            except grpc.RpcError as error:
                if error.code() == grpc.StatusCode.PERMISSION_DENIED:
                    raise TrialLost(error.details()) from error
                if error.code() != grpc.StatusCode.UNAUTHENTICATED:
                    raise ConditionError(
                        f"The coordinator has ended the search: {error.details()}"
                    ) from error
                self._join()

    def _call_patiently(self, method, request):
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                call = getattr(self._coordinator, method)
                return call(request, timeout=ANSWER, metadata=self._metadata)
            except grpc.RpcError as error:
                if error.code() not in _ABSENT:
                    raise
                if time.monotonic() > deadline or self._closed.wait(PAUSE):
                    raise ConditionError(
                        f"The coordinator at {self.address} has not answered for {PATIENCE / 60:.0f} minutes."
                        " Start it again by its command, and then this worker by its own: both resume."
                    ) from error

    def _send_heartbeats(self):
        while not self._closed.wait(HEARTBEAT):
            try:
                self._progress = self._call("heartbeat", {})
            except ConditionError as error:
                if not self._closed.is_set():
                    self.failure = error
                    self.on_failure()
                return
