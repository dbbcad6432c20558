"""Experiments of the reports that this package started from, one module each."""

import functools

from keras_vit.training.modules import find_module, module_names

experiment_names = functools.partial(module_names, __name__)
find_experiment = functools.partial(find_module, __name__, noun="experiment")  # it has an `EXPERIMENT`
