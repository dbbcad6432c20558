"""Side effects of training, one callback per file."""

from keras_vit.training.callbacks.best_checkpoint import BestCheckpoint
from keras_vit.training.callbacks.finite_check import FiniteCheck
from keras_vit.training.callbacks.history_file import HistoryFile
from keras_vit.training.callbacks.progress import Progress
from keras_vit.training.callbacks.run_state import Position, RunState
from keras_vit.training.callbacks.same_data import SameData

__all__ = ["BestCheckpoint", "FiniteCheck", "HistoryFile", "Position", "Progress", "RunState", "SameData"]
