"""Runs the experiments of `training.experiments` and sets our figures beside those of their reports."""

from training.reproduce.experiment import Configuration, Experiment, vary
from training.reproduce.run import reproduce, results_dir

__all__ = ["Configuration", "Experiment", "reproduce", "results_dir", "vary"]
