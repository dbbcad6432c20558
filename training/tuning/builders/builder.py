"""What a user searches: a function `build(hp)`, or a `keras_tuner.HyperModel`."""

from typing import Any

import keras
import keras_tuner

from keras_vit.errors import InputError
from keras_vit.importing import user_code
from keras_vit.training.tuning.builders.sent import Sent

WHAT = "the builder"
EXPECTED = "a function build(hp) that returns a compiled keras.Model, or a keras_tuner.HyperModel"


def is_builder(source: Any) -> bool:
    """Returns whether an object can be a builder."""
    return callable(source) or isinstance(source, keras_tuner.HyperModel)


class Builder:
    """A builder in a process, loaded from a `Sent`."""

    def __init__(self, sent: Sent):
        source = sent.load(WHAT)
        self.name = sent.name
        if isinstance(source, type) and issubclass(source, keras_tuner.HyperModel):
            source = self._run("its constructor", source)
        if not is_builder(source):
            raise InputError(f"Expected {sent.name} to be {EXPECTED}, received {source!r:.80}.")
        is_model = isinstance(source, keras_tuner.HyperModel)
        self._hypermodel = source if is_model else None
        self._build = source.build if is_model else source
        self.has_fit = is_model and type(source).fit is not keras_tuner.HyperModel.fit

    def declare(self, hp: keras_tuner.HyperParameters):
        """Lets a HyperModel declare hyperparameters without building."""
        if self._hypermodel is not None:
            self._hypermodel.declare_hyperparameters(hp)

    def build(self, hp: keras_tuner.HyperParameters) -> keras.Model:
        """Builds a model, which registers its hyperparameters, and checks that it can be trained."""
        model = self._run("build(hp)", self._build, hp)
        if not isinstance(model, keras.Model):
            hint = ": end it with `return model`" if model is None else ""
            raise InputError(
                f"Expected {self.name} to return a compiled keras.Model, received "
                f"{type(model).__name__}{hint}."
            )
        if not (model.compiled or self.has_fit):
            raise InputError(
                f"Expected {self.name} to return a compiled model, received one that is not: call "
                "model.compile(optimizer=..., loss=..., metrics=[...]) in it."
            )
        return model

    def fit(self, hp: keras_tuner.HyperParameters, model: keras.Model, *data: Any, **options: Any) -> Any:
        """Trains by the HyperModel's own `fit`; returns what it returns."""
        return self._run("fit(hp, model, ...)", self._hypermodel.fit, hp, model, *data, **options)

    def _run(self, what, function, *arguments, **options):
        what = f"{what} of {self.name}"
        with user_code(f"{what} raised ", what=what):
            return function(*arguments, **options)
