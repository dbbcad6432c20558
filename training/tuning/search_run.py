"""A whole search, from its begin or from where it was interrupted."""

from keras_vit.errors import ConditionError, InputError, first_line
from keras_vit.training.tuning.cluster.coordinator import Chief, check_address, serving
from keras_vit.training.tuning.results.best import winner
from keras_vit.training.tuning.results.display import Display
from keras_vit.training.tuning.results.files import write_results
from keras_vit.training.tuning.results.winner import train_winner, write_winner
from keras_vit.training.tuning.state.header import check_same, header_of
from keras_vit.training.tuning.state.journal import Journal
from keras_vit.training.tuning.state.ledger import Ledger, nothing_fits
from keras_vit.training.tuning.state.oracles import build_oracle
from keras_vit.training.tuning.state.records import FAILED, MISFIT
from keras_vit.training.tuning.workers.jobs import Jobs
from keras_vit.training.tuning.workers.processes import Processes
from keras_vit.training.tuning.workers.resources import check_workers, threads_each
from keras_vit.training.tuning.workers.runner import Runner
from keras_vit.training.tuning.workers.trial import run_trial


class Tuning:
    """A search in its folder. `run` takes it from where it stands to its end.

    Args:
        plan: keras_vit.training.tuning.plan.Plan. Of one that was begun only `trials` may differ.
        folder: keras_vit.training.tuning.state.folder.SearchFolder.
        workers: int, trials at a time: one for each GPU, or each with its share of the processors.
        data_dir: str or None, where TFDS keeps its data.
        chief: str, `HOST:PORT` where workers on other machines, who run the trials then, can join; or None.
        display: keras_vit.training.tuning.results.display.Display.

    Raises:
        InputError: the folder holds something else, or there are not so many GPUs or processors.
    """

    def __init__(self, plan, folder, *, workers=1, data_dir=None, chief=None, display=None):
        folder.check()
        check_workers(workers)
        if chief is not None:
            check_address(chief)
        self.plan = plan
        self.folder = folder
        self.workers = workers
        self.data_dir = data_dir
        self.chief = chief
        self.display = display or Display(plan.objective, workers)

    def run(self, seeds=3):
        """Runs all trials, writes the winner's recipe, and then trains it with several seeds.

        Returns:
            `(records, best, summary)`: a list of TrialRecord, the winner's, and what is in its
            `summary.json`, None for no seeds.

        Raises:
            InputError: another search was begun here, data that cannot be loaded, no model within the limits,
                or a port is in use.
            ConditionError: one trial after the other has failed, or a training of the winner.
        """
        with self.folder.locked():
            ledger, header = self._begin()
            try:
                self._search(ledger, header)
            finally:
                records = list(ledger.records.values())
                best = winner(records, self.plan.objective)
                if records:
                    write_results(self.folder, self.plan, records, best)
            if best is None:
                raise _nobody(records)
            write_winner(self.plan, self.folder.winner(best.id), best)
            summary = self._train(best, seeds) if seeds else None
        return records, best, summary

    def _begin(self):
        """Reads the journal, or begins one, and replays it. Returns the ledger and the journal's header."""
        plan, journal = self.plan, Journal(self.folder.journal, self.display.say)
        events = journal.read()
        header = header_of(plan, threads_each(self.workers))
        if events:
            check_same(events[0], header, journal.path)
            header = events[0]
        self.jobs = Jobs(plan, self.folder, self.workers, header["threads"], self.data_dir)
        self.processes = Processes(self.folder.log, plan.measure)
        if not events:
            self.jobs.check_data(self.processes)
            journal.append(header)
        if plan.reference is not None and not self.chief:  # workers measure it on their own machines
            self._know_reference(journal, events)
        oracle = build_oracle(plan.tuner, plan.space, plan.objective, trials=plan.trials, seed=plan.seed)
        of_trials = [event for event in events[1:] if event["event"] != "reference"]
        return Ledger(oracle, journal, of_trials, plan.seed), header

    def _know_reference(self, journal, events):
        """The figures of the reference model are measured once in the life of a search."""
        known = [event["footprint"] for event in events if event["event"] == "reference"]
        if known and self.folder.reference.exists():
            self.jobs.reference = known[-1]
        else:
            self.jobs.measure_reference(self.processes, self.folder.reference)
            journal.append({"event": "reference", "footprint": self.jobs.reference})

    def _search(self, ledger, header):
        if self.chief:
            self._serve(ledger, header)
        else:
            with self.display:
                self.display.begun(ledger)
                run_trials(ledger, self.jobs, self.processes, self.display)

    def _serve(self, ledger, header):
        chief = Chief(ledger, header, self.display)
        with serving(chief, self.chief), self.display:
            self.display.begun(ledger)
            self.display.say(f"workers join with the same command and --join {self.chief} instead of --chief")
            try:
                chief.watch()
            finally:
                chief.say_goodbye()

    def _train(self, best, seeds):
        job = self.jobs.of_run(self.plan.space.recipe, self.folder.path)
        place = self.folder.winner(best.id)
        return train_winner(self.plan, place, best, seeds, self.processes, job, self.display.say)


def run_trials(ledger, jobs, processes, display, stop=None):
    """Runs trials of a ledger, local or remote, in processes of this machine until there are no more.

    Args:
        ledger: Ledger or RemoteLedger.
        jobs: keras_vit.training.tuning.workers.jobs.Jobs.
        processes: keras_vit.training.tuning.workers.processes.Processes.
        display: keras_vit.training.tuning.results.display.Display.
        stop: called when all is to stop. Default: `processes.stop`.
    """

    def run(record, number, hear):
        try:
            return processes.run(
                run_trial,
                lambda: jobs.of_trial(record, number),
                hear,
                lambda: (record.footprint, len(record.epochs)),
            )
        except InputError as error:  # values that do not go together make no recipe
            return FAILED, first_line(error)

    runner = Runner(ledger, run, stop or processes.stop, lambda trial: display.ended(ledger, trial))
    runner.run(jobs.workers)


def _nobody(records):
    if all(record.status == MISFIT for record in records):
        return InputError(nothing_fits(records))
    failed = [record for record in records if record.status != MISFIT]
    reason = failed[-1].reason.rstrip(".")
    return ConditionError(f"No trial was trained to a score; trial {failed[-1].id}: {reason}.")
