"""Saves and restores everything a run needs to continue after an interruption with identical results."""

import contextlib
import dataclasses
import sys
import time
from pathlib import Path

import keras

from keras_vit.errors import InputError
from keras_vit.keras_internals import global_seed, set_global_seed
from keras_vit.training.checkpoint.state_file import read_state, write_state
from keras_vit.training.checkpoint.stateful_callbacks import ChangedAttributes, stateful_callbacks
from keras_vit.training.checkpoint.triggers import CheckpointInterval, Interruption

KEPT_STATES = 3
MAX_COUNT = 10**12  # of epochs, or of steps


@dataclasses.dataclass(frozen=True)
class Position:
    """How far a run has come."""

    epoch: int = 0  # number of finished epochs
    step: int = 0  # number of finished steps in the epoch after them
    stopped: bool = False  # whether early stopping has ended the run


class RunState(keras.callbacks.Callback):
    """Saves weights, random seeds, optimizer, metrics and the state of the other callbacks.

    `keras_vit.training.checkpoint` describes when, and how a run is resumed. It must come after the callbacks
    whose state it saves. `before_saving` raises when the numbers must not be saved, because they are not
    finite.
    """

    def __init__(
        self,
        folder: str | Path,
        steps_per_epoch: int,
        callbacks: list,
        interval: CheckpointInterval,
        interruption: Interruption,
        before_saving,
        engine,
    ):
        super().__init__()
        self.folder = Path(folder)
        self.steps_per_epoch = steps_per_epoch
        self.callbacks = stateful_callbacks(callbacks)
        self.interval = interval
        self.interruption = interruption
        self.before_saving = before_saving
        self.engine = engine
        self._saved = None  # what was read, until all of it is restored

    def load(self) -> Position:
        """Reads the newest readable state; returns the position of the run, its start without a state."""
        self._saved = self.engine.shared_state(self._load())
        if self._saved is None:
            return Position()
        document = self._saved[1]
        self._check_same_run(document)
        return _position(document)

    def restore(self, model):
        """Restores a compiled model from what `load` read; metrics and callbacks follow when they start."""
        if self._saved is not None:
            arrays, document = self._saved
            assign(state_variables(model), arrays[: document["variables"]])
            if document.get("global_seed"):
                set_global_seed(document["global_seed"])

    def on_train_begin(self, logs=None):
        self._since = time.monotonic()
        if self._saved is not None and not self._saved[1]["step"]:
            self._restore_callbacks()

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch, self._step, self._last_saved, self._train_metrics = epoch, 0, 0, None
        if self._saved is not None:
            arrays, document = self._saved
            self._step = self._last_saved = document["step"]
            with self._incomplete_state_named("a metric"):
                self.engine.restore_metrics(self.model, arrays[document["variables"] :])
            self._restore_callbacks()

    def on_train_batch_end(self, batch, logs=None):
        self._step = batch + 1
        if self._stop_requested():
            self._stop()
        within_epoch = self._step < self.steps_per_epoch  # at its end the state is always saved
        if within_epoch and self.interval.is_due(self._step - self._last_saved, self._since):
            self._save(self._epoch, self._step)

    def on_test_begin(self, logs=None):
        self._train_metrics = self.engine.metric_arrays(self.model)  # validation resets them

    def on_test_batch_end(self, batch, logs=None):
        if self._step == self.steps_per_epoch and self._stop_requested():
            self._stop()

    def on_epoch_end(self, epoch, logs=None):
        self._save(epoch + 1, 0, stopped=self.model.stop_training)
        if self._stop_requested():
            self._raise_interrupted(f"after epoch {epoch + 1}")

    def _stop_requested(self):
        number = self.engine.stop_signal(self.interruption.signal)
        if number is not None:
            self.interruption.signal = number
        return number is not None

    def _stop(self):
        self._save(self._epoch, self._step)
        self._raise_interrupted(f"in epoch {self._epoch + 1} after step {self._step}")

    def _raise_interrupted(self, where):
        raise self.interruption.error(f"interrupted {where}, saved in {self.folder}.")

    def _save(self, epoch, step, stopped=False):
        self.before_saving()
        variables = state_variables(self.model)
        metrics = self._train_metrics or self.engine.metric_arrays(self.model)
        document = {
            "epoch": epoch,
            "step": step,
            "stopped": bool(stopped),
            "steps_per_epoch": self.steps_per_epoch,
            "backend": keras.backend.backend(),
            "variables": len(variables),
            "callbacks": {name: callback.state() for name, callback in self.callbacks.items()},
            "global_seed": global_seed(),
        }
        arrays = [keras.ops.convert_to_numpy(variable) for variable in variables]
        path = self.folder / f"{epoch * self.steps_per_epoch + step:012d}.state"
        write_state(path, [*arrays, *(metrics if step else [])], document)
        for old in self._files()[KEPT_STATES:]:
            old.unlink(missing_ok=True)
        self._last_saved, self._since = step, time.monotonic()

    def _files(self):
        return _newest_first(self.folder)

    def _load(self):
        damaged = []
        for file in self._files():
            try:
                saved = _read(file)
            except InputError as error:
                damaged.append(file)
                print(f"{error} Trying the state before it.", file=sys.stderr)
                continue
            for broken in damaged:
                broken.replace(broken.with_suffix(".damaged"))
            return saved
        if damaged:
            raise InputError(
                f"None of the {len(damaged)} states in {self.folder} can be read: all are damaged. "
                "Start again in another folder."
            )
        return None

    def _check_same_run(self, document):
        now = {"backend": keras.backend.backend(), "steps_per_epoch": self.steps_per_epoch}
        for field, value in now.items():
            if document[field] != value:
                raise InputError(
                    f"The run in {self.folder.parent} started with {field} {document[field]}, but now it is "
                    f"{value}. Resume with the backend and the data that it started with."
                )

    @contextlib.contextmanager
    def _incomplete_state_named(self, name):
        try:
            yield
        except InputError:  # a ValueError too, but with its own message
            raise
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise InputError(
                f"The state in {self.folder} does not hold what {name} needs: another version of this "
                "package wrote it. Resume with that version, or start in another folder."
            ) from error

    def _restore_callbacks(self):
        saved = self._saved[1]["callbacks"]
        for name, callback in self.callbacks.items():
            if name not in saved and isinstance(callback, ChangedAttributes):
                continue  # of a version that did not save them
            with self._incomplete_state_named(name):
                callback.restore(saved[name])
        self._saved = None


