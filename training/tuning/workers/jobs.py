"""What the processes of one machine are told."""

from keras_vit.errors import InputError
from keras_vit.training.tuning.state.records import COMPLETED
from keras_vit.training.tuning.workers.job import Job
from keras_vit.training.tuning.workers.resources import share_of
from keras_vit.training.tuning.workers.trial import load_data, measure_reference


class Jobs:
    """Makes the jobs of a search, each with the share of this machine that its worker has.

    Args:
        plan: keras_vit.training.tuning.plan.Plan.
        folder: keras_vit.training.tuning.state.folder.SearchFolder.
        workers: int, trials at a time on this machine.
        threads: int, of TensorFlow in each process.
        data_dir: str or None, where TFDS keeps its data.

    Attributes:
        reference: dict, what was measured of the model that limits are relative to, and its `file`; or None.
    """

    def __init__(self, plan, folder, workers, threads, data_dir=None):
        self.plan = plan
        self.folder = folder
        self.workers = workers
        self.threads = threads
        self.data_dir = data_dir
        self.reference = None

    def of_trial(self, record, number):
        """Returns the job of a TrialRecord, for the worker of that number."""
        return self.of_run(
            self.plan.space.recipe_of(record.values, seed=record.seed),
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

    def of_run(self, recipe, run_dir, number=0, **options):
        """Returns the job of a training, or of something else that has a run folder."""
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

    def check_data(self, processes):
        """Loads the data once.

        Raises:
            InputError: they are not on this machine.
        """
        job = self.of_run(self.plan.space.recipe, self.folder.data)
        outcome = processes.run(load_data, lambda: job)
        if outcome is not None and outcome[0] != COMPLETED:
            raise InputError(f"The data of the search cannot be loaded on this machine: {outcome[1]}")

    def measure_reference(self, processes, file):
        """Measures the model that limits are relative to.

        Args:
            processes: keras_vit.training.tuning.workers.processes.Processes.
            file: Path under which to keep what it becomes.

        Raises:
            InputError: it cannot be measured.
        """
        heard = []
        job = self.of_run(self.plan.reference, self.folder.reference_log, keep=str(file))
        outcome = processes.run(measure_reference, lambda: job, lambda _, figures: heard.append(figures))
        if outcome is not None and outcome[0] != COMPLETED:
            raise InputError(f"The model of --relative-to cannot be measured: {outcome[1].rstrip('.')}.")
        self.reference = {**heard[-1], "file": str(file)} if heard else None
