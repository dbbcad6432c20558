"""A model that `fit` trains by the answers of a teacher."""

import functools
from collections.abc import Callable
from typing import Annotated

import keras
from keras import ops

from keras_vit.constraints import Choices, OnlyWith, Range, checked
from keras_vit.errors import InputError
from keras_vit.importing import user_code
from keras_vit.keras_internals import is_graph

SOFT, HARD, FEATURES = KINDS = ("soft", "hard", "features")
SECOND_HEAD = "distillation_head"


class Distillation(keras.Model):
    """Trains a student by labels and by a teacher that sees the same images.

    `compile` and `fit` it like the student: loss, metrics and validation are those of the student's outputs.
    In training the loss is `(1 - weight) * loss + weight * distance`, where the distance is

    - `"soft"`: the Kullback-Leibler divergence of the student's probabilities from the teacher's, both of
      logits divided by `temperature`, times its square,
    - `"hard"`: the cross-entropy of the student's logits with the class that the teacher answers,
    - `"features"`: one minus the cosine between what a layer of the teacher returns, and what one of the
      student does after a trained linear map; for teachers without the student's classes.

    A student with two heads (`distillation_head=True`, or the distillation token of `keras_vit.models.vit`)
    learns the labels with the first one and the teacher's answers with the second one. The weights of the
    teacher are not the model's: they are neither trained nor saved. `keras.distillation.Distiller` ignores
    the weights of samples, and computes the student twice where it compares features.

    Args:
        student: keras.Model, functional or Sequential, to train. Its layers are trained in place: it is what
            you save.
        teacher: keras.Model for the same images; for `"soft"` and `"hard"` of as many outputs, logits.
        kind: `"soft"`, `"hard"` or `"features"`.
        weight: float in [0, 1], of the distance in the loss.
        temperature: float above 0, of `"soft"`.
        activation: `"softmax"`, or `"sigmoid"` where each output is a label of its own: `"soft"` then has
            the binary cross-entropy, and `"hard"` what the teacher thinks more likely.
        student_layer, teacher_layer: names of the layers whose outputs `"features"` compares. Default: that
            called `"pooling"`; of a teacher without one, its output.

    Raises:
        InputError: models whose inputs or outputs differ, layers that do not exist or do not fit, or an
            argument without effect.

    Example:
        >>> import numpy as np
        >>> from keras_vit.models import linear
        >>> student, teacher = (linear(image_size=8, channels=3, num_classes=3) for _ in range(2))
        >>> model = Distillation(student, teacher, temperature=2.0)
        >>> model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        >>> history = model.fit(np.ones((4, 8, 8, 3)), np.array([0, 1, 2, 0]), verbose=0)
        >>> sorted(history.history)
        ['loss']

    Reference: Hinton et al. 2015, https://arxiv.org/abs/1503.02531; the same images for both: Beyer et al.
        2021, https://arxiv.org/abs/2106.05237; hard, with a head of its own: Touvron et al. 2020,
        https://arxiv.org/abs/2012.12877
    """

    @checked
    def __init__(
        self,
        student: keras.Model,
        teacher: keras.Model,
        kind: Annotated[str, Choices(*KINDS)] = SOFT,
        weight: Annotated[float, Range(0, 1)] = 0.5,
        temperature: Annotated[float, Range(1e-3, 1e3), OnlyWith("kind", SOFT)] = 1.0,
        activation: Annotated[str, Choices("softmax", "sigmoid")] = "softmax",
        student_layer: Annotated[str | None, OnlyWith("kind", FEATURES)] = None,
        teacher_layer: Annotated[str | None, OnlyWith("kind", FEATURES)] = None,
    ) -> None:
        super().__init__(name=f"{student.name}_distillation")
        student = _functional(student, "student")
        teacher = _functional(teacher, "teacher", student)
        self.student, self.weight, self.projection = student, weight, None
        if kind == FEATURES:
            learning, teacher = _layer(student, student_layer, "student"), _teaching(teacher, teacher_layer)
            _check_places(learning.shape, teacher.output_shape)
            units = teacher.output_shape[-1]
            self.projection = keras.layers.Dense(units, dtype="float32", name="projection")
            self.projection.build(learning.shape)
            outputs = [student.output, student.output, learning]
        else:
            _check_outputs(student, teacher)
            has_two = any(layer.name == SECOND_HEAD for layer in student.layers)
            heads = [student.get_layer(name).output for name in ("head", SECOND_HEAD)] if has_two else None
            first, second = heads or (student.output, student.output)
            outputs = [student.output, first, second]
        self.distance = _distance(kind, temperature, activation)
        self.learning = keras.Model(student.input, outputs, name="learning")
        # Not kept as a layer: its weights are not this model's.
        self.teacher = functools.partial(teacher, training=False)
        self.built = True

    @property
    def inputs(self):
        return self.student.inputs

    @property
    def input_shape(self):
        return self.student.input_shape

    def get_layer(self, name=None, index=None):
        """Returns a layer of the student."""
        return self.student.get_layer(name, index)

    def call(self, x, training=False):
        """Returns the student's outputs; in training also those of its heads or of the layer that learns."""
        return self.learning(x, training=True) if training else self.student(x, training=False)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        if not isinstance(y_pred, list | tuple):  # not in training
            return super().compute_loss(x, y, y_pred, sample_weight, training)
        _, first, second = y_pred
        loss = super().compute_loss(x, y, first, sample_weight, training)
        if self.projection is not None:
            second = self.projection(ops.cast(second, "float32"))
        teacher = ops.stop_gradient(ops.cast(self.teacher(x), "float32"))
        distance = self.distance(teacher, ops.cast(second, "float32"))
        if sample_weight is not None:
            distance = distance * ops.cast(ops.reshape(sample_weight, (-1,)), distance.dtype)
        return (1 - self.weight) * loss + self.weight * ops.mean(distance)

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        outputs = y_pred[0] if isinstance(y_pred, list | tuple) else y_pred
        return super().compute_metrics(x, y, outputs, sample_weight)

    def get_config(self):
        raise InputError("A Distillation is not saved, since its teacher is not its own: save its `student`.")


