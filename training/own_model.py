"""Models of a user's own builder in recipes."""

import inspect
import json

import keras
import numpy as np

from keras_vit.errors import InputError
from keras_vit.importing import raised
from keras_vit.io.model_archive import check_config
from keras_vit.keras_internals import is_graph
from keras_vit.training.own_parts import accepted


def build_own(recipe, builder, given: dict) -> keras.Model:
    """Calls a builder with those arguments that it accepts, and with the model's options of the recipe.

    `given` are `image_size` `(height, width)`, `channels`, `num_classes`, `seed`, `dtype` and, where the
    recipe states a normalization, `pixel_mean` and `pixel_std`. The model has to return logits
    `(batch, num_classes)` of images `(batch, height, width, channels)` in [0, 255].

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
        model = builder(**arguments)
        if isinstance(model, keras.Model) and (not is_graph(model) or _is_open(model)):
            inputs = keras.Input((*given["image_size"], given["channels"]), name="images")
            model = keras.Model(inputs, model(inputs))
    except InputError:
        raise
    except Exception as error:  # the user's code
        raise InputError(f"{name} raised {raised(error)}.") from error
    finally:
        keras.config.set_dtype_policy(policy)
    _check(name, model, given)
    return model


def _is_open(model):
    return not model.built or len(model.inputs) == 1 and None in model.input_shape[1:]


def _is_needed(parameter):
    return parameter.default is parameter.empty and parameter.kind in (
        parameter.POSITIONAL_OR_KEYWORD,
        parameter.KEYWORD_ONLY,
    )


def _check(name, model, given):
    if not isinstance(model, keras.Model):
        raise InputError(f"Expected {name} to return a keras.Model, received {type(model).__name__}.")
    shape, classes = (*given["image_size"], given["channels"]), given["num_classes"]
    if (model.input_shape, model.output_shape) != ((None, *shape), (None, classes)):
        raise InputError(
            f"Expected {name} to return a model from images {(None, *shape)} to logits {(None, classes)}, "
            f"received one from {model.input_shape} to {model.output_shape}. Let it accept image_size, "
            "channels and num_classes."
        )
    images = np.random.default_rng(0).uniform(0, 255, (4, *shape)).astype("float32")
    outputs = keras.ops.convert_to_numpy(model(images, training=False)).astype("float64")
    if classes > 1 and (outputs >= 0).all() and np.allclose(outputs.sum(axis=1), 1, atol=0.02):
        raise InputError(f"Expected {name} to return logits, received probabilities: leave its softmax out.")
    check_config(json.loads(model.to_json()), f"The model of {name}")
