"""Which workers a coordinator has, when they last called, and which trials they run."""

import time

BEFORE = "before"  # the workers of a coordinator that died: they are about to join again


class WorkerRegistry:
    """Workers by the names that they gave themselves, and trials by their ids.

    It has no lock: the coordinator holds its own when a worker or trial changes hands. `inherited` are trials
    that were handed out by a coordinator that died.
    """

    def __init__(self, inherited=()):
        self._last_calls = {BEFORE: time.monotonic()} if inherited else {}
        self._holders = dict.fromkeys(inherited, (BEFORE, ""))  # (worker, its name for the request)

    def __contains__(self, worker):
        return worker in self._last_calls

    def __bool__(self):
        return bool(self._last_calls)

    @property
    def has_trials(self):
        return bool(self._holders)

    def record_call(self, worker):
        """Records that a worker called now. Returns whether it is new."""
        is_new = worker not in self._last_calls
        self._last_calls[worker] = time.monotonic()
        return is_new

    def record_call_of_all(self):
        """Records a call of all workers, whose calls could not arrive."""
        for worker in tuple(self._last_calls):
            self.record_call(worker)

    def silent(self, seconds):
        """Returns the workers that have not called for that time."""
        now = time.monotonic()
        return [worker for worker, last in tuple(self._last_calls.items()) if now - last > seconds]

    def assign(self, trial, worker, request):
        """Assigns a trial to the worker whose request, identified by its name, asked for one."""
        self._holders[trial] = (worker, request)

    def release(self, trial):
        del self._holders[trial]

    def holder(self, trial):
        return self._holders.get(trial, (None,))[0]

    def trial_of(self, worker, request):
        """Returns the trial that a worker got for a request, or None."""
        return next((trial for trial, holder in self._holders.items() if holder == (worker, request)), None)

    def remove(self, worker):
        """Forgets a worker. Returns the trials that it had."""
        self._last_calls.pop(worker, None)
        trials = [trial for trial, holder in self._holders.items() if holder[0] == worker]
        for trial in trials:
            self.release(trial)
        return trials
