"""A classifier of images as its files compute it, for tests of one part of the export."""

import numpy as np

from keras_vit.export.model.function import model_function
from keras_vit.export.model.precision import in_float32


def function_of(model):
    """Returns a model of one image of fixed size and logits as a `ModelFunction` with softmax behind."""
    images = np.zeros((1, *model.input_shape[1:]), "float32")
    return model_function(in_float32(model), images, "softmax")[0]