def saved_position(folder: Path) -> Position | None:
    """Returns how far the newest readable state in a folder is; None without one."""
    for file in _newest_first(folder):
        with contextlib.suppress(InputError):
            return _position(_read(file)[1])
    return None


def _newest_first(folder):
    return sorted(folder.glob("*.state"), reverse=True)


def _read(file):
    arrays, document = read_state(file)
    _check_document(file, arrays, document)
    return arrays, document


def _position(document):
    return Position(document["epoch"], document["step"], document["stopped"])


def _check_document(path, arrays, document):
    """Checks the types: a valid checksum does not prove that this package wrote the file."""
    given = document if isinstance(document, dict) else {}
    kinds = {"stopped": bool, "backend": str, "callbacks": dict}
    seed = given.get("global_seed") or [0, 0]
    counts = {name: MAX_COUNT for name in ("epoch", "step", "steps_per_epoch")} | {"variables": len(arrays)}
    if not (
        all(type(given.get(name)) is kind for name, kind in kinds.items())
        and all(type(given.get(name)) is int and 0 <= given[name] <= most for name, most in counts.items())
        and isinstance(seed, list)
        and all(type(number) is int and 0 <= number < 2**32 for number in seed)
        and len(seed) == 2
        and given["step"] <= given["steps_per_epoch"]  # equal: stopped during validation
    ):
        raise InputError(f"{path} is not the state of a training.")


def state_variables(model):
    """Returns all variables of a compiled model, its optimizer and its losses, random seeds included."""
    if keras.backend.backend() == "jax":
        model.jax_state_sync()
    if not model.optimizer.built:  # those of users may make their variables again
        model.optimizer.build(model.trainable_variables)
    return [*model.variables, *model.optimizer.variables, *_loss_variables(model)]


def _loss_variables(model):
    """Returns the variables that losses of a user's own have as attributes: Keras tracks none."""
    losses = [loss for loss in keras.tree.flatten(model.loss) if isinstance(loss, keras.losses.Loss)]
    values = [value for loss in losses for _, value in sorted(vars(loss).items())]
    found = []
    for value in keras.tree.flatten(values):
        if isinstance(value, keras.random.SeedGenerator):
            found.append(value.state)
        elif isinstance(value, keras.Variable):
            found.append(value)
        elif isinstance(value, keras.layers.Layer):
            found += value.variables
    return found


def assign(variables, arrays):
    """Assigns arrays to variables of the same shapes."""
    if [tuple(v.shape) for v in variables] != [a.shape for a in arrays]:
        raise InputError("The saved state belongs to another model or optimizer.")
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)
