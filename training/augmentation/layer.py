"""The augmentation as a Keras layer."""

import dataclasses
from typing import Any

import keras
from keras import ops

from keras_vit.errors import InputError
from keras_vit.training.augmentation.augment import augment, check_fits, num_uniforms
from keras_vit.training.augmentation.settings import ALTERNATING, Augmentation


@keras.saving.register_keras_serializable(package="keras_vit")
class Augment(keras.layers.Layer):
    """Changes each image of a batch at random while training, and does nothing otherwise.

    It consists of `keras.ops`, so that it works in models on every backend, and with TensorFlow also in a
    tf.data map: `dataset.map(lambda x, y: augment(x, y, training=True))`.

    Args:
        seed: int, or None for a random one. Default: None.
        **options: those under "Augmentation of images" on the page "Fields of recipes", such as `flip=True`,
            `crop_padding=4` or `randaugment_layers=2`; the others are off. Also `name` and `dtype`.

    Call arguments:
        images: `(batch, height, width, channels)`, in [0, 255].
        labels: one-hot `(batch, num_classes)`, needed by `mixup_alpha` and `cutmix_alpha`. Default: None.
        training: bool. Default: False.

    Returns:
        float32 images of the same shape; with labels `(images, labels)`.

    Raises:
        InputError: an unknown setting, a value outside its limits, or MixUp or CutMix without labels.

    Example:
        >>> import numpy as np
        >>> augment = Augment(flip=True, crop_padding=2, seed=0)
        >>> tuple(augment(np.ones((4, 8, 8, 3), "uint8"), training=True).shape)
        (4, 8, 8, 3)
    """

    def __init__(self, seed: int | None = None, **options: Any):
        names = [field.name for field in dataclasses.fields(Augmentation)]
        settings = {name: options.pop(name) for name in names if name in options}
        if unknown := options.keys() - {"name", "dtype", "trainable"}:
            raise InputError(f"Augment has no {min(unknown)}. Expected some of {', '.join(names)}.")
        super().__init__(autocast=False, **options)
        self.seed = seed
        self.settings = Augmentation(**settings)
        if self.settings.flip == ALTERNATING:
            raise InputError(
                "A layer knows neither epochs nor which image it gets: expected flip=True, received "
                f"{ALTERNATING!r}. Set flip={ALTERNATING} in a recipe."
            )
        self.generator = keras.random.SeedGenerator(seed)

    def build(self, images_shape, labels_shape=None):
        if len(images_shape) != 4:
            raise InputError(
                "Expected images (batch, height, width, channels), received the shape "
                f"{tuple(images_shape)}: batch a dataset before its images are augmented."
            )
        check_fits(self.settings, images_shape[1:])
        self.built = True

    def call(self, images, labels=None, training=False):
        if not training:
            images = ops.cast(images, "float32")
            return images if labels is None else (images, labels)
        if labels is None and (self.settings.mixup_alpha or self.settings.cutmix_alpha):
            raise InputError("MixUp and CutMix change labels too: call Augment as augment(images, labels).")
        batch = ops.shape(images)[0]
        shape = (batch, num_uniforms(self.settings))
        uniforms = keras.random.uniform(shape, dtype="float32", seed=self.generator)
        given = ops.zeros((batch, 1)) if labels is None else labels
        changed, mixed = augment(images, given, uniforms, self.settings)
        return changed if labels is None else (changed, mixed)

    def compute_output_spec(self, images, labels=None, training=False):
        changed = keras.KerasTensor(images.shape, "float32")
        return changed if labels is None else (changed, keras.KerasTensor(labels.shape, "float32"))

    def get_config(self):
        config = {**super().get_config(), "seed": self.seed, **dataclasses.asdict(self.settings)}
        config.pop("autocast", None)
        return config
