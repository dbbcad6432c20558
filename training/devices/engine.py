"""What a training leaves to the devices that it runs on; here to one."""

import contextlib
import dataclasses

import keras

from keras_vit.errors import InputError
from keras_vit.training.data.notices import warn


class Engine:
    """One device. Those of several devices change what they must.

    Attributes:
        num_parts: int, into which each batch is cut, a part for a device or for those that share a model.
        num_processes: int, that train together.
        process: int, the number of this one.
    """

    num_parts = 1
    num_processes = 1
    process = 0

    def check(self, recipe):
        """Raises InputError for a recipe that these devices cannot train."""

    def even(self, data):
        """Returns the data with a validation split whose batches can be cut into equal parts."""
        excess = len(data.validation) % self.num_parts
        if not excess:
            return data
        kept = len(data.validation) - excess
        if not kept:
            raise InputError(
                f"Expected a validation image for each of {self.num_parts} devices, received {excess}. "
                "Give more images or fewer --devices."
            )
        warn(f"{excess} of the validation images are left out: {self.num_parts} devices share {kept}.")
        validation = type(data.validation)(data.validation.images[:kept], data.validation.labels[:kept])
        return dataclasses.replace(data, validation=validation)

    def scope(self):
        """Returns the context in which a model is built and trained."""
        return contextlib.nullcontext()

    def prepared(self, model):
        """Changes a model that was built in the scope, before it is compiled; returns it."""
        return model

    def optimizer_class(self, optimizer_class):
        """Returns a class of `keras.optimizers` in the form that these devices need."""
        return optimizer_class

    def kept(self, model):
        """Returns the form of a finished model that any device can load."""
        return model

    def local(self, stream):
        """Returns the part of a stream of batches that this process feeds."""
        return stream

    def run_dir(self, path):
        """Returns the folder into which this process writes the run."""
        return path

    def agreed(self, saved):
        """Returns the state with which all processes go on, given the one that this process has read."""
        return saved

    def asked_to_stop(self, number):
        """Returns the signal by which any process was asked to stop, given that of this one, or None."""
        return number

    def metric_arrays(self, model):
        """Returns what the metrics have counted so far: arrays, as many in turn for each variable."""
        return [keras.ops.convert_to_numpy(variable) for variable in model.metrics_variables]

    def restore_metrics(self, model, arrays):
        """Puts back what `metric_arrays` returned, also that of another number of devices."""
        variables = model.metrics_variables
        counts, odd = divmod(len(arrays), len(variables))  # of one variable
        if odd or not counts:
            raise ValueError(f"expected arrays for {len(variables)} variables, received {len(arrays)}")
        for index, variable in enumerate(variables):
            variable.assign(sum(arrays[index * counts : (index + 1) * counts]))


def check_shared(recipe, num_parts):
    """Raises InputError for a recipe that several devices cannot train, whatever their engine."""
    if recipe.model in ("char_rnn", "char_transformer"):
        raise InputError(f"--devices is for models of images, not for {recipe.model}: leave it out.")
    if recipe.tuning == "head":
        raise InputError(
            "tuning=head computes features once and trains a small head, for which one device does: leave "
            "--devices out."
        )
    if recipe.batch_size % num_parts:
        fits = max(recipe.batch_size // num_parts, 1) * num_parts
        raise InputError(
            f"Expected a batch_size that {num_parts} devices can share evenly, received "
            f"{recipe.batch_size}. Set batch_size={fits}, or another number of --devices."
        )


def check_found(wanted, found, kind, more):
    """Raises InputError when more devices are wanted than there are.

    Args:
        wanted, found: ints.
        kind: str, such as `"CPU"`.
        more: str, how to get more of them to try things out.
    """
    if wanted > found:
        raise InputError(
            f"Expected --devices of at most {found}, the number of {kind} devices found, received {wanted}. "
            f"Without more hardware, {more}."
        )
