"""The loss of a distillation, and what it trains."""

import keras
import numpy as np
import pytest
from scipy.special import expit, log_softmax, softmax

from keras_vit import InputError
from keras_vit.models import levit, linear, vit
from keras_vit.training import Distillation

IMAGES = np.random.default_rng(0).integers(0, 256, (12, 8, 8, 3)).astype("float32")
LABELS = np.arange(12) % 3
LOSS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def small(seed, **options):
    keras.utils.set_random_seed(seed)
    return linear(image_size=8, channels=3, num_classes=3, seed=seed, **options)


def transformer(seed, hidden_dim=8, **options):
    keras.utils.set_random_seed(seed)
    sizes = {"patch_size": 4, "num_layers": 2, "num_heads": 2, "mlp_dim": 16, "image_size": 8}
    return vit(hidden_dim=hidden_dim, num_classes=3, **sizes, **options)


def outputs(model, images=IMAGES):
    return keras.ops.convert_to_numpy(model(images, training=False)).astype("float64")


def loss_of(model, weights=None):
    """The loss of one training step that changes nothing."""
    model.compile(keras.optimizers.SGD(0.0), LOSS)
    return float(model.train_on_batch(IMAGES, LABELS, weights, return_dict=True)["loss"])


def cross_entropy(labels, logits):
    return -log_softmax(logits, axis=-1)[np.arange(len(labels)), labels]


def soft(taught, learnt, temperature):
    p = softmax(taught / temperature, axis=-1)
    logs = log_softmax(taught / temperature, axis=-1) - log_softmax(learnt / temperature, axis=-1)
    return (p * logs).sum(axis=-1) * temperature**2


def soft_sigmoid(taught, learnt, temperature):
    p, q = expit(taught / temperature), expit(learnt / temperature)
    return -(p * np.log(q) + (1 - p) * np.log(1 - q)).mean(axis=-1) * temperature**2


DISTANCES = {
    ("soft", "softmax"): soft,
    ("soft", "sigmoid"): soft_sigmoid,
    ("hard", "softmax"): lambda taught, learnt, _: cross_entropy(taught.argmax(axis=-1), learnt),
    ("hard", "sigmoid"): lambda taught, learnt, _: soft_sigmoid(np.where(taught > 0, 1e9, -1e9), learnt, 1.0),
}


@pytest.mark.parametrize(("kind", "activation"), DISTANCES)
@pytest.mark.parametrize("weights", [None, np.linspace(0, 2, 12)], ids=["", "weighted"])
def test_the_loss_is_that_of_the_labels_and_of_the_teacher(kind, activation, weights):
    student, teacher = small(1), small(2)
    options = {"temperature": 2.5} if kind == "soft" else {}
    model = Distillation(student, teacher, kind, weight=0.3, activation=activation, **options)
    learnt, taught = outputs(student), outputs(teacher)
    by_sample = 0.7 * cross_entropy(LABELS, learnt)
    by_sample += 0.3 * DISTANCES[kind, activation](taught, learnt, 2.5)
    expected = (by_sample * (1 if weights is None else weights)).mean()
    assert loss_of(model, weights) == pytest.approx(expected, rel=1e-5)


def test_features_are_compared_by_their_angle_after_a_linear_map():
    student, teacher = transformer(1), transformer(2, hidden_dim=12)
    model = Distillation(student, teacher, "features", weight=1.0)
    pooled = [keras.Model(each.inputs, each.get_layer("pooling").output) for each in (student, teacher)]
    learnt, taught = map(outputs, pooled)
    learnt = learnt @ keras.ops.convert_to_numpy(model.projection.kernel)
    cosine = (learnt * taught).sum(axis=1) / np.linalg.norm(learnt, axis=1) / np.linalg.norm(taught, axis=1)
    assert loss_of(model) == pytest.approx((1 - cosine).mean(), rel=1e-4)
    with_layers = Distillation(
        student, teacher, "features", student_layer="patch_embedding", teacher_layer="patch_embedding"
    )
    assert with_layers.projection.kernel.shape == (8, 12)
    assert np.isfinite(loss_of(with_layers))


