"""Hands out the trials of a search to workers on several machines."""

import contextlib
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import grpc

from keras_vit.errors import ConditionError, InputError
from keras_vit.training.tuning.cluster import protocol
from keras_vit.training.tuning.cluster.protocol import FINISHED, SILENCE, WAITING
from keras_vit.training.tuning.cluster.worker_registry import BEFORE, WorkerRegistry
from keras_vit.training.tuning.results.display import Display
from keras_vit.training.tuning.state.ledger import WAIT, Ledger
from keras_vit.training.tuning.state.records import FAILED
from keras_vit.training.tuning.workers.processes import TRIES

THREADS = 32  # calls answered at a time
TICK = 0.5  # seconds between two checks for silent workers
PATIENCE = 1800.0  # seconds without any worker


class Coordinator:
    """Answers the calls of workers, and passes the trials of lost workers to others.

    A worker is lost when it has not called for `SILENCE` seconds. `header` is the first event of the journal.
    """

    def __init__(self, ledger: Ledger, header: dict, display: Display):
        self.ledger = ledger
        self._header = header
        self._display = display
        self._lock = threading.Lock()
        self._losses = {}  # trial: how often its worker was lost, and its progress then
        self._ending = None  # how the search ended: FINISHED, or an error
        self._registry = WorkerRegistry(ledger.take_waiting())

    def watch(self):
        """Takes trials back from workers that are lost, until the search ends; raises what ended it."""
        self._finish_if_done()
        alone_since = time.monotonic()
        while self._ending is None:
            self._expire_silent_workers()
            if self._registry:
                alone_since = time.monotonic()
            elif time.monotonic() - alone_since > PATIENCE:
                self._ending = ConditionError(
                    f"No worker for {PATIENCE / 60:.0f} minutes. Start the coordinator again by the same "
                    "command, and workers with --join instead of --coordinator."
                )
        if self._ending != FINISHED:
            raise self._ending

    def drain_workers(self):
        """Waits until all workers have received that the search has ended, or are lost."""
        while self._ending is not None and self._registry:
            self._expire_silent_workers()

    # The calls of workers, as `protocol.METHODS` names them; see `RemoteLedger`

    def header(self, request, context):
        return self._header

    def join(self, request, context):
        """Adds a worker, and lets it keep the trials that it runs unless others have them."""
        worker = _name_of(context)
        with self._lock:
            if self._registry.record_call(worker):
                self._display.show(f"worker {worker} has joined")
            for trial, name in request["running"].items():
                holder = self._registry.holder(trial)
                if holder in (BEFORE, worker) or holder is None and self.ledger.take_waiting(trial):
                    self._registry.assign(trial, worker, name)
        return {"id": self._header["id"]}

    def heartbeat(self, request, context):
        """Keeps a worker from being silent, and returns how far the search is."""
        self._caller(context)
        return {"planned": self.ledger.planned, "ended": self.ledger.ended}

    def next(self, request, context):
        """Hands out a trial. Without one the search is finished, or waits for trials of others."""
        worker = self._caller(context)
        with self._lock, self._errors_end_search(context):
            known = self._registry.trial_of(worker, request["request"])  # its first answer was lost
            record = self.ledger.records[known] if known else self.ledger.next()
            if record is WAIT or record is None and self._registry.has_trials:  # those may be lost
                return {"status": WAITING}
            if record is None:
                self._ending = FINISHED
                return {"status": FINISHED}
            self._registry.assign(record.id, worker, request["request"])
            return {"trial": protocol.trial_message(record)}

    def discovered(self, request, context):
        with self._by_holder(request, context):
            self.ledger.discovered(**request)
        return {}

    def measured(self, request, context):
        with self._by_holder(request, context):
            self.ledger.measured(**request)
        return {}

    def report(self, request, context):
        with self._by_holder(request, context):
            return {"continue": self.ledger.report(**request)}

    def end(self, request, context):
        trial = request["trial"]
        with self._lock:
            if self.ledger.records[trial].status is None:  # else this call is repeated
                with self._by_holder(request, context):
                    self.ledger.end(**request)
                self._registry.release(trial)
                self._display.trial_ended(self.ledger, trial)
        return {}

    def leave(self, request, context):
        self._remove(self._caller(context), "has left")
        return {}

    def _caller(self, context):
        """Records a worker's call, and returns its name."""
        worker = _name_of(context)
        if worker not in self._registry:
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "join first")
        self._registry.record_call(worker)
        return worker

    @contextlib.contextmanager
    def _by_holder(self, request, context):
        """Checks that the trial of a request still belongs to the worker that calls."""
        trial = request["trial"]
        if self._registry.holder(trial) != self._caller(context):
            context.abort(grpc.StatusCode.PERMISSION_DENIED, f"trial {trial} was given to another worker")
        with self._errors_end_search(context):
            yield

    def _expire_silent_workers(self):
        """Waits a tick, and removes silent workers, unless this process itself was suspended meanwhile."""
        start = time.monotonic()
        time.sleep(TICK)
        if time.monotonic() - start > TICK + SILENCE / 2:
            self._registry.record_call_of_all()
        for worker in self._registry.silent(SILENCE):
            self._remove(worker, f"was silent for {SILENCE:.0f} s", lost=worker != BEFORE)

    def _remove(self, worker, reason, lost=False):
        with self._lock:
            trials = self._registry.remove(worker)
            for trial in trials:
                if not (lost and self._end_if_lost_too_often(trial)):
                    self.ledger.give_back(trial)
        if worker != BEFORE:
            had = f", it had trial {', '.join(trials)}" if trials else ""
            self._display.show(f"worker {worker} {reason}{had}")

    def _end_if_lost_too_often(self, trial):
        """A trial may kill its workers: it fails when they are lost repeatedly without progress."""
        progress = self.ledger.records[trial].progress
        times, before = self._losses.get(trial, (0, progress))
        times = times + 1 if progress == before else 1
        self._losses[trial] = (times, progress)
        if times < TRIES:
            return False
        self.ledger.end(trial, 0.0, FAILED, f"its worker was lost {TRIES} times at the same place")
        self._display.trial_ended(self.ledger, trial)
        return True

    def _finish_if_done(self):
        """Ends a resumed search whose trials have all ended, without waiting for a worker to ask for one."""
        with self._lock:
            if self.ledger.records and not self._registry:
                record = self.ledger.next()
                if record is None:
                    self._ending = FINISHED
                else:
                    self.ledger.give_back(record.id)

    @contextlib.contextmanager
    def _errors_end_search(self, context):
        """The ledger's errors end the search, here and on all workers."""
        try:
            if isinstance(self._ending, Exception):
                raise self._ending
            yield
        except (ConditionError, InputError, OSError) as error:  # also of a journal that cannot be written
            self._ending = error
            context.abort(grpc.StatusCode.ABORTED, str(error))


def _name_of(context):
    return dict(context.invocation_metadata()).get(protocol.CALLER)


def check_address(address: str):
    """Raises an InputError unless an address has the form `HOST:PORT`."""
    host, _, port = address.rpartition(":")
    if not (host and port.isdecimal() and 0 < int(port) < 65536):
        raise InputError(f"Expected HOST:PORT, such as 192.168.0.2:8900, received {address!r}.")


@contextlib.contextmanager
def serving(coordinator: Coordinator, address: str):
    """Answers calls at an address of this machine while the block runs."""
    pool = ThreadPoolExecutor(THREADS)
    server = grpc.server(pool, options=[("grpc.so_reuseport", 0)])  # else two could share a port
    protocol.add_search_service(server, coordinator)
    try:
        server.add_insecure_port(address)
    except RuntimeError as error:
        raise InputError(
            f"Workers cannot be served at {address}: the port is in use, or the host is not this machine. "
            "Choose another port, or an address of this machine for --coordinator."
        ) from error
    server.start()
    try:
        yield
    finally:
        server.stop(grace=1).wait()
