"""The workers of this machine: processes, and the jobs that they get."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

from keras_vit.errors import InputError, first_line
from keras_vit.training.tuning.plan import Plan
from keras_vit.training.tuning.state.folder import SearchFolder
from keras_vit.training.tuning.state.records import COMPLETED, FAILED, TrialRecord
from keras_vit.training.tuning.workers.processes import Processes
from keras_vit.training.tuning.workers.recipe_work import RecipeWork, SavedWork
from keras_vit.training.tuning.workers.resources import share_of
from keras_vit.training.tuning.workers.trial import Job, check, measure_reference, run_trial


@dataclasses.dataclass
class LocalWorkers:
    """Runs the jobs of a search in processes, each of `count` workers with its share of this machine."""

    plan: Plan
    folder: SearchFolder
    count: int
    threads: int  # of TensorFlow in each process
    data_dir: str | Path | None = None
    processes: Processes | None = None  # None: new ones
    reference: dict | None = None  # figures of the model that limits are relative to, and its `file`

    def __post_init__(self):
        self.processes = self.processes or Processes(self.folder.log, self.plan.measure)

    def run(
        self, target: Callable, work, run_dir: Path, process: str = "its process", **fields
    ) -> tuple | None:
        """Runs `target(job, connection)` in a process, as `Processes.run` does. `fields` are of the Job."""
        return self.processes.run(target, self._job(work, run_dir, **fields), name=process)

    def run_trial(self, ledger, record: TrialRecord, number: int) -> tuple | None:
        """Runs a trial. Returns `(status, reason)`, or None when everything has to stop."""
        try:
            work = self.plan.space.work_of(record.values, seed=record.seed)
        except InputError as error:  # each value is valid, but not together with the others
            return FAILED, first_line(error)
        options = {"record": record, "limits": self.plan.limits, "reference": self.reference}
        receivers = {
            "discovered": ledger.discovered,
            "measured": ledger.measured,
            "epoch": ledger.report,
        }
        return self.processes.run(
            run_trial,
            self._job(work, self.folder.trial(record.root), number, **options),
            on_message=lambda kind, *content: receivers[kind](record.id, *content),
            progress=lambda: record.progress,
        )

    def check(self):
        """Checks what all trials have in common, and adds the hyperparameters that it finds to the space."""
        space = self.plan.space
        job = check, space.first_work(), self.folder.data
        space.add(self._require(space.check_failure, *job, process=space.checking))

    def measure_reference(self) -> dict | None:
        """Measures the model that limits are relative to, and keeps its file. Returns its figures."""
        file, saved = str(self.folder.reference), self.plan.reference_model
        figures = self._require(
            "The model of relative_to (--relative-to) cannot be measured: ",
            measure_reference,
            RecipeWork(self.plan.reference) if saved is None else SavedWork(saved),
            self.folder.reference_log,
            keep=file,
        )
        self.reference = figures and {**figures, "file": file}
        return self.reference

    def _job(self, work, run_dir, number=0, **fields):
        cpus, gpu = share_of(number, self.count)
        machine = {"data_dir": self.data_dir, "cpus": cpus, "gpu": gpu, "threads": self.threads}
        return Job(work, str(run_dir), measure=self.plan.measure, **machine, **fields)

    def _require(self, failure, *job, **options):
        """Runs a job that the search needs. Returns its result, or None when the search must stop."""
        status, result = self.run(*job, **options) or (COMPLETED, None)
        if status != COMPLETED:
            raise InputError(f"{failure}{result}")
        return result
