"""Kinds of labels of images, as a training sees them: one file for each."""

from keras_vit.io.label_kinds import CLASS
from keras_vit.training.data import ImageData
from keras_vit.training.recipe import ImageRecipe
from keras_vit.training.targets.classes import Classes, SoftClasses
from keras_vit.training.targets.numbers import Numbers
from keras_vit.training.targets.several import SeveralLabels
from keras_vit.training.targets.target import Target

TARGETS = {target.kind: target for target in (Classes, SoftClasses, SeveralLabels, Numbers)}


def target_of(recipe: ImageRecipe, data: ImageData | None = None) -> Target:
    """Returns the target of a recipe: of its data, or before these are known."""
    kind = (recipe.label_kind or CLASS) if data is None else data.label_kind
    return TARGETS[kind](recipe, data)
