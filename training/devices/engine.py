"""The parts of a training that depend on its devices, here for one device; selects them for `--devices`."""

import contextlib
import dataclasses
import re

import keras
import numpy as np

from keras_vit.errors import InputError, warn
from keras_vit.training.data.order import WHOLE


class Engine:
    """One device. Engines of several devices override what differs."""

    num_parts = 1  # equal parts of each batch, one for each device or group sharing a model
    share = WHOLE  # of each batch, for this process of those that train together

    def check(self, task):
        """Raises InputError when these devices cannot train a task."""

    def divisible(self, data):
        """Returns the data with a validation split whose batches divide into `num_parts` equal parts."""
        excess = len(data.validation) % self.num_parts
        if not excess:
            return data
        kept = len(data.validation) - excess
        if not kept:
            raise InputError(
                f"Expected at least one validation image for each of {self.num_parts} devices, received "
                f"{excess}. Add images or use fewer --devices."
            )
        warn(f"{excess} of the validation images are left out: {self.num_parts} devices share {kept}.")
        validation = data.validation.take(np.arange(kept))
        return dataclasses.replace(data, validation=validation)

    def scope(self):
        """Returns the context for building and training a model."""
        return contextlib.nullcontext()

    def prepare(self, model):
        """Adapts a model that was built in the scope, before it is compiled; returns it."""
        return model

    def optimizer_class(self, optimizer_class):
        """Returns a class of `keras.optimizers`, adapted to these devices."""
        return optimizer_class

    def portable(self, model):
        """Returns the trained model in a form that loads on any device."""
        return model

    def run_dir(self, path):
        """Returns the run folder that this process writes to."""
        return path

    def shared_state(self, saved):
        """Returns the state that all processes continue with, given the one that this process has read."""
        return saved

    def stop_signal(self, number):
        """Returns a signal that any process has received, given this one's, or None."""
        return number

    def metric_arrays(self, model):
        """Returns the running metrics: for each variable in order, the same number of arrays."""
        return [keras.ops.convert_to_numpy(variable) for variable in model.metrics_variables]

    def restore_metrics(self, model, arrays):
        """Restores what `metric_arrays` returned, on any number of devices."""
        variables = model.metrics_variables
        counts, remainder = divmod(len(arrays), len(variables))  # arrays of one variable
        if remainder or not counts:
            raise ValueError(f"expected arrays for {len(variables)} variables, received {len(arrays)}")
        for index, variable in enumerate(variables):
            variable.assign(sum(arrays[index * counts : (index + 1) * counts]))


PROCESSES = "KERAS_DISTRIBUTION_NUM_PROCESSES"  # environment variable of Keras: how many train together


def open_engine(devices: str | int | None = None) -> Engine:
    """Opens the devices of a training. Where several processes train together, it waits for all of them.

    `devices` is a number, `"all"`, or on JAX `"2x4"` for two parts of each batch and 4 devices that share the
    model for each; one device by default.
    """
    if devices is None:
        return Engine()
    parts, sharing = parse_devices(devices)
    backend = keras.backend.backend()
    if backend == "tensorflow":
        from keras_vit.training.devices.mirrored import open_mirrored

        return open_mirrored(parts, sharing)
    if backend == "jax":
        from keras_vit.training.devices.distributed import open_distributed

        return open_distributed(parts, sharing)
    raise InputError(
        f"--devices needs the TensorFlow or the JAX backend of Keras, received {backend}: set "
        "KERAS_BACKEND=tensorflow or jax, or leave --devices out."
    )


def parse_devices(text: str | int) -> tuple[int | None, int]:
    """Reads the parts of a batch, None for one per device, and the devices that share the model for each.

    Example:
        >>> parse_devices("4"), parse_devices("all"), parse_devices("2x4")
        ((4, 1), (None, 1), (2, 4))
    """
    if str(text) == "all":
        return None, 1
    match = re.fullmatch(r"([1-9]\d{0,5})(?:x([1-9]\d{0,5}))?", str(text))
    if not match:
        raise InputError(
            f"Expected --devices as a number (4), all, or data x model (2x4), received {str(text)!r}."
        )
    return int(match[1]), int(match[2] or 1)


def check_shared(task, num_parts):
    """Raises InputError when no engine of several devices can train a task."""
    recipe = task.recipe
    if task.single_device:
        raise InputError(f"{task.single_device}, received model={recipe.model}: leave --devices out.")
    if recipe.batch_size % num_parts:
        nearest = max(recipe.batch_size // num_parts, 1) * num_parts
        raise InputError(
            f"Expected a batch_size divisible by {num_parts} devices, received {recipe.batch_size}. Set "
            f"batch_size={nearest}, or another number of --devices."
        )


def check_available(wanted: int, available: int, kind: str, how_to_simulate: str):
    """Raises InputError when more devices of a kind, such as `"CPU"`, are requested than exist."""
    if wanted > available:
        raise InputError(
            f"Expected --devices of at most {available}, the number of {kind} devices found, received "
            f"{wanted}. Without more hardware, {how_to_simulate}."
        )
