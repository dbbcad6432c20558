"""The work of a process: one trial, or what a search does before and after its trials."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import keras

from keras_vit.errors import listed
from keras_vit.keras_internals import stateful_layers
from keras_vit.training.flops import count_flops
from keras_vit.training.run_folder import RunFolder
from keras_vit.training.tuning.builders.work import BuilderWork
from keras_vit.training.tuning.costs import COSTS, NO_LIMITS, Limits
from keras_vit.training.tuning.state.records import COMPLETED, MISFIT, ImpossibleSearch, TrialRecord
from keras_vit.training.tuning.workers.epoch_reports import EpochReports
from keras_vit.training.tuning.workers.isolation import isolated
from keras_vit.training.tuning.workers.recipe_work import RecipeWork


@dataclasses.dataclass(frozen=True)
class Job:
    """What a process of a search does, and its share of the machine. It reaches the process by pickling."""

    work: RecipeWork | BuilderWork  # with the values and the seed of the trial
    run_dir: str  # of the run, which an earlier process may have started
    record: TrialRecord | None = None  # None for other work than a trial
    limits: Limits = NO_LIMITS
    measure: Callable[..., dict] | None = None  # as in `api.search`; None when nothing is exported
    reference: dict | None = None  # the reference model's figures and its `file`
    keep: str | None = None  # where to keep the exported file
    data_dir: str | Path | None = None
    cpus: tuple[int, ...] = ()  # which processors it may use; empty for all
    gpu: str | None = None  # as in CUDA_VISIBLE_DEVICES; None to leave that unchanged
    threads: int = 0  # of TensorFlow; 0 for as many as there are processors


@isolated
def run_trial(job, connection):
    """Measures a trial's model and trains it, or continues where an earlier process of it was interrupted.

    Sends `("discovered", space, values)` for hyperparameters that the builder declares, `("measured",
    footprint)` when there was something to measure, and `("epoch", number, metrics)` after each epoch, then
    waits for True (continue) or False (stop).
    """
    work, record = job.work, job.record

    def discovered(space, values):
        connection.send(("discovered", space, values))

    data = work.load_data(job.data_dir)
    figures = record.footprint
    if not figures:
        figures = measure_model(job, *work.untrained(data, discovered))
        connection.send(("measured", figures))
        keras.utils.clear_session()
    if reason := job.limits.exceeded(figures):
        return MISFIT, reason
    folder, reports = RunFolder(job.run_dir), EpochReports(connection, job.run_dir, record.first_epoch)
    if reports.catch_up():
        work.fit(folder.path, data, discovered, reports, record.until_epoch)
    if reports.reported and keras.backend.backend() == "tensorflow":
        _write_hparams(folder.tensorboard, record, reports.reported)
    return COMPLETED, None


@isolated
def check(job, connection):
    """Checks what all trials have in common; what was found is the outcome."""
    return COMPLETED, job.work.check(job.data_dir)


@isolated
def measure_reference(job, connection):
    """Measures the model that limits are relative to, and keeps its file; its figures are the outcome."""
    data = job.work.load_data(job.data_dir)
    return COMPLETED, measure_model(job, *job.work.untrained(data, discovered=lambda *_: None))


@isolated
def train_winner(job, connection):
    """Trains the winner with one seed, or continues, and evaluates it."""
    job.work.train_winner(job.run_dir, job.data_dir)
    return COMPLETED, None


def measure_model(job, model, example):
    """Measures an untrained model, cheap figures first, until one exceeds a limit; returns a dict of them.

    `example` is one item of its inputs.
    """
    reference = job.reference or {}
    if job.measure and (stateful := stateful_layers(model)):
        raise ImpossibleSearch(
            f"The file of a model cannot be measured: {listed(stateful, 3)} keeps a state from call to call "
            "(stateful=True), which a file cannot. Build it with stateful=False, or limit parameters alone."
        )
    figures = {"parameters": model.count_params()}
    if job.measure:
        figures["flops"] = count_flops(model, example)
    figures |= _ratios(figures, reference)
    if job.measure and not job.limits.exceeded(figures):
        figures |= job.measure(model, example, reference=reference.get("file"), keep=job.keep)
        figures |= _ratios(figures, reference)
    return figures


def _ratios(figures, reference):
    base = {**reference, "latency_ms": figures.get("reference_latency_ms")}
    both = [name for name in reversed(COSTS) if name in figures and base.get(name)]
    return {f"{name.split('_')[0]}_ratio": figures[name] / base[name] for name in both}


def _write_hparams(folder, record, reported):
    """Writes a trial's values and last metrics for TensorBoard's HParams page."""
    import tensorflow as tf
    from tensorboard.plugins.hparams import api

    with tf.summary.create_file_writer(str(folder)).as_default():
        api.hparams(record.fields, trial_id=record.id)
        for name, value in reported[-1].items():
            tf.summary.scalar(name, value, step=len(reported))
