"""Runs the trials of a search on the workers of this machine."""

import concurrent.futures
import threading
import time

from keras_vit.errors import InputError
from keras_vit.training.tuning.results.display import Display
from keras_vit.training.tuning.state.ledger import WAIT
from keras_vit.training.tuning.state.records import DISK_FULL
from keras_vit.training.tuning.workers.local_workers import LocalWorkers

PAUSE = 0.2  # seconds until a waiting worker asks again


class TrialLost(Exception):
    """A trial was given to another worker, because this one was silent for too long."""


class TrialRunner:
    """Takes trials from a Ledger or RemoteLedger, runs them, and reports to it how they end."""

    def __init__(self, ledger, workers: LocalWorkers, display: Display):
        self.ledger = ledger
        self.workers = workers
        self.display = display
        self._stopping = threading.Event()

    def run(self):
        """Runs trials until there are no more. On Ctrl-C those that run save their state."""
        with concurrent.futures.ThreadPoolExecutor(self.workers.count) as pool:
            futures = [pool.submit(self._work, number) for number in range(self.workers.count)]
            try:
                for future in concurrent.futures.as_completed(futures):
                    future.result()
            except BaseException:  # of one worker, or Ctrl-C: the others have to stop, too
                self.stop()
                raise

    def stop(self):
        """Lets all trials save their state and end, and starts no more."""
        self._stopping.set()
        self.ledger.close()
        self.workers.processes.stop()

    def _work(self, number):
        while not self._stopping.is_set():
            record = self.ledger.next()
            if record is WAIT:
                time.sleep(PAUSE)
            elif record is None or not self._run(record, number):
                return

    def _run(self, record, number):
        """Returns whether to continue with other trials."""
        start = time.monotonic()
        try:
            outcome = self.workers.run_trial(self.ledger, record, number)
            if outcome is None:
                self.ledger.give_back(record.id)
                return False
            status, reason = outcome
            if status == DISK_FULL:
                self.ledger.give_back(record.id)
                raise InputError(f"Trial {record.id} is stopped: {reason} The same command continues it.")
            self.ledger.end(record.id, time.monotonic() - start, status, reason)
        except TrialLost:
            self.ledger.lost(record.id)
        self.display.trial_ended(self.ledger, record.id)
        return True
