"""Training: recipes, data, runs, searches and generated text.

The names in `__init__.pyi` are public; each is imported when it is first used.

Example:
    >>> import tempfile
    >>> from keras_vit.training import ImageRecipe, evaluate, train
    >>> recipe = ImageRecipe(data="digits", model="linear", epochs=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     run = train(recipe, f"{folder}/run")
    ...     evaluate(f"{folder}/run") == run.metrics
    True
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
