"""The state of a search: an oracle, and the journal of all that it received and proposed."""

import hashlib
import threading

from keras_vit.errors import ConditionError, InputError
from keras_vit.training.tuning.keras_tuner_internals import add_discovered, is_discovery
from keras_vit.training.tuning.state.journal import Journal
from keras_vit.training.tuning.state.oracles import HALT, IDLE, Journaled
from keras_vit.training.tuning.state.records import (
    COMPLETED,
    FAILED,
    IMPOSSIBLE,
    MISFIT,
    STOPPED,
    ImpossibleSearch,
    TrialRecord,
)

WAIT = object()  # no trial now: others have to end first
MAX_FAILURES = 5  # consecutive, before a search ends
MAX_MISFITS = 30  # before any trial fits


class Ledger:
    """Hands out trials and receives their metrics. Each event is in the journal before it takes effect.

    The events of trials in an existing journal are replayed: the oracle, an unused one of `build_oracle`,
    gets the same requests and metrics again, in the same order, and reaches the same state; trials that were
    started and did not end are handed out first, and with them those that failed before their training, as
    in a builder that was corrected since. Each trial gets a seed that follows from `seed`.
    """

    def __init__(self, oracle: Journaled, journal: Journal, events: list[dict], seed: int):
        self.oracle = oracle
        self.journal = journal
        self.seed = seed
        self.records: dict[str, TrialRecord] = {}  # by id, in the order of their start
        self._lock = threading.Lock()
        self._apply = {
            "created": self._created,
            "discovered": self._discovered,
            "measured": self._measured,
            "epoch": self._epoch,
            "ended": self._ended,
            "again": self._again,
        }
        for number, event in enumerate(events, start=1):
            self._replay(number, **event)
        self.again = [record.id for record in self.records.values() if record.failed_untrained]
        for trial in self.again:
            self._append("again", trial=trial)
        self.failed_before = {record.id for record in self.records.values() if record.status == FAILED}
        self._unfinished = [record for record in self.records.values() if record.status is None]

    @property
    def planned(self):
        """How many trials there will be, as far as is known."""
        return self.oracle.planned()

    @property
    def ended(self):
        """How many trials ended, not counting those that exceed a limit."""
        return sum(record.status not in (None, MISFIT) for record in tuple(self.records.values()))

    def next(self):
        """Returns the TrialRecord to run next, `WAIT` when others have to end first, or None at the end.

        It raises an error when too many consecutive trials failed, or none of many was within the limits.
        """
        with self._lock:
            if self._unfinished:
                return self._unfinished.pop(0)
            self._check_failure_limits()
            proposal = self._propose(None)
            if proposal.status in (IDLE, HALT):
                return WAIT if proposal.status == IDLE else None
            values, trial = dict(proposal.hyperparameters.values), proposal.trial_id
            event = {"trial": trial, "values": values, "seed": self._seed_of(trial, values)}
            self.journal.append({"event": "created", **event})
            return self._enter(**event)

    def take_waiting(self, trial=None):
        """Hands out a trial that waits to be handed out again, or all. Returns a list of their ids."""
        with self._lock:
            taken = [record for record in self._unfinished if trial in (None, record.id)]
            self._unfinished = [record for record in self._unfinished if record not in taken]
            return [record.id for record in taken]

    def give_back(self, trial):
        """Takes back a trial that was started and will not end where it runs."""
        with self._lock:
            self._unfinished.append(self.records[trial])

    def close(self):
        """Does nothing: no call of this ledger waits."""

    def discovered(self, trial, space, values):
        """Records hyperparameters that a trial's builder declared, where some of them are new."""
        with self._lock:
            if is_discovery(self.oracle, trial, space, values):
                self._append("discovered", trial=trial, space=space, values=values)

    def measured(self, trial, footprint):
        with self._lock:
            if not self.records[trial].footprint:  # another machine may send it twice
                self._append("measured", trial=trial, footprint=footprint)

    def report(self, trial, epoch, metrics):
        """Records the metrics of an epoch. Returns whether the trial should continue."""
        with self._lock:
            record = self.records[trial]
            if epoch not in record.epochs:  # a trial that resumes from a saved state may send it again
                self._append("epoch", trial=trial, epoch=epoch, metrics=metrics)
            return not record.halted

    def end(self, trial, seconds, status=COMPLETED, reason=None):
        """Records the end of a trial. One that the oracle stopped is `STOPPED`, not `COMPLETED`.

        The first that ends `IMPOSSIBLE` raises ImpossibleSearch, unless others have a score: then it failed.
        """
        with self._lock:
            if self.records[trial].status is not None:
                return
            if status == IMPOSSIBLE:
                if not any(record.is_scored for record in self.records.values()):
                    raise ImpossibleSearch(reason)
                status = FAILED
            if status == COMPLETED and self.records[trial].halted:
                status = STOPPED
            self._append("ended", trial=trial, status=status, reason=reason, seconds=round(seconds, 3))

    def _replay(self, number, event=None, **details):
        try:
            self._apply[event](**details)
        except (KeyError, TypeError, ValueError, AttributeError) as error:  # no event that was written here
            raise InputError(
                f"{self.journal.path} does not fit this search: event {number} of its trials cannot be "
                f"replayed ({type(error).__name__}). Choose another folder."
            ) from error

    def _append(self, event, **details):
        self.journal.append({"event": event, **details})
        self._apply[event](**details)

    def _propose(self, recorded):
        self.oracle.recorded = recorded
        return self.oracle.create_trial(f"{len(self.records)}")  # a new tuner id: each runs one trial

    def _created(self, trial, values, seed):
        proposal = self._propose(values)
        if proposal.trial_id != trial:
            raise InputError(
                f"{self.journal.path} does not fit this search: expected trial {proposal.trial_id} next, "
                f"found {trial}. Choose another folder."
            )
        self._enter(trial, values, seed)

    def _enter(self, trial, values, seed):
        root = self.records.get(values.get("tuner/trial_id"))
        record = TrialRecord(trial, values, seed, root.root if root else trial)
        if root:
            record.footprint = root.footprint
        self.records[trial] = record
        return record

    def _discovered(self, trial, space, values):
        self.records[trial].values = add_discovered(self.oracle, trial, space, values)

    def _measured(self, trial, footprint):
        self.records[trial].footprint = footprint

    def _epoch(self, trial, epoch, metrics):
        record = self.records[trial]
        record.epochs[epoch] = metrics
        if self.oracle.update_trial(trial, metrics, step=epoch).status == HALT:
            record.halted = True

    def _ended(self, trial, status, reason, seconds):
        record, proposal = self.records[trial], self.oracle.trials[trial]
        if status in (COMPLETED, STOPPED) and not record.epochs:
            status, reason = FAILED, "it ended without metrics"
        proposal.status = "COMPLETED" if status in (COMPLETED, STOPPED) else "FAILED"
        self.oracle.misfits += status == MISFIT
        self.oracle.end_trial(proposal)
        record.status, record.reason, record.seconds = status, reason, seconds
        record.score = None if proposal.score is None else float(proposal.score)

    def _again(self, trial):
        self.oracle.run_again(trial)
        record = self.records[trial]
        record.status, record.reason, record.seconds = None, None, 0.0

    def _seed_of(self, trial, values):
        if "tuner/trial_id" in values:
            return self.records[values["tuner/trial_id"]].seed
        return int.from_bytes(hashlib.blake2b(f"{self.seed} {trial}".encode(), digest_size=4).digest())

    def _check_failure_limits(self):
        ended = [record for record in self.records.values() if record.status is not None]
        last = [record for record in ended if record.id not in self.failed_before][-MAX_FAILURES:]
        if len(last) == MAX_FAILURES and all(record.status == FAILED for record in last):
            raise ConditionError(
                f"The last {MAX_FAILURES} trials failed, trial {last[-1].id} because: {last[-1].reason}"
            )
        if len(ended) >= MAX_MISFITS and all(record.status == MISFIT for record in ended):
            raise InputError(nothing_fits(ended))


def nothing_fits(records):
    """Returns the message that no model was within the limits, with the smallest figures found."""
    names = dict.fromkeys(name for record in records for name in record.footprint)
    smallest = {name: min(r.footprint[name] for r in records if name in r.footprint) for name in names}
    shown = ", ".join(f"{name} {value:,.5g}" for name, value in smallest.items())
    return (
        f"None of {len(records)} models is within the limits. The smallest found: {shown}. "
        f"Allow more, or search smaller models. The last one: {records[-1].reason}."
    )