def _distance(kind, temperature, activation) -> Callable:
    """Returns a function of what the teacher and the student return, to one number for each sample."""
    if kind == FEATURES:
        return lambda teacher, student: _mean(1 + keras.losses.cosine_similarity(teacher, student))
    if activation == "sigmoid":
        if kind == HARD:
            return lambda teacher, student: _binary(ops.cast(teacher > 0, student.dtype), student)
        return lambda teacher, student: (
            _binary(ops.sigmoid(teacher / temperature), student / temperature) * temperature**2
        )
    if kind == HARD:
        return lambda teacher, student: keras.losses.sparse_categorical_crossentropy(
            ops.argmax(teacher, axis=-1), student, from_logits=True
        )

    def divergence(teacher, student):
        probabilities = ops.softmax(teacher / temperature, axis=-1)
        logarithms = ops.log_softmax(teacher / temperature, axis=-1)
        logarithms = logarithms - ops.log_softmax(student / temperature, axis=-1)
        return ops.sum(probabilities * logarithms, axis=-1) * temperature**2

    return divergence


def _binary(labels, logits):
    return ops.mean(ops.binary_crossentropy(labels, logits, from_logits=True), axis=-1)


def _mean(values):
    """The mean of each sample."""
    return ops.mean(ops.reshape(values, (ops.shape(values)[0], -1)), axis=-1)


def _layer(model, name, which):
    names = [layer.name for layer in model.layers]
    if (name or "pooling") not in names:
        raise InputError(
            f"Expected {which}_layer to be a layer of the {which}, such as {', '.join(names[-4:])}; received "
            f"{name!r}."
        )
    return model.get_layer(name or "pooling").output


def _teaching(teacher, name):
    has_pooling = any(layer.name == "pooling" for layer in teacher.layers)
    if name is None and not has_pooling:
        return teacher
    return keras.Model(teacher.input, _layer(teacher, name, "teacher"), name=f"{teacher.name}_features")


def _functional(model, which, student=None):
    """Returns a model from one tensor to one, with the same layers; of a teacher for the student's images."""
    if student is not None and is_graph(model) and model.inputs[0].shape != student.input.shape:
        raise InputError(
            f"Expected a teacher of the student's inputs {student.input_shape}, received one of "
            f"{model.inputs[0].shape}. Set image_size to the teacher's, or load it for this size."
        )
    if is_graph(model):
        inputs, outputs = model.inputs, model.outputs
    elif student is None:
        raise InputError("Expected a functional or Sequential student, received one of another kind.")
    else:
        inputs = [keras.Input(student.input_shape[1:], name="images")]
        with user_code("The teacher cannot be called on the student's images: "):
            outputs = keras.tree.flatten(model(inputs[0]))
    if len(inputs) != 1 or len(outputs) != 1:
        raise InputError(
            f"Expected a {which} of one input and one output, received {len(inputs)} and {len(outputs)}."
        )
    return keras.Model(inputs[0], outputs[0], name=model.name)


def _check_outputs(student, teacher):
    if student.output_shape != teacher.output_shape:
        raise InputError(
            f"Expected a teacher of the student's outputs {student.output_shape}, received one of "
            f"{teacher.output_shape}. Take a teacher of the same classes, or compare features."
        )


def _check_places(student, teacher):
    if student[1:-1] != teacher[1:-1]:
        raise InputError(
            f"Expected layers whose outputs differ in channels alone, received {student} of the student and "
            f"{teacher} of the teacher. Name others, such as those that pool."
        )
