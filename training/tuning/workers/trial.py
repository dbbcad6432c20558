"""The work of a process: one trial, or what a search does before and after its trials."""

import keras

from keras_vit.training.fit import fit_task
from keras_vit.training.flops import count_flops
from keras_vit.training.run import train
from keras_vit.training.run_folder import RunFolder
from keras_vit.training.tasks import task_of
from keras_vit.training.tuning.state.records import COMPLETED, MISFIT
from keras_vit.training.tuning.workers.epoch_reports import EpochReports
from keras_vit.training.tuning.workers.isolation import isolated
from keras_vit.training.tuning.workers.processes import Listener


@isolated
def run_trial(job, connection):
    """Measures a trial's model and trains it, or continues where an earlier process of it was interrupted.

    Sends `("measured", footprint)` when there was something to measure, and `("epoch", number, metrics)`
    after each epoch, upon which it waits for True (continue) or False (stop).
    """
    task, record = task_of(job.recipe), job.record
    data = task.load_data(job.data_dir)
    figures = record.footprint
    if not figures:
        figures = measure_model(job, task.build_model(data), data)
        connection.send(("measured", figures))
        keras.utils.clear_session()
    if reason := job.limits.exceeded(figures):
        return MISFIT, reason
    folder, reports = RunFolder(job.run_dir), EpochReports(connection, job.run_dir, record.first_epoch)
    if reports.catch_up():
        fit_task(
            task,
            folder.path,
            data=data,
            resume=folder.recipe.exists(),
            callbacks=[reports],
            until_epoch=record.until_epoch,
        )
    if reports.reported and keras.backend.backend() == "tensorflow":
        _write_hparams(folder.tensorboard, record, reports.reported)
    return COMPLETED, None


@isolated
def load_data(job, connection):
    """Loads the data, to check that they exist."""
    task_of(job.recipe).load_data(job.data_dir)
    return COMPLETED, None


@isolated
def measure_reference(job, connection):
    """Measures the model that limits are relative to, and keeps its file; its figures are the outcome."""
    task = task_of(job.recipe)
    data = task.load_data(job.data_dir)
    return COMPLETED, measure_model(job, task.build_model(data), data)


@isolated
def train_winner(job, connection):
    """Trains the winner with one seed, evaluates it and writes its report."""
    is_started = RunFolder(job.run_dir).recipe.exists()
    train(job.recipe, job.run_dir, data_dir=job.data_dir, resume=is_started)
    return COMPLETED, None


class TrialListener(Listener):
    """Passes the messages of a trial's process to a ledger."""

    def __init__(self, ledger, record):
        self.ledger = ledger
        self.record = record

    @property
    def progress(self):
        return self.record.progress

    def on_message(self, kind, *content):
        receive = {"measured": self.ledger.measured, "epoch": self.ledger.report}[kind]
        return receive(self.record.id, *content)


def measure_model(job, model, data):
    """Measures an untrained model, cheap figures first, until one exceeds a limit.

    Returns:
        dict of figures.
    """
    reference = job.reference or {}
    figures = {"parameters": model.count_params()}
    if job.measure:
        figures["flops"] = count_flops(model)
    figures |= _ratios(figures, reference)
    if job.measure and not job.limits.exceeded(figures):
        image = data.train.images[0]
        figures |= job.measure(model, image, reference=reference.get("file"), keep=job.keep)
        figures |= _ratios(figures, reference)
    return figures


def _ratios(figures, reference):
    base = {**reference, "latency_ms": figures.get("reference_latency_ms")}
    short = {"parameters": "parameters", "flops": "flops", "size_bytes": "size", "latency_ms": "latency"}
    both = (name for name in short if name in figures and base.get(name))
    return {f"{short[name]}_ratio": figures[name] / base[name] for name in both}


def _write_hparams(folder, record, reported):
    """Writes a trial's values and last metrics for TensorBoard's HParams page."""
    import tensorflow as tf
    from tensorboard.plugins.hparams import api

    with tf.summary.create_file_writer(str(folder)).as_default():
        api.hparams(record.fields, trial_id=record.id)
        for name, value in reported[-1].items():
            tf.summary.scalar(name, value, step=len(reported))
