"""Keeps what a run needs to go on after an interruption as if there had been none."""

import contextlib
import dataclasses
import sys
import time
from pathlib import Path

import keras

from keras_vit.errors import InputError
from keras_vit.training.callbacks.keepers import keepers
from keras_vit.training.state_file import read_state, write_state

KEPT = 3  # states
MOST_COUNTED = 10**12  # epochs, or steps


@dataclasses.dataclass(frozen=True)
class Position:
    """Where a run stands.

    Attributes:
        epoch: int, whole epochs that are done.
        step: int, steps that are done in the epoch after them.
        stopped: bool, early stopping has ended the run.
    """

    epoch: int = 0
    step: int = 0
    stopped: bool = False


class RunState(keras.callbacks.Callback):
    """Saves weights, random state, optimizer, metrics and the other callbacks' memory.

    Data and augmentation are functions of seed, epoch and step, so that a run resumed from here sees what
    an uninterrupted one sees. Each state is one file, checked by its SHA-256; the last three are kept. It
    is saved after each epoch, in the interval asked for, and on a signal, which then ends the training.

    Must come after the callbacks whose memory it saves.

    Args:
        folder: str or Path, `state/` of the run folder.
        steps_per_epoch: int.
        callbacks: list of the callbacks whose memory is saved.
        interval: keras_vit.training.checkpoint_interval.CheckpointInterval.
        interruption: keras_vit.training.interruption.Interruption.
        before_saving: function that raises when the numbers are not worth saving.
        engine: keras_vit.training.devices.Engine.
    """

    def __init__(self, folder, steps_per_epoch, callbacks, interval, interruption, before_saving, engine):
        super().__init__()
        self.folder = Path(folder)
        self.steps_per_epoch = steps_per_epoch
        self.keepers = keepers(callbacks)
        self.interval = interval
        self.interruption = interruption
        self.before_saving = before_saving
        self.engine = engine
        self._saved = None  # what was read and is not yet all put back

    def load(self):
        """Reads the last good state.

        Returns:
            Position, where it stands; the beginning when none was saved.

        Raises:
            InputError: every state is damaged, or belongs to another backend or other data.
        """
        self._saved = self.engine.agreed(self._load())
        if self._saved is None:
            return Position()
        document = self._saved[1]
        self._check_fits(document)
        return Position(document["epoch"], document["step"], document["stopped"])

    def restore(self, model):
        """Puts a compiled model back to what `load` read; metrics and callbacks follow once they begin.

        Raises:
            InputError: the state belongs to another model or optimizer.
        """
        if self._saved is not None:
            arrays, document = self._saved
            _assign(_variables(model), arrays[: document["variables"]])

    def on_train_begin(self, logs=None):
        self._since = time.monotonic()
        if self._saved is not None and not self._saved[1]["step"]:
            self._restore_callbacks()

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch, self._step, self._last_saved, self._train_metrics = epoch, 0, 0, None
        if self._saved is not None:
            arrays, document = self._saved
            self._step = self._last_saved = document["step"]
            with self._lacks_named("a metric"):
                self.engine.restore_metrics(self.model, arrays[document["variables"] :])
            self._restore_callbacks()

    def on_train_batch_end(self, batch, logs=None):
        self._step = batch + 1
        if self._asked_to_stop():
            self._stop()
        within_epoch = self._step < self.steps_per_epoch  # at its end it is saved anyway
        if within_epoch and self.interval.is_due(self._step - self._last_saved, self._since):
            self._save(self._epoch, self._step)

    def on_test_begin(self, logs=None):
        self._train_metrics = self.engine.metric_arrays(self.model)  # validation begins them anew

    def on_test_batch_end(self, batch, logs=None):
        if self._step == self.steps_per_epoch and self._asked_to_stop():
            self._stop()

    def on_epoch_end(self, epoch, logs=None):
        self._save(epoch + 1, 0, stopped=self.model.stop_training)
        if self._asked_to_stop():
            raise self.interruption.error(self._continued_at(epoch + 1, 0))

    def _asked_to_stop(self):
        number = self.engine.asked_to_stop(self.interruption.signal)
        if number is not None:
            self.interruption.signal = number
        return number is not None

    def _stop(self):
        self._save(self._epoch, self._step)
        raise self.interruption.error(self._continued_at(self._epoch, self._step))

    def _continued_at(self, epoch, step):
        where = f"in epoch {epoch + 1} after step {step}" if step else f"after epoch {epoch}"
        return f"interrupted {where}, saved in {self.folder}."

    def _save(self, epoch, step, stopped=False):
        _synchronize(self.model)
        self.before_saving()
        variables = _variables(self.model)
        metrics = self._train_metrics or self.engine.metric_arrays(self.model)
        document = {
            "epoch": epoch,
            "step": step,
            "stopped": bool(stopped),
            "steps_per_epoch": self.steps_per_epoch,
            "backend": keras.backend.backend(),
            "variables": len(variables),
            "callbacks": {name: keeper.state() for name, keeper in self.keepers.items()},
        }
        path = self.folder / f"{epoch * self.steps_per_epoch + step:012d}.state"
        write_state(path, [*_arrays(variables), *(metrics if step else [])], document)
        for old in self._files()[KEPT:]:
            old.unlink(missing_ok=True)
        self._last_saved, self._since = step, time.monotonic()

    def _files(self):
        return sorted(self.folder.glob("*.state"), reverse=True)

    def _load(self):
        damaged = []
        for file in self._files():
            try:
                saved = read_state(file)
                _check_document(file, *saved)
            except InputError as error:
                damaged.append(file)
                print(f"{error}. Looking for the state before it.", file=sys.stderr)
                continue
            for broken in damaged:
                broken.replace(broken.with_suffix(".damaged"))
            return saved
        if damaged:
            raise InputError(
                f"None of the {len(damaged)} states in {self.folder} can be read: all are damaged. "
                "Begin again in another --run-dir."
            )
        return None

    def _check_fits(self, document):
        for field, value in (
            ("backend", keras.backend.backend()),
            ("steps_per_epoch", self.steps_per_epoch),
        ):
            if document[field] != value:
                raise InputError(
                    f"The run in {self.folder.parent} began with {field} {document[field]}, but now it is "
                    f"{value}. Resume with the backend and the data that it began with."
                )

    @contextlib.contextmanager
    def _lacks_named(self, name):
        try:
            yield
        except InputError:  # a ValueError itself, which says what is wrong
            raise
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise InputError(
                f"The state in {self.folder} does not hold what {name} needs: another version of this "
                "package wrote it. Resume with that one, or begin in another --run-dir."
            ) from error

    def _restore_callbacks(self):
        for name, keeper in self.keepers.items():
            with self._lacks_named(name):
                keeper.restore(self._saved[1]["callbacks"][name])
        self._saved = None


def _check_document(path, arrays, document):
    """Who made a checksum can have made the rest, too."""
    given = document if isinstance(document, dict) else {}
    kinds = {"stopped": bool, "backend": str, "callbacks": dict}
    counts = {
        "epoch": MOST_COUNTED,
        "step": MOST_COUNTED,
        "steps_per_epoch": MOST_COUNTED,
        "variables": len(arrays),
    }
    if not (
        all(type(given.get(name)) is kind for name, kind in kinds.items())
        and all(type(given.get(name)) is int and 0 <= given[name] <= most for name, most in counts.items())
        and given["step"] <= given["steps_per_epoch"]  # equal: stopped in its validation
    ):
        raise InputError(f"{path} is no state of a training")


def _variables(model):
    model.optimizer.build(model.trainable_variables)
    return [*model.variables, *model.optimizer.variables]


def _arrays(variables):
    return [keras.ops.convert_to_numpy(v) for v in variables]


def _synchronize(model):
    if keras.backend.backend() == "jax":
        model.jax_state_sync()


def _assign(variables, arrays):
    if [tuple(v.shape) for v in variables] != [a.shape for a in arrays]:
        raise InputError("The saved state belongs to another model or optimizer.")
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)
