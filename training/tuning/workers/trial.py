"""What runs in the process of one trial."""

import importlib
from pathlib import Path

import keras

from keras_vit.io.json_files import read_json, write_json
from keras_vit.training.fit import fit
from keras_vit.training.flops import count_flops
from keras_vit.training.run_folder import RunFolder
from keras_vit.training.tasks import task_of
from keras_vit.training.tuning.results.hparams import write_hparams
from keras_vit.training.tuning.state.records import COMPLETED, MISFIT
from keras_vit.training.tuning.workers.isolation import isolated


@isolated
def run_trial(job, connection):
    """Measures a trial's model and trains it, or goes on where an earlier process of it stood.

    Sends `("measured", footprint)` when there was something to measure, and `("epoch", number, metrics)`
    after each epoch, upon which it waits for True (go on) or False (stop).
    """
    task = task_of(job.recipe)
    data = task.load_data(job.data_dir)
    figures = job.footprint
    if not figures:
        figures = measure_model(job, task.build_model(data), data)
        connection.send(("measured", figures))
        keras.utils.clear_session()
    if reason := job.limits.exceeded(figures):
        return MISFIT, reason
    folder, report = RunFolder(job.run_dir), _Report(connection, job)
    if report.catch_up():
        resume = folder.recipe.exists()
        fit(
            job.recipe, folder.path, data=data, resume=resume, callbacks=[report], until_epoch=job.until_epoch
        )
    if report.told and keras.backend.backend() == "tensorflow":
        write_hparams(folder.tensorboard, job.trial, job.values, report.told[-1], len(report.told))
    return COMPLETED, None


@isolated
def load_data(job, connection):
    """Loads the data, to see whether they are there."""
    task_of(job.recipe).load_data(job.data_dir)
    return COMPLETED, None


@isolated
def measure_reference(job, connection):
    """Measures the model that limits are relative to, and keeps its file; sends `("measured", footprint)`."""
    task = task_of(job.recipe)
    data = task.load_data(job.data_dir)
    connection.send(("measured", measure_model(job, task.build_model(data), data)))
    return COMPLETED, None


def measure_model(job, model, data):
    """Measures an untrained model, first what costs nothing; no more than what shows that it is over a limit.

    Returns:
        dict of figures.
    """
    reference = job.reference or {}
    figures = {"parameters": model.count_params()}
    if job.measure:
        figures["flops"] = count_flops(model)
    figures |= _ratios(figures, reference)
    if job.measure and not job.limits.exceeded(figures):
        module, function = job.measure.split(":")
        measure = getattr(importlib.import_module(module), function)
        figures |= measure(model, data.train.images[0], reference=reference.get("file"), keep=job.keep)
        figures |= _ratios(figures, reference)
    return figures


def _ratios(figures, reference):
    base = {**reference, "latency_ms": figures.get("reference_latency_ms")}
    short = {"parameters": "parameters", "flops": "flops", "size_bytes": "size", "latency_ms": "latency"}
    both = (name for name in short if name in figures and base.get(name))
    return {f"{short[name]}_ratio": figures[name] / base[name] for name in both}


class _Report(keras.callbacks.Callback):
    """Tells the metrics of each epoch, and stops the training when the answer is False.

    They are in a file of the run folder before they are told, since who is told may die at that moment.
    """

    def __init__(self, connection, job):
        super().__init__()
        self.connection = connection
        self.path = Path(job.run_dir) / "told.json"
        self.first = job.first_epoch
        self.told = read_json(self.path, list) if self.path.exists() else []

    def catch_up(self):
        """Tells again what an earlier process told. Returns whether to go on."""
        known = enumerate(self.told[self.first - 1 :], self.first)
        return all([self._tell(epoch, metrics) for epoch, metrics in known])

    def on_epoch_end(self, epoch, logs=None):
        metrics = {name: float(value) for name, value in logs.items()}
        self.told[epoch:] = [metrics]
        write_json(self.path, self.told)
        is_own = epoch + 1 >= self.first  # a promotion, on a machine that lacks the run, begins with its past
        if is_own and not self._tell(epoch + 1, metrics):
            self.model.stop_training = True

    def _tell(self, epoch, metrics):
        self.connection.send(("epoch", epoch, metrics))
        return self.connection.recv()
