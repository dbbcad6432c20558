"""Runs that were interrupted and not continued: their model is that of the best epoch so far."""

from keras_vit.errors import counted
from keras_vit.training.checkpoint import saved_position
from keras_vit.training.report.history import read_history
from keras_vit.training.run_folder import RunFolder


def interrupted_line(folder: RunFolder, epochs: int) -> str | None:
    """Returns a line about a run that has fewer epochs than planned, and was not ended by early stopping."""
    trained = len(read_history(folder.history).get("epoch", ()))
    if not 0 < trained < epochs:
        return None
    position = saved_position(folder.state)
    if position is None or position.stopped:
        return None
    return (
        f"the training was interrupted after {trained} of {counted(epochs, 'epoch')}, and the model is that "
        "of the best epoch so far: keras-vit train with --resume continues it"
    )
