"""A whole search, from its begin or from where it was interrupted."""

from keras_vit.errors import ConditionError, InputError
from training.tuning.display import Display
from training.tuning.final import train_winner
from training.tuning.header import check_same, header_of
from training.tuning.job import Job
from training.tuning.journal import Journal
from training.tuning.ledger import Ledger, nothing_fits
from training.tuning.oracles import build_oracle
from training.tuning.processes import Processes
from training.tuning.records import COMPLETED, MISFIT
from training.tuning.results import write_results
from training.tuning.runner import Runner
from training.tuning.shares import check_workers, share_of, threads_each
from training.tuning.trial import measure_reference, run_trial
from training.tuning.winner import winner


class Tuning:
    """A search in its folder. `run` takes it from where it stands to its end.

    Args:
        plan: training.tuning.plan.Plan. Of one that was begun only `trials` may differ.
        folder: training.tuning.folder.SearchFolder.
        workers: int, trials at a time: one for each GPU, or each with its share of the processors.
        data_dir: str or None, where TFDS keeps its data.
        display: training.tuning.display.Display.

    Raises:
        InputError: the folder holds something else, or there are not so many GPUs or processors.
    """

    def __init__(self, plan, folder, *, workers=1, data_dir=None, display=None):
        folder.check()
        check_workers(workers)
        self.plan = plan
        self.folder = folder
        self.workers = workers
        self.data_dir = data_dir
        self.display = display or Display(plan.objective, workers)

    def run(self, seeds=3):
        """Runs all trials, and then trains the winner with several seeds.

        Returns:
            `(records, best, summary)`: a list of TrialRecord, the winner's, and what is in its
            `summary.json`, None for no seeds.

        Raises:
            InputError: another search was begun here, or no model is within the limits.
            ConditionError: one trial after the other has failed, or a training of the winner.
        """
        with self.folder.locked():
            ledger = self._ledger()
            try:
                self._search(ledger)
            finally:
                records = list(ledger.records.values())
                best = winner(records, self.plan.objective)
                if records:
                    write_results(self.folder, self.plan, records, best)
            if best is None:
                raise _nobody(records)
            summary = self._train(best, seeds) if seeds else None
        return records, best, summary

    def _ledger(self):
        """Reads the journal, or begins one, and replays it."""
        plan, journal = self.plan, Journal(self.folder.journal, self.display.say)
        events = journal.read()
        header = header_of(plan, threads_each(self.workers))
        if events:
            check_same(events[0], header, journal.path)
            header = events[0]
        else:
            journal.append(header)
        self.threads = header["threads"]
        self.processes = Processes(self.folder.log)
        self.reference = None
        if plan.reference is not None:
            self.reference = self._reference(journal, events)
        oracle = build_oracle(plan.tuner, plan.space, plan.objective, trials=plan.trials, seed=plan.seed)
        of_trials = [event for event in events[1:] if event["event"] != "reference"]
        return Ledger(oracle, journal, of_trials, plan.seed)

    def _reference(self, journal, events):
        """Returns the figures of the reference model, measured once in the life of a search."""
        known = [event["footprint"] for event in events if event["event"] == "reference"]
        if known and self.folder.reference.exists():
            return known[0]
        heard = []
        status, reason = self.processes.run(
            measure_reference,
            lambda: self._job(
                self.plan.reference, self.folder.path / "reference", keep=str(self.folder.reference)
            ),
            lambda _, figures: heard.append(figures),
        )
        if status != COMPLETED:
            raise InputError(f"The model of --relative-to cannot be measured: {reason}.")
        figures = {**heard[0], "file": str(self.folder.reference)}
        if not known:
            journal.append({"event": "reference", "footprint": figures})
        return figures

    def _search(self, ledger):
        def run(record, number, hear):
            return self.processes.run(
                run_trial, lambda: self._trial_job(record, number), hear, lambda: len(record.epochs)
            )

        runner = Runner(ledger, run, self.processes.stop, lambda trial: self.display.ended(ledger, trial))
        with self.display:
            self.display.begun(ledger)
            runner.run(self.workers)

    def _trial_job(self, record, number):
        recipe = self.plan.space.recipe_of(record.values, seed=record.seed)
        return self._job(
            recipe,
            self.folder.trial(record.root),
            number,
            first_epoch=record.first_epoch,
            until_epoch=record.until_epoch,
            footprint=record.footprint,
            limits=self.plan.limits,
            reference=self.reference,
            trial=record.id,
            values=record.fields,
        )

    def _job(self, recipe, run_dir, number=0, **options):
        cpus, gpu = share_of(number, self.workers)
        return Job(
            recipe=recipe,
            run_dir=str(run_dir),
            measure=self.plan.measure,
            data_dir=self.data_dir,
            cpus=cpus,
            threads=self.threads,
            gpu=gpu,
            **options,
        )

    def _train(self, best, seeds):
        job = self._job(self.plan.space.recipe, self.folder.path)
        place = self.folder.winner(best.id)
        return train_winner(self.plan, place, best, seeds, self.processes, job, self.display.say)


def _nobody(records):
    if all(record.status == MISFIT for record in records):
        return InputError(nothing_fits(records))
    failed = [record for record in records if record.status != MISFIT]
    return ConditionError(f"No trial was trained to a score; trial {failed[-1].id}: {failed[-1].reason}.")
