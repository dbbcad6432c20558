"""Experiments of the reports that this package started from, one module each."""

from keras_vit.training.modules import find_module, module_names


def experiment_names():
    """Returns the names of all experiments, sorted."""
    return module_names(__name__)


def find_experiment(name):
    """Returns a module of this package, with its `EXPERIMENT` and its docstring."""
    return find_module(__name__, name, "experiment")
