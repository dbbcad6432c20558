"""Whether a path holds a model of images or of text, without loading the model."""

import os

from keras_vit.commands.text_model import is_exported


def kind_of(path):
    """Returns `"images"` or `"text"`: what a run's recipe states, or an exported file records.

    Args:
        path: str, a run folder, a `.keras` file, a SavedModel folder or a `.tflite` file.
    """
    if is_exported(path):
        from keras_vit.export.text.description import has_description

        return "text" if has_description(path) else "images"
    recipe = os.path.join(path if os.path.isdir(path) else os.path.dirname(path), "recipe.json")
    if not os.path.exists(recipe):  # a .keras file of another origin
        return "images"
    from keras_vit.training.recipe_file import load_recipe
    from keras_vit.training.tasks import task_of

    return task_of(load_recipe(recipe)).kind
