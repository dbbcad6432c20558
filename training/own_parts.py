"""Parts of a user's own in recipes: a recipe, which is saved, has them by name.

A part is written `module:name` or `FILE.py:name`; an object with a configuration, such as a loss of Keras, is
written `module:Class{...}`, with that configuration in JSON. Reading a recipe with an own model imports its
module, so that the layers which it registers load again.
"""

import functools
import inspect
import json
from collections.abc import Callable
from typing import Any

import keras

from keras_vit.constraints import Choices
from keras_vit.errors import InputError, first_line
from keras_vit.importing import import_named, is_name, name_of, user_code

ONE = ("model", "loss", "optimizer", "augmentation")  # fields of recipes with one part
SEVERAL = ("metrics", "callbacks")  # with a tuple of them


class ChoicesOrOwn(Choices):
    """One of some values, or a part of the user's own."""

    def check(self, name: str, value: Any) -> None:
        if not is_part(value):
            super().check(name, value)


def is_part(text: Any) -> bool:
    """Returns whether a value names a part of the user's own.

    >>> is_part("my_parts:focal"), is_part('keras.losses:MeanSquaredError{"name": "mse"}'), is_part("adamw")
    (True, True, False)
    """
    return isinstance(text, str) and is_name(text.partition("{")[0])


def has_own_parts(recipe) -> bool:
    """Returns whether a recipe names a part of the user's own."""
    several = [part for field in SEVERAL for part in getattr(recipe, field, ())]
    return any(map(is_part, [*several, *(getattr(recipe, field, None) for field in ONE)]))


def named_parts(fields: dict[str, Any]) -> dict[str, Any]:
    """Returns the fields of a recipe with names in place of objects."""
    one = {f: _name(fields[f], f) for f in ONE if fields.get(f) is not None}
    several = {f: _names(fields[f], f) for f in SEVERAL if f in fields}
    return {**fields, **one, **several}


@functools.cache
def own_function(name: str, what: str) -> Callable:
    """Returns a function or class by its name."""
    found = import_named(name, what)
    if not callable(found):
        raise InputError(f"Expected {name} to be a function, received {found!r:.80}.")
    return found


def own_part(text: str, what: str, kind: type | tuple) -> Any:
    """Returns a part: an object of a class with its configuration, else what the name stands for.

    A class of that kind is called without arguments; a function is returned as it is.
    """
    name, brace, config = text.partition("{")
    found = import_named(name, what)
    with user_code(f"{what[0].upper()}{what[1:]} {name} cannot be made: ", what=f"{name}()"):
        if brace:
            return found.from_config(json.loads(brace + config))
        return found() if isinstance(found, type) and issubclass(found, kind) else found


def accepted(function: Callable, options: dict[str, Any]) -> dict[str, Any]:
    """Returns those of some keyword arguments that a function or class accepts by name."""
    parameters = inspect.signature(function).parameters.values()
    names = {p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
    return {name: value for name, value in options.items() if name in names}


def own_loss(recipe) -> Any:
    """Returns the loss of a recipe's own: a keras.losses.Loss, or a function of labels and logits."""
    return _of_logits(recipe.loss, "the loss", keras.losses.Loss)


def own_metrics(recipe) -> list:
    """Returns the metrics of a recipe's own: keras.metrics.Metric, or functions of labels and logits."""
    return [_of_logits(text, "the metric", keras.metrics.Metric) for text in recipe.metrics]


def metric_name(metric: Any) -> str:
    """Returns the name under which a metric is logged."""
    return metric.name if isinstance(metric, keras.metrics.Metric) else metric.__name__


def own_callbacks(recipe) -> list[keras.callbacks.Callback]:
    """Returns new callbacks of a recipe's own: each name is a class, or a function that returns some."""
    made = []
    for name in recipe.callbacks:
        with user_code(f"The callback {name} cannot be made: ", what=f"{name}()"):
            found = own_function(name, "the callback")()
        made += found if isinstance(found, list | tuple) else [found]
    if wrong := [each for each in made if not isinstance(each, keras.callbacks.Callback)]:
        raise InputError(f"Expected keras.callbacks.Callback of callbacks=..., received {wrong[0]!r:.80}.")
    return made


def _of_logits(text, what, kind):
    """Returns a part that gets the outputs of models, and refuses Keras's for probabilities."""
    part = own_part(text, what, kind)
    if not callable(part):
        raise InputError(f"Expected {what} {text} to be a function or an object, received {part!r:.80}.")
    if isinstance(part, kind):
        expects_logits = part.get_config().get("from_logits")
    else:
        expects_logits = getattr(inspect.signature(part).parameters.get("from_logits"), "default", None)
    if expects_logits is False:
        name = text.partition("{")[0]
        raise InputError(
            f"{name} is for probabilities, but the model returns logits: give {name}"
            '{"from_logits": true}, or a function of your own that passes from_logits=True.'
        )
    return part


def _names(value, field):
    if isinstance(value, str):
        value = value.split(",") if "{" not in value else [value]
    parts = value if isinstance(value, list | tuple) else [] if value is None else [value]
    names = tuple(_name(part, field) for part in parts)
    if unknown := [name for name in names if not is_part(name)]:
        raise InputError(f"Expected {field} as module:name, received {unknown[0]!r:.80}.")
    return names


def _name(value, field):
    if isinstance(
        value, str | int | float | list | tuple | dict
    ):  # of another type than a name: checked later
        return value
    if isinstance(value, type) or inspect.isfunction(value):
        return name_of(value, field)
    if not hasattr(value, "get_config") or field in ("model", "callbacks"):
        raise InputError(
            f"Expected {field} as a function or class of a module, because a recipe is saved; received "
            f"{value!r:.80}. Write a function in a module that returns it, and give the function."
        )
    entry = keras.saving.serialize_keras_object(value)
    is_keras = (entry["module"] or "").partition(".")[0] == "keras"
    name = f"{entry['module']}:{entry['class_name']}" if is_keras else name_of(type(value), field)
    try:
        return name + json.dumps(entry["config"], sort_keys=True)
    except TypeError as error:
        raise InputError(
            f"Expected {field} with a configuration that JSON can hold: {first_line(error)}. Write a "
            "function in a module that returns it, and give its name."
        ) from error
