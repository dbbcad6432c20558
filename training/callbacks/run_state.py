"""Keeps what a run needs to go on after an interruption, epoch by epoch."""

import json
import zipfile
from pathlib import Path

import keras
import numpy as np

from keras_vit.errors import InputError
from keras_vit.files import atomic_path, read_json, write_json


class RunState(keras.callbacks.Callback):
    """After each epoch saves weights, random state, optimizer and the other callbacks' memory.

    The data order is a function of seed and epoch, so that a run resumed from here sees what an
    uninterrupted one sees. Must come after the callbacks whose state it saves.

    Args:
        folder: str or Path, `state/` of the run folder.
        keepers: dict of name to callback with `state()` and `restore(state)`.
    """

    def __init__(self, folder, keepers):
        super().__init__()
        self.folder = Path(folder)
        self.keepers = keepers

    def on_epoch_end(self, epoch, logs=None):
        name = f"epoch_{epoch + 1:05d}.npz"
        with atomic_path(self.folder / name) as temporary, open(temporary, "wb") as file:
            np.savez(file, **_arrays(self.model))
        state = {key: keeper.state() for key, keeper in self.keepers.items()}
        write_json(self.folder / "state.json", {"epoch": epoch + 1, "arrays": name, **state})
        for old in self.folder.glob("epoch_*.npz"):
            if old.name != name:
                old.unlink()

    def restore(self, model):
        """Puts a compiled model and the callbacks back to the last whole epoch.

        Returns:
            int, how many epochs are done; 0 when no epoch had been finished.

        Raises:
            InputError: the state is damaged or belongs to another model.
        """
        file = self.folder / "state.json"
        if not file.exists():
            return 0
        state = read_json(file)
        _restore_arrays(model, self.folder / state["arrays"])
        for key, keeper in self.keepers.items():
            keeper.restore(state[key])
        return state["epoch"]


def _variables(model):
    model.optimizer.build(model.trainable_variables)
    return [*model.variables, *model.optimizer.variables]


def _arrays(model):
    variables = _variables(model)
    return {f"{i:05d}": keras.ops.convert_to_numpy(v) for i, v in enumerate(variables)}


def _restore_arrays(model, path):
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = [archive[name] for name in sorted(archive.files)]
    except (OSError, ValueError, zipfile.BadZipFile, json.JSONDecodeError) as error:
        raise InputError(
            f"The saved state {path} cannot be read ({error}). Start again in another run folder."
        ) from error
    variables = _variables(model)
    if [a.shape for a in arrays] != [tuple(v.shape) for v in variables]:
        raise InputError(f"The saved state {path} belongs to another model or optimizer.")
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)
