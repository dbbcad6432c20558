"""Hands out the trials of a search to workers on several machines."""

import contextlib
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import grpc

from keras_vit.errors import ConditionError, InputError
from keras_vit.training.tuning.cluster import protocol as messages
from keras_vit.training.tuning.cluster.protocol import SILENCE
from keras_vit.training.tuning.cluster.worker_registry import BEFORE, Roster
from keras_vit.training.tuning.state.ledger import WAIT
from keras_vit.training.tuning.state.oracles import IDLE, RUNNING, STOPPED
from keras_vit.training.tuning.state.records import FAILED, MISFIT
from keras_vit.training.tuning.workers.processes import TRIES

THREADS = 32  # calls answered at a time
TICK = 0.5  # seconds between two looks at who is silent
PATIENCE = 1800.0  # seconds without any worker


class Chief(messages.oracle_service.OracleServicer):
    """Answers workers, and notices which of them are lost.

    It is KerasTuner's service of an oracle, and a second one for what that lacks: who joins says with which
    search, what was measured of a model is told, and workers that say nothing for `SILENCE` seconds lose
    their trials to others. Each call can be repeated without a second effect, as a worker does that had no
    answer.

    Args:
        ledger: keras_vit.training.tuning.state.ledger.Ledger.
        header: dict, the first event of its journal.
        display: keras_vit.training.tuning.results.display.Display.
    """

    def __init__(self, ledger, header, display):
        self.ledger = ledger
        self._header = header
        self._display = display
        self._lock = threading.Lock()
        self._losses = {}  # trial: how often its worker was lost, and where it stood
        self._ending = None  # how the search ended: STOPPED, or an error
        waiting = [record.id for record in ledger.waiting()]
        self._roster = Roster([trial for trial in waiting if ledger.take(trial)])

    def watch(self):
        """Takes trials back from workers that are lost, until the search ends.

        Raises:
            ConditionError: too many trials failed, or no worker came.
            InputError: no model was within the limits.
        """
        self._see_whether_over()
        quiet_since = time.monotonic()
        while self._ending is None:
            self._look_around()
            if self._roster:
                quiet_since = time.monotonic()
            elif time.monotonic() - quiet_since > PATIENCE:
                self._ending = ConditionError(
                    f"No worker for {PATIENCE / 60:.0f} minutes. Start the chief again by the same command, "
                    "and workers with --join instead of --chief."
                )
        if self._ending != STOPPED:
            raise self._ending

    def say_goodbye(self):
        """Waits until all workers have heard that the search has ended, or are lost."""
        while self._ending is not None and self._roster:
            self._look_around()

    # KerasTuner's service

    def CreateTrial(self, request, context):
        worker = self._speaker(context)
        with self._lock, self._failures_told(context):
            known = self._roster.trial_of(worker, request.tuner_id)  # its first answer was lost
            record = self.ledger.records[known] if known else self.ledger.next()
            if record is WAIT or record is None and self._roster.has_trials:  # those may yet be lost
                return _answered(IDLE)
            if record is None:
                self._ending = STOPPED
                return _answered(STOPPED)
            self._roster.hold(record.id, worker, request.tuner_id)
            return messages.requests.CreateTrialResponse(trial=messages.trial_message(record))

    def UpdateTrial(self, request, context):
        self._check_holder(request.trial_id, context)
        with self._failures_told(context):
            goes_on = self.ledger.report(request.trial_id, request.step, dict(request.metrics))
        status = messages.status_message(RUNNING if goes_on else STOPPED, request.trial_id)
        return messages.requests.UpdateTrialResponse(trial=status)

    def EndTrial(self, request, context):
        trial, seconds, status, reason = messages.end_of(request.trial)
        with self._lock:
            if self.ledger.records[trial].status is None:  # else it was told before
                self._check_holder(trial, context)
                with self._failures_told(context):
                    self.ledger.end(trial, seconds, status, reason)
                self._roster.drop(trial)
                self._display.ended(self.ledger, trial)
        return messages.requests.EndTrialResponse()

    # What it lacks

    def header(self, request, context):
        """Tells which search this is."""
        return self._header

    def join(self, request, context):
        """Takes a worker, and lets it keep the trials that it runs unless others have them."""
        worker = request["worker"]
        with self._lock:
            if self._roster.hear(worker):
                self._display.say(f"worker {worker} has joined")
            for trial, name in request["running"].items():
                holder = self._roster.holder(trial)
                if holder in (BEFORE, worker) or holder is None and self.ledger.take(trial):
                    self._roster.hold(trial, worker, name)
        return {"id": self._header["id"]}

    def beat(self, request, context):
        """Hears that a worker is there, and tells it how far the search is."""
        self._speaker(context)
        records = list(self.ledger.records.values())
        ended = sum(record.status not in (None, MISFIT) for record in records)
        return {"planned": self.ledger.planned, "ended": ended}

    def measured(self, request, context):
        """Takes what was measured of a trial's model."""
        self._check_holder(request["trial"], context)
        with self._failures_told(context):
            self.ledger.measured(request["trial"], request["footprint"])
        return {}

    def leave(self, request, context):
        """Takes back all that a worker has."""
        self._dismiss(self._speaker(context), "has left")
        return {}

    def _speaker(self, context):
        """Returns which worker calls, and notes that it was heard."""
        worker = dict(context.invocation_metadata()).get(messages.SPEAKER)
        if worker not in self._roster:
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "join first")
        self._roster.hear(worker)
        return worker

    def _check_holder(self, trial, context):
        worker = self._speaker(context)
        if self._roster.holder(trial) != worker:
            context.abort(grpc.StatusCode.PERMISSION_DENIED, f"trial {trial} was given to another worker")

    def _look_around(self):
        """Waits a tick, and dismisses who was silent, unless it was this process that stood still."""
        begun = time.monotonic()
        time.sleep(TICK)
        if time.monotonic() - begun > TICK + SILENCE / 2:
            self._roster.hear_all()
        for worker in self._roster.silent(SILENCE):
            self._dismiss(worker, f"was silent for {SILENCE:.0f} s", lost=worker != BEFORE)

    def _dismiss(self, worker, how, lost=False):
        with self._lock:
            trials = self._roster.dismiss(worker)
            for trial in trials:
                if not (lost and self._given_up(trial)):
                    self.ledger.give_back(trial)
        if worker != BEFORE:
            had = f", it had trial {', '.join(trials)}" if trials else ""
            self._display.say(f"worker {worker} {how}{had}")

    def _given_up(self, trial):
        """A trial may be what its workers die of: it fails when that has happened again where it stood."""
        record = self.ledger.records[trial]
        place = (bool(record.footprint), len(record.epochs))
        times, before = self._losses.get(trial, (0, place))
        times = times + 1 if place == before else 1
        self._losses[trial] = (times, place)
        if times < TRIES:
            return False
        self.ledger.end(trial, 0.0, FAILED, f"its worker was lost {TRIES} times where it stood")
        self._display.ended(self.ledger, trial)
        return True

    def _see_whether_over(self):
        """Of a search that was begun all trials may have ended: then no worker is needed to ask for one."""
        with self._lock:
            if self.ledger.records and not self._roster:
                record = self.ledger.next()
                if record is None:
                    self._ending = STOPPED
                else:
                    self.ledger.give_back(record.id)

    @contextlib.contextmanager
    def _failures_told(self, context):
        """The ledger's errors end the search, here and on all workers."""
        try:
            if isinstance(self._ending, Exception):
                raise self._ending
            yield
        except (ConditionError, InputError, OSError) as error:  # the last of a journal on a full disk
            self._ending = error
            context.abort(grpc.StatusCode.ABORTED, str(error))


def check_address(address):
    """Checks that an address has the form `HOST:PORT`.

    Raises:
        InputError: it has not.
    """
    host, _, port = address.rpartition(":")
    if not (host and port.isdecimal() and 0 < int(port) < 65536):
        raise InputError(f"Expected HOST:PORT, such as 192.168.0.2:8900, received {address!r}.")


@contextlib.contextmanager
def serving(chief, address):
    """Answers calls at an address while the block runs.

    Raises:
        InputError: the address is not of this machine, or somebody is there already.
    """
    pool = ThreadPoolExecutor(THREADS)
    server = grpc.server(pool, options=[("grpc.so_reuseport", 0)])  # else two could share a port
    messages.oracle_service.add_OracleServicer_to_server(chief, server)
    messages.add_search_service(server, chief)
    try:
        server.add_insecure_port(address)
    except RuntimeError as error:
        raise InputError(
            f"Nobody can be served at {address}: the port is in use, or the host is not this machine. "
            "Choose another port, or an address of this machine for --chief."
        ) from error
    server.start()
    try:
        yield
    finally:
        server.stop(grace=1).wait()


def _answered(status):
    return messages.requests.CreateTrialResponse(trial=messages.status_message(status))
