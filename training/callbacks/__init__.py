"""Side effects of training, one callback per file."""

from training.callbacks.best_checkpoint import BestCheckpoint
from training.callbacks.finite_check import FiniteCheck
from training.callbacks.history_file import HistoryFile
from training.callbacks.progress import Progress
from training.callbacks.run_state import Position, RunState
from training.callbacks.same_data import SameData

__all__ = ["BestCheckpoint", "FiniteCheck", "HistoryFile", "Position", "Progress", "RunState", "SameData"]
