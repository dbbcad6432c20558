"""Training: recipes, data, runs, searches and generated text.

The names below are public; each is imported when it is first used.

Example:
    >>> import tempfile
    >>> from keras_vit.training import ImageRecipe, evaluate, train
    >>> recipe = ImageRecipe(data="digits", variant="Pico/4", num_layers=1, hidden_dim=16, epochs=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     run = train(recipe, f"{folder}/run")
    ...     evaluate(f"{folder}/run") == run.metrics
    True
"""

import importlib
from typing import TYPE_CHECKING

_HOMES = {
    "ImageRecipe": "recipe",
    "Recipe": "recipe",
    "TextRecipe": "recipe",
    "evaluate": "run",
    "generate": "text.generate_run",
    "load_data": "data",
    "search": "tuning.api",
    "train": "run",
}
__all__ = ["ImageRecipe", "Recipe", "TextRecipe", "evaluate", "generate", "load_data", "search", "train"]

if TYPE_CHECKING:
    from keras_vit.training.data import load_data
    from keras_vit.training.recipe import ImageRecipe, Recipe, TextRecipe
    from keras_vit.training.run import evaluate, train
    from keras_vit.training.text.generate_run import generate
    from keras_vit.training.tuning.api import search
else:  # a type checker would accept every attribute

    def __getattr__(name):
        if name in _HOMES:
            return getattr(importlib.import_module(f"keras_vit.training.{_HOMES[name]}"), name)
        raise AttributeError(f"module 'keras_vit.training' has no attribute {name!r}")


def __dir__():
    return sorted({*globals(), *__all__})
