"""Several devices of one machine under TensorFlow: `tf.distribute.MirroredStrategy`."""

import functools
import os

import keras
import tensorflow as tf

from keras_vit.errors import InputError
from keras_vit.keras_internals import all_layers, seed_generators
from keras_vit.training.devices.engine import Engine, check_available, check_shared
from keras_vit.training.optimizers import OPTIMIZERS

STRIDE = 0x9E3779B9  # between the seeds of two devices, far from the differences between layers' seeds


def open_mirrored(parts, sharing):
    """Opens devices on TensorFlow; see `keras_vit.training.devices.open_engine`."""
    if sharing > 1:
        raise InputError(
            f"Under TensorFlow devices share a batch, not a model: use --devices {parts}, or set "
            f"KERAS_BACKEND=jax for {parts}x{sharing}."
        )
    if "KERAS_DISTRIBUTION_NUM_PROCESSES" in os.environ:
        raise InputError(
            "Training on several machines needs KERAS_BACKEND=jax: set it, or unset "
            "KERAS_DISTRIBUTION_NUM_PROCESSES."
        )
    kind = "GPU" if tf.config.list_logical_devices("GPU") else "CPU"
    names = [device.name for device in tf.config.list_logical_devices(kind)]
    parts = parts or len(names)
    check_available(
        parts, len(names), kind, "tf.config.set_logical_device_configuration splits one into several"
    )
    return Mirrored(names[:parts]) if parts > 1 else Engine()


class Mirrored(Engine):
    """Each device holds the whole model and processes a part of each batch."""

    def __init__(self, names: list[str]):
        self.num_parts = len(names)
        self.strategy = tf.distribute.MirroredStrategy(names)

    def check(self, task):
        check_shared(task, self.num_parts)
        recipe = task.recipe
        row = OPTIMIZERS.get(recipe.optimizer)  # None: of the user's own
        if row is not None and issubclass(row.optimizer_class, keras.optimizers.Muon):
            raise InputError(
                f"Under TensorFlow optimizer={recipe.optimizer} supports one device only: use adamw, "
                "KERAS_BACKEND=jax, or leave --devices out."
            )
        if recipe.ema_momentum is not None:
            raise InputError(
                "Under TensorFlow an average of weights (ema_momentum) supports one device only: set "
                "ema_momentum=none, KERAS_BACKEND=jax, or leave --devices out."
            )

    def scope(self):
        return self.strategy.scope()

    def prepare(self, model):
        for layer in all_layers(model):
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.synchronized = True
            for generator in seed_generators(layer):
                generator.next = functools.partial(_next_of_device, generator.next)
        return model

    def optimizer_class(self, optimizer_class):
        return clipping_sums(optimizer_class)

    def portable(self, model):
        if not any(getattr(layer, "synchronized", False) for layer in model.layers):
            return model
        copy = keras.models.clone_model(model, clone_function=_unsynchronized)
        copy.set_weights(model.get_weights())
        return copy

    def metric_arrays(self, model):
        return [part.numpy() for part in _metric_parts(model)]

    def restore_metrics(self, model, arrays):
        parts = _metric_parts(model)
        if len(parts) != len(arrays):
            super().restore_metrics(model, arrays)
            return
        for part, array in zip(parts, arrays, strict=True):  # dividing the sums again would round
            part.assign(array)


def clipping_sums(optimizer_class):
    """Derives an optimizer that sums the devices' gradients before clipping.

    Keras clips the gradients of each device separately, although no device has the norm of the whole batch.
    """

    class ClippingSums(optimizer_class):
        def _clip_gradients(self, grads):
            return grads

        def _all_reduce_sum_gradients(self, grads_and_vars):
            gradients, variables = zip(*super()._all_reduce_sum_gradients(grads_and_vars), strict=True)
            return list(zip(super()._clip_gradients(gradients), variables, strict=True))

    ClippingSums.__name__ = optimizer_class.__name__
    return ClippingSums


def _next_of_device(draw, **options):
    """Draws from the state that all devices share and the run saves, then offsets the seed by device."""
    seed, context = draw(**options), tf.distribute.get_replica_context()
    if context is None:
        return seed
    device = tf.cast(context.replica_id_in_sync_group, seed.dtype)
    return seed + tf.stack([device * STRIDE, tf.zeros_like(device)])


def _unsynchronized(layer):
    config = layer.get_config()
    if isinstance(layer, keras.layers.BatchNormalization):
        config["synchronized"] = False  # JAX cannot load it
    return type(layer).from_config(config)


def _metric_parts(model):
    """Each device counts its own metrics; they are summed when read."""
    return [part for variable in model.metrics_variables for part in variable.value.values]
