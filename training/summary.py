"""A training in one sentence."""

from keras_vit.errors import InputError, counted
from keras_vit.io.json_files import read_json
from keras_vit.io.published import without_folders
from keras_vit.pretrained.run_source import saved_preprocessing
from keras_vit.training.metrics import IMAGES, LABELS, NUMBERS
from keras_vit.training.recipe_file import load_recipe
from keras_vit.training.run_folder import RunFolder


def summary(folder: RunFolder) -> str:
    """Returns a run's recipe and result in one sentence, for users of its model file alone."""
    recipe = load_recipe(folder.recipe)
    model, data, optimizer = map(without_folders, (recipe.model, recipe.data, recipe.optimizer))
    name = " ".join(filter(None, (model, getattr(recipe, "variant", None))))
    words = f"{name} trained on {data} for {counted(recipe.epochs, 'epoch')} with {optimizer}"
    return f"{words}{_result(folder)}.{_images(folder)}{_versions(folder)}"


def _images(folder):
    known = saved_preprocessing(folder.path)
    return "" if known is None else f" Images: {known.words}."


def _versions(folder):
    try:
        versions = read_json(folder.recipe, dict)["versions"]
        return f" keras_vit {versions['keras_vit']}, Keras {versions['keras']}."
    except (KeyError, TypeError):  # the recipe was written by hand
        return ""


def _result(folder):
    """The first of the metrics of its kind of labels."""
    try:
        metrics = read_json(folder.metrics, dict)
        images = f"{counted(metrics['num_images'], 'image')} of the {metrics['split']} split"
        row = next(row for row in (IMAGES[0], LABELS[0], NUMBERS[0]) if row.find(metrics) is not None)
        value = row.find(metrics)
        shown = f"{100 * value:.2f} %" if row.is_share else row.format.format(value)
        return f"; {row.label} {shown} on {images}"
    except (InputError, KeyError, TypeError, ValueError, StopIteration):  # it was not evaluated
        return ""
