"""Runs the trials of a search, some at a time."""

import concurrent.futures
import threading
import time

from keras_vit.training.tuning.state.ledger import WAIT

PAUSE = 0.2  # seconds until a worker that had to wait asks again


class TrialLost(Exception):
    """A trial was given to another worker, since this one was not heard."""


class Runner:
    """Takes trials from a ledger, runs them, and tells the ledger what came of them.

    Args:
        ledger: keras_vit.training.tuning.state.ledger.Ledger, or what stands for it on another machine.
        run: function from a TrialRecord, the number of a worker from 0, and a function that takes what the
            trial tells and returns the answer, to `(status, reason)`, or None when all is to stop.
        stop: called when all is to stop.
        ended: called with a trial's id after its end.
    """

    def __init__(self, ledger, run, stop, ended=lambda trial: None):
        self.ledger = ledger
        self.run_trial = run
        self.stop = stop
        self.ended = ended
        self._stopping = threading.Event()

    def run(self, workers):
        """Runs trials until there are no more. Ctrl-C lets those that run save their state."""
        with concurrent.futures.ThreadPoolExecutor(workers) as pool:
            futures = [pool.submit(self._work, number) for number in range(workers)]
            try:
                for future in concurrent.futures.as_completed(futures):
                    future.result()
            except BaseException:  # of one worker, or Ctrl-C: the others must not go on
                self._stopping.set()
                self.stop()
                raise

    def _work(self, number):
        while not self._stopping.is_set():
            record = self.ledger.next()
            if record is None:
                return
            if record is WAIT:
                time.sleep(PAUSE)
                continue
            if not self._run(record, number):
                return

    def _run(self, record, number):
        """Runs a trial. Returns whether to go on with others."""
        begun = time.monotonic()
        try:
            outcome = self.run_trial(record, number, lambda kind, *told: self._hear(record, kind, *told))
            if outcome is None:
                self.ledger.give_back(record.id)
                return False
            status, reason = outcome
            self.ledger.end(record.id, time.monotonic() - begun, status, reason)
        except TrialLost:
            self.ledger.lost(record.id)
        self.ended(record.id)
        return True

    def _hear(self, record, kind, *told):
        if kind == "measured":
            return self.ledger.measured(record.id, *told)
        return self.ledger.report(record.id, *told)
