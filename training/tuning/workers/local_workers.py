"""The workers of this machine: processes, and the jobs that they get."""

from keras_vit.errors import InputError, first_line
from keras_vit.training.tuning.plan import Plan
from keras_vit.training.tuning.state.folder import SearchFolder
from keras_vit.training.tuning.state.records import COMPLETED, FAILED
from keras_vit.training.tuning.workers.job import Job
from keras_vit.training.tuning.workers.processes import Processes
from keras_vit.training.tuning.workers.resources import share_of
from keras_vit.training.tuning.workers.trial import TrialListener, load_data, measure_reference, run_trial


class LocalWorkers:
    """Runs the jobs of a search in processes, each worker with its share of this machine.

    Attributes:
        count: int, trials at a time.
        threads: int, of TensorFlow in each process.
        reference: dict of figures of the model that limits are relative to, and its `file`; or None.
    """

    def __init__(self, plan: Plan, folder: SearchFolder, count, threads, data_dir=None, processes=None):
        self.plan = plan
        self.folder = folder
        self.count = count
        self.threads = threads
        self.data_dir = data_dir
        self.processes = processes or Processes(folder.log, plan.measure)
        self.reference = None

    def run(self, work, recipe, run_dir, number=0, listener=None, **options):
        """Runs `work(job, connection)` in a process of one worker, as `Processes.run` does."""
        cpus, gpu = share_of(number, self.count)
        job = Job(
            recipe=recipe,
            run_dir=str(run_dir),
            measure=self.plan.measure,
            data_dir=self.data_dir,
            cpus=cpus,
            gpu=gpu,
            threads=self.threads,
            **options,
        )
        return self.processes.run(work, job, listener)

    def run_trial(self, ledger, record, number):
        """Runs a trial. Returns `(status, reason)`, or None when everything has to stop."""
        try:
            recipe = self.plan.space.recipe_of(record.values, seed=record.seed)
        except InputError as error:  # each value is valid, but not together with the others
            return FAILED, first_line(error)
        return self.run(
            run_trial,
            recipe,
            self.folder.trial(record.root),
            number,
            TrialListener(ledger, record),
            record=record,
            limits=self.plan.limits,
            reference=self.reference,
        )

    def check_data(self):
        """Loads the data once.

        Raises:
            InputError: they are not on this machine.
        """
        outcome = self.run(load_data, self.plan.space.recipe, self.folder.data)
        if outcome is not None and outcome[0] != COMPLETED:
            raise InputError(f"The data of the search cannot be loaded on this machine: {outcome[1]}")

    def measure_reference(self):
        """Measures the model that limits are relative to, and keeps its file. Returns its figures.

        Raises:
            InputError: it cannot be measured.
        """
        file = str(self.folder.reference)
        outcome = self.run(measure_reference, self.plan.reference, self.folder.reference_log, keep=file)
        if outcome is not None and outcome[0] != COMPLETED:
            raise InputError(f"The model of --relative-to cannot be measured: {outcome[1].rstrip('.')}.")
        self.reference = outcome and {**outcome[1], "file": file}
        return self.reference
