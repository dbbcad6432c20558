"""Side effects of training, one callback per file. Those that save a run are in `training/checkpoint`."""

from keras_vit.training.callbacks.finite_check import FiniteCheck, NonFiniteError
from keras_vit.training.callbacks.history_file import HistoryFile
from keras_vit.training.callbacks.progress import Progress

__all__ = ["FiniteCheck", "HistoryFile", "NonFiniteError", "Progress"]
