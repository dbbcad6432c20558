"""Runs the experiments of `keras_vit.training.experiments` and compares them with their reports."""

from keras_vit.training.reproduce.experiment import Configuration, Experiment, variants, vary
from keras_vit.training.reproduce.run import reproduce, results_dir

__all__ = ["Configuration", "Experiment", "reproduce", "results_dir", "variants", "vary"]
