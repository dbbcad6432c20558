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

from typing import TYPE_CHECKING

from keras_vit.lazy import lazy_names

__all__ = ["ImageRecipe", "Recipe", "TextRecipe", "evaluate", "generate", "load_data", "search", "train"]

if TYPE_CHECKING:
    from keras_vit.training.load import load_data
    from keras_vit.training.recipe import ImageRecipe, Recipe, TextRecipe
    from keras_vit.training.run import evaluate, train
    from keras_vit.training.text.generate_run import generate
    from keras_vit.training.tuning.api import search
else:  # a type checker would accept every attribute
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "ImageRecipe": "recipe",
            "Recipe": "recipe",
            "TextRecipe": "recipe",
            "evaluate": "run",
            "generate": "text.generate_run",
            "load_data": "load",
            "search": "tuning.api",
            "train": "run",
        },
    )
