"""Models of a user's own builder in recipes."""

import abc
import inspect
import json
from collections.abc import Callable

import keras
import numpy as np

from keras_vit.errors import InputError
from keras_vit.importing import user_code
from keras_vit.io.model_archive import check_config
from keras_vit.keras_internals import is_graph
from keras_vit.training.own_parts import accepted


class Contract(abc.ABC):
    """What the model of an own builder takes and returns; made of what the data decide."""

    inputs: keras.KerasTensor  # with the batch
    outputs: tuple  # the shape of the logits with the batch
    words: str  # what the builder should accept

    @abc.abstractmethod
    def example(self) -> np.ndarray:
        """Returns some inputs."""

    def check(self, name: str, model: keras.Model, example: np.ndarray):
        """Raises InputError when the outputs of an example are no logits."""
        outputs = _outputs(model, example)
        sums_to_one = np.allclose(outputs.sum(axis=-1), 1, atol=0.02)
        if outputs.shape[-1] > 1 and (outputs >= 0).all() and sums_to_one:
            raise InputError(
                f"Expected {name} to return logits, received probabilities: leave its softmax out."
            )


class FromImages(Contract):
    """From images `(batch, height, width, channels)` in [0, 255] to logits `(batch, num_classes)`."""

    words = "image_size, channels and num_classes"

    def __init__(self, image_size, channels, num_classes, **_):
        self.inputs = keras.Input((*image_size, channels), name="images")
        self.outputs = (None, num_classes)

    def example(self):
        shape = (4, *self.inputs.shape[1:])
        return np.random.default_rng(0).uniform(0, 255, shape).astype("float32")


class FromTokens(Contract):
    """From int32 tokens `(batch, length)` to logits `(batch, length, vocabulary_size)` of what follows each.

    A logit depends on no later token: else a training looks at what it has to predict.
    """

    words = "vocabulary_size and length"

    def __init__(self, vocabulary_size, length, **_):
        self.inputs = keras.Input((length,), dtype="int32", name="tokens")
        self.outputs = (None, length, vocabulary_size)

    def example(self):
        _, length, vocabulary_size = self.outputs
        return np.random.default_rng(0).integers(0, vocabulary_size, (4, length)).astype("int32")

    def check(self, name, model, example):
        super().check(name, model, example)
        middle = example.shape[1] // 2
        changed = example.copy()
        changed[:, middle:] = (changed[:, middle:] + 1) % self.outputs[-1]
        before, after = (_outputs(model, tokens)[:, :middle] for tokens in (example, changed))
        if not np.allclose(before, after, rtol=0, atol=1e-3 * np.abs(before).max()):
            raise InputError(
                f"Expected a logit of {name} to depend on the tokens up to its own place alone, received "
                "others when later tokens changed: read forwards, with a causal mask or causal padding."
            )


def build_own(recipe, builder: Callable, given: dict, contract: Contract) -> keras.Model:
    """Calls a builder with those arguments that it accepts, and with the model's options of the recipe.

    `given` is what the data decide, such as `num_classes`, with `seed`, `dtype` and, where the recipe states
    a normalization, `pixel_mean` and `pixel_std`.

    Raises:
        InputError: the builder fails, or its model does not fit the data or cannot be saved.
    """
    name, arguments = recipe.model, accepted(builder, given) | dict(recipe.model_options)
    if missing := [n for n in ("pixel_mean", "pixel_std") if n in given and n not in arguments]:
        raise InputError(f"{name} accepts no {missing[0]}: set normalization=none, or let it accept that.")
    needed = [p.name for p in inspect.signature(builder).parameters.values() if _is_needed(p)]
    if missing := [n for n in needed if n not in arguments]:
        raise InputError(
            f"{name} needs {', '.join(missing)}: give {missing[0]}=..., as a field of the recipe."
        )
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy(given["dtype"])
    try:
        with user_code(f"{name} raised ", what=f"{name}()"):
            model = builder(**arguments)
            if isinstance(model, keras.Model) and (not is_graph(model) or _is_open(model)):
                model = keras.Model(contract.inputs, model(contract.inputs))
    finally:
        keras.config.set_dtype_policy(policy)
    _check(name, model, contract)
    return model


def _is_open(model):
    return not model.built or len(model.inputs) == 1 and None in model.input_shape[1:]


def _is_needed(parameter):
    return parameter.default is parameter.empty and parameter.kind in (
        parameter.POSITIONAL_OR_KEYWORD,
        parameter.KEYWORD_ONLY,
    )


def _check(name, model, contract):
    if not isinstance(model, keras.Model):
        raise InputError(f"Expected {name} to return a keras.Model, received {type(model).__name__}.")
    expected = contract.inputs.shape, contract.outputs
    if (model.input_shape, model.output_shape) != expected:
        raise InputError(
            f"Expected {name} to return a model from {contract.inputs.name} {expected[0]} to logits "
            f"{expected[1]}, received one from {model.input_shape} to {model.output_shape}. Let it accept "
            f"{contract.words}."
        )
    contract.check(name, model, contract.example())
    check_config(json.loads(model.to_json()), f"The model of {name}")


def _outputs(model, inputs):
    return keras.ops.convert_to_numpy(model(inputs, training=False)).astype("float64")
