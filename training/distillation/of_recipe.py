"""The distillation that a recipe asks for."""

import keras

from keras_vit.errors import InputError, Notice, warn
from keras_vit.training.data import ImageData
from keras_vit.training.distillation.model import FEATURES, Distillation
from keras_vit.training.distillation.teacher import SameTeacher, load_teacher
from keras_vit.training.recipe import ImageRecipe

EXAMPLES = 64  # images that show whether a teacher returns probabilities


def with_teacher(
    recipe: ImageRecipe, student: keras.Model, data: ImageData, activation: str | None
) -> tuple[Distillation, SameTeacher]:
    """Returns the model that trains a student with the recipe's teacher, and the callback that guards it."""
    kind = recipe.distill_kind
    if activation is None and kind != FEATURES:
        raise InputError(
            f"distill_kind={kind} is for classes and labels, and the data have numbers: set "
            "distill_kind=features."
        )
    height, width, _ = data.image_shape
    teacher = load_teacher(recipe.distill, (height, width), data.label_names, data.train.images[:EXAMPLES])
    for note in teacher.notes:
        warn(note, Notice)
    student_layer, teacher_layer = _layers(recipe.distill_layers)
    model = Distillation(
        student,
        teacher.model,
        kind,
        recipe.distill_weight,
        recipe.distill_temperature,
        activation or "softmax",
        student_layer,
        teacher_layer,
    )
    return model, SameTeacher(teacher.model)


def _layers(text):
    if text is None:
        return None, None
    student, colon, teacher = text.partition(":")
    if not (student and colon and teacher):
        raise InputError(
            f"Expected distill_layers=STUDENT:TEACHER, the names of two layers, received {text!r}."
        )
    return student, teacher
