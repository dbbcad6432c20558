"""What a TFLite file computes, from the tensors that an app passes."""

import dataclasses
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_vit.export.images.app_input import GREY, PHOTOS, is_pixels
from keras_vit.export.mobile import mobile_form
from keras_vit.export.model.function import ModelFunction, model_function
from keras_vit.export.saved_model.write import traced
from keras_vit.export.tasks import PHOTO_TASKS

ATTENTION = "attention"  # the output of a file that also returns its rollout


class FileForm:
    """A `ModelFunction` in its mobile form, for a batch of fixed size.

    Attributes:
        function: the `ModelFunction`.
        inputs: tuple of `Tensor`, as an app passes them.
        batch_size: int.
        attention: bool, whether the rollout is one more output.
        grey: bool, whether it takes RGB although the model takes grey images.
        pixels: bool, whether the one input is an image of values from 0 to 255; then `input_dtype` is given.
        int8: bool, whether the file's inputs and outputs of floats are int8.
        variables: of the layers that are called as they are.
    """

    def __init__(
        self,
        function: ModelFunction,
        batch_size: int = 1,
        input_dtype: str | None = None,
        rgb: bool = False,
        attention: bool = False,
        int8: bool = False,
    ):
        self.function = function
        self.mobile = mobile_form(function.model, attention)
        self.name = function.name
        self.variables = self.mobile.variables
        self.batch_size = batch_size
        self.pixels = input_dtype is not None
        self.int8 = int8
        self.attention = attention
        self.grey = rgb and function.inputs[0].shape[-1] == 1
        self.inputs = tuple(self._as_passed(tensor, input_dtype) for tensor in function.inputs)

    def serve(self):
        """Returns the file's signature as a concrete function."""
        specs = {t.name: tf.TensorSpec((self.batch_size, *t.shape), t.dtype, t.name) for t in self.inputs}
        return traced(lambda **tensors: self._outputs(tensors), **specs)

    def _as_passed(self, tensor, dtype):
        shape = (*tensor.shape[:-1], 3) if self.grey else tensor.shape
        return dataclasses.replace(tensor, shape=shape, dtype=dtype or tensor.dtype)

    def _outputs(self, tensors):
        if self.grey:
            tensors = {name: self._grey(tf.cast(image, tf.float32)) for name, image in tensors.items()}
        if not self.attention:
            return self.function.call(self.mobile, tensors)
        maps = []

        def with_maps(images):
            outputs, rollout = self.mobile.with_attention(images)
            maps.append(rollout)
            return outputs

        return {**self.function.call(with_maps, tensors), ATTENTION: maps[0]}

    def _grey(self, images):
        """A mean: XNNPACK runs it, and quantization does not change the grey, as it would with a product."""
        grey = tf.reduce_mean(images * (3 * np.array(GREY, "float32")), axis=-1, keepdims=True)
        return grey if self.function.inputs[0].dtype == "float32" else tf.round(grey)  # for a cast to bytes


def form_for(
    model: keras.Model, inputs: Any, task=None, activation=None, named_as: keras.Model | None = None
) -> FileForm:
    """Returns the form that `export_model` would write of a model that computes in float32.

    `named_as` is the model that it is a copy of.
    """
    function, arrays = model_function(model, inputs, activation, named_as)
    pixels = len(arrays) == 1 and all(map(is_pixels, arrays.values()))
    rgb = pixels and task in PHOTO_TASKS and function.inputs[0].shape[-1] in PHOTOS
    return FileForm(function, input_dtype="float32" if pixels else None, rgb=rgb)