def test_without_weight_the_student_is_trained_as_without_a_teacher():
    alone, student = small(1), small(1)
    distilled = Distillation(student, small(2), weight=0.0)
    for model in (alone, distilled):
        model.compile(keras.optimizers.Adam(0.01), LOSS, metrics=["accuracy"])
    histories = [
        model.fit(
            IMAGES, LABELS, validation_data=(IMAGES, LABELS), epochs=2, shuffle=False, verbose=0
        ).history
        for model in (alone, distilled)
    ]
    assert histories[0] == histories[1]
    for weight, expected in zip(student.get_weights(), alone.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, expected)


def test_the_teacher_is_neither_trained_nor_among_the_weights():
    student, teacher = transformer(1), transformer(2, dropout_rate=0.5)
    before = teacher.get_weights()
    model = Distillation(student, teacher, weight=1.0, temperature=2.0)
    assert len(model.weights) == len(student.weights)
    model.compile(keras.optimizers.Adam(0.01), LOSS)
    images, labels = np.tile(IMAGES, (20, 1, 1, 1)), np.tile(LABELS, 20)
    distances = model.fit(images, labels, batch_size=12, epochs=2, verbose=0).history["loss"]
    assert distances[1] < distances[0] / 3
    for weight, expected in zip(teacher.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, expected)
    np.testing.assert_array_equal(model.predict(IMAGES, verbose=0), student.predict(IMAGES, verbose=0))


@pytest.mark.parametrize("weight", [0.0, 1.0])
@pytest.mark.parametrize(
    "student",
    [
        lambda: transformer(1, distillation_token=True),
        lambda: levit("Pico", image_size=16, num_classes=3, distillation_head=True, seed=1),
    ],
    ids=["token", "head"],
)
def test_the_second_head_learns_from_the_teacher_alone(student, weight):
    student = student()
    size = student.input_shape[1]
    teacher = linear(image_size=size, channels=3, num_classes=3, seed=3)
    model = Distillation(student, teacher, "hard", weight=weight)
    model.compile(keras.optimizers.SGD(0.1), LOSS)
    heads = {name: student.get_layer(name).get_weights() for name in ("head", "distillation_head")}
    model.fit(np.resize(IMAGES, (12, size, size, 3)), LABELS, epochs=1, verbose=0)
    moved = {
        name: any(
            (new != old).any()
            for new, old in zip(student.get_layer(name).get_weights(), weights, strict=True)
        )
        for name, weights in heads.items()
    }
    assert moved == {"head": weight == 0, "distillation_head": weight == 1}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            (linear(image_size=8, channels=3, num_classes=4),),
            r"received one of \(None, 4\)",
        ),
        (
            (linear(image_size=9, channels=3, num_classes=3),),
            r"received one of \(None, 9, 9, 3\)",
        ),
        ((small(2), "softer"), "kind to be one of soft, hard, features"),
        ((small(2), "soft", 2), "weight from 0 to 1, received 2"),
        ((small(2), "hard", 0.5, 2.0), "kind=hard has no temperature: .* or give kind=soft"),
        ((small(2), "soft", 0.5, 2.0, "softmax", "pooling"), "kind=soft has no student_layer"),
        (
            (small(2), "features"),
            "Expected student_layer to be a layer",
        ),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(arguments, message):
    with pytest.raises(InputError, match=message):
        Distillation(small(1), *arguments)


def test_layers_of_other_grids_are_not_compared():
    with pytest.raises(InputError, match="differ in channels alone, received"):
        Distillation(
            transformer(1),
            transformer(2, pooling="gap"),
            "features",
            student_layer="encoder",
            teacher_layer="encoder",
        )
