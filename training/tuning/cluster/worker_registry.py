"""Which workers a chief has, when they were heard, and which trials they have."""

import time

BEFORE = "before"  # stands for the workers of a chief that died: they are about to join again


class Roster:
    """Workers by the names that they gave themselves, and trials by their ids.

    It has no lock: the chief holds its own where a worker or trial changes hands.

    Args:
        inherited: list of str, trials that were handed out by a chief that died.
    """

    def __init__(self, inherited=()):
        self._heard = {BEFORE: time.monotonic()} if inherited else {}
        self._holders = dict.fromkeys(inherited, (BEFORE, ""))  # (worker, its name for the request)

    def __contains__(self, worker):
        return worker in self._heard

    def __bool__(self):
        return bool(self._heard)

    @property
    def has_trials(self):
        return bool(self._holders)

    def hear(self, worker):
        """Notes that a worker said something. Returns whether it is new."""
        is_new = worker not in self._heard
        self._heard[worker] = time.monotonic()
        return is_new

    def hear_all(self):
        """Lets all workers count as heard just now."""
        for worker in tuple(self._heard):
            self.hear(worker)

    def silent(self, seconds):
        """Returns the workers that said nothing for so long."""
        now = time.monotonic()
        return [worker for worker, heard in tuple(self._heard.items()) if now - heard > seconds]

    def hold(self, trial, worker, name):
        """Gives a trial to a worker that asked for one under a name of its own."""
        self._holders[trial] = (worker, name)

    def drop(self, trial):
        """Takes a trial from whoever has it."""
        del self._holders[trial]

    def holder(self, trial):
        """Returns the worker that has a trial, or None."""
        return self._holders.get(trial, (None,))[0]

    def trial_of(self, worker, name):
        """Returns the trial that a worker got under that name, or None."""
        return next((trial for trial, holder in self._holders.items() if holder == (worker, name)), None)

    def dismiss(self, worker):
        """Forgets a worker. Returns the trials that it had."""
        self._heard.pop(worker, None)
        trials = [trial for trial, holder in self._holders.items() if holder[0] == worker]
        for trial in trials:
            self.drop(trial)
        return trials
