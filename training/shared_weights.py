"""Trains one set of weights through several graphs, one of them in each step."""

from collections.abc import Sequence

import keras
from keras import ops


class SharedWeights(keras.layers.Layer):
    """Computes in each training step one of several models, all with the weights of the first one.

    Outside of training it computes `model`. A subclass says by `index()` which of the others comes next.

    Args:
        model: `keras.Model` whose weights are trained.
        others: models of the same layers, such as `keras_vit.models.with_image_size` returns. Their own
            weights are never used.
    """

    def __init__(self, model: keras.Model, others: Sequence[keras.Model]):
        super().__init__(name="shared_weights")
        self.model = model
        self._others = _Untracked(others)

    def call(self, images, training=False):
        if not training:
            return self.model(images, training=False)
        states = self.model.non_trainable_variables  # frozen weights and the seeds
        weights = [ops.convert_to_tensor(weight) for weight in self.model.trainable_variables]
        values = [ops.convert_to_tensor(state) for state in states]
        branches = [self._branch(number, other) for number, other in enumerate(self._others.models)]
        outputs, *changed = ops.switch(self.index(), branches, images, *weights, *values)
        for state, value in zip(states, changed, strict=True):
            state.assign(value)
        return outputs

    def compute_output_shape(self, input_shape):
        return self.model.compute_output_shape(input_shape)

    def index(self):
        """Returns the number of the next model, an int32 tensor; called once in a step."""
        raise NotImplementedError

    def prepared(self, number: int, images, weights: list) -> tuple:
        """Returns images and weights as the model of a number takes them."""
        return images, weights

    def _branch(self, number, other):
        def run(images, *values):
            count = len(self.model.trainable_variables)
            images, weights = self.prepared(number, images, list(values[:count]))
            outputs, changed = other.stateless_call(weights, list(values[count:]), images, training=True)
            return outputs, *changed

        return run


class _Untracked:
    """Models that are no part of the layer: Keras tracks no attributes of this kind."""

    def __init__(self, models):
        self.models = list(models)


def training_model(layer: SharedWeights) -> keras.Model:
    """Returns the model to train: from images to what the layer computes."""
    images = layer.model.inputs[0]
    inputs = keras.Input(images.shape[1:], name=images.name)
    return keras.Model(inputs, layer(inputs), name=layer.model.name)
