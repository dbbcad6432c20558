"""An augmentation of the user's own in a recipe."""

import inspect

import keras
from keras import ops

from keras_vit.errors import InputError, Notice, warn
from keras_vit.importing import user_code
from keras_vit.training.own_parts import own_part


class OwnAugmentation:
    """A function of a batch of images, or a Keras layer, by its name.

    The function is called with `images`, float32 `(batch, height, width, channels)` in [0, 255], and with
    those of `labels`, one-hot `(batch, num_classes)`, and `seed`, int32 `(2,)`, that it has as parameters.
    It returns images of the same shape, or images and labels. `seed` follows from the recipe's seed, the
    epoch and the step, so that a run that uses no other random numbers is resumed exactly. It consists of
    `keras.ops` or of the backend's operations: TensorFlow runs it in tf.data, and JAX compiles it if it has
    `seed`. `seed` is for the backend's random functions, such as `tf.random.stateless_uniform`; those of
    `keras.random` refuse it.
    """

    def __init__(self, name: str):
        self.name = name
        found = own_part(name, "the augmentation", keras.layers.Layer)
        if not callable(found):
            raise InputError(f"Expected {name} to be a function of images, received {found!r:.80}.")
        is_layer = isinstance(found, keras.layers.Layer)
        names = () if is_layer else tuple(inspect.signature(found).parameters)
        self.function = (lambda images: found(images, training=True)) if is_layer else found
        self.options = [option for option in ("labels", "seed") if option in names]
        self.has_seed = "seed" in self.options
        if not self.has_seed:
            warn(
                f"{name} has no parameter `seed`, and draws random numbers of its own, if any: a resumed run "
                "is then not bit-identical.",
                Notice,
            )

    def before(self, change):
        """Returns a function of images, labels, uniforms and seed that calls `change` after this one."""

        def both(images, labels, uniforms, seed):
            return change(*self(ops.cast(images, "float32"), labels, seed), uniforms)

        return both

    def __call__(self, images, labels, seed):
        given = {"labels": labels, "seed": seed}
        with user_code(f"The augmentation {self.name} raised "):
            result = self.function(images, **{option: given[option] for option in self.options})
        results = tuple(result) if isinstance(result, tuple | list) else (result, labels)
        if len(results) != 2 or not all(hasattr(each, "shape") for each in results):
            raise InputError(
                f"Expected {self.name} to return images, or images and labels, received {result!r:.80}."
            )
        for what, one, other in zip(("images", "labels"), (images, labels), results, strict=True):
            if tuple(one.shape)[1:] != tuple(other.shape)[1:]:
                raise InputError(
                    f"Expected {self.name} to keep the shape of {what}, {tuple(one.shape)[1:]}, received "
                    f"{tuple(other.shape)[1:]}."
                )
        return results
