"""A training in one sentence."""

from keras_vit.errors import InputError
from keras_vit.files import read_json


def summary(folder):
    """Returns what a run was and reached, for whoever has its model alone.

    Args:
        folder: `training.run_folder.RunFolder`.
    """
    saved = read_json(folder.recipe)
    recipe, versions = saved["recipe"], saved["versions"]
    name = " ".join(filter(None, (recipe["model"], recipe["variant"])))
    words = f"{name} trained on {recipe['data']} for {recipe['epochs']} epochs with {recipe['optimizer']}"
    return f"{words}{_accuracy(folder)}. keras_vit {versions['keras_vit']}, Keras {versions['keras']}."


def _accuracy(folder):
    try:
        metrics = read_json(folder.metrics)
        images = f"{metrics['num_images']:,} images of the {metrics['split']} split"
        return f"; accuracy {100 * metrics['accuracy']:.2f} % on {images}"
    except (InputError, KeyError):  # it was not evaluated
        return ""
