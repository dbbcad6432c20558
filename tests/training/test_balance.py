"""Classes of unequal size: weights in the loss, adjusted logits, and the metric that chooses the epoch."""

import csv
import dataclasses

import keras
import numpy as np
import pytest
from scipy.special import log_softmax
from sklearn.metrics import balanced_accuracy_score, f1_score, recall_score

from keras_vit import InputError
from keras_vit.training import ImageRecipe, load_data, train
from keras_vit.training.balance import AdjustedLoss, Balance, ClassMetric, class_weights
from keras_vit.training.recipe import override
from keras_vit.training.tasks import task_of

GENERATOR = np.random.default_rng(0)


@pytest.fixture(scope="module")
def unequal():
    """Digits, of which 40 times as many are 0 as 1 in the training images alone."""
    train = load_data("digits").train
    zeros, ones = np.flatnonzero(train.labels == 0), np.flatnonzero(train.labels == 1)
    rows = {
        "train": np.concatenate([zeros[:120], ones[:3]]),
        "validation": np.concatenate([zeros[120:130], ones[3:33]]),
        "test": np.concatenate([zeros[130:140], ones[33:63]]),
    }
    return load_data({name: (train.images[chosen], train.labels[chosen]) for name, chosen in rows.items()})


@pytest.mark.parametrize(("kind", "label"), [("balanced_accuracy", None), ("macro_f1", None), ("recall", 2)])
def test_a_metric_is_that_of_scikit_learn_over_several_batches(kind, label):
    true, logits = GENERATOR.integers(0, 4, 60), GENERATOR.normal(size=(60, 5))  # class 4 has no images
    logits[:, 4] -= 10
    metric = ClassMetric(kind, label)
    for rows in (slice(0, 25), slice(25, 60)):
        metric.update_state(np.eye(5)[true[rows]], logits[rows])
    predicted = logits.argmax(axis=1)
    expected = {
        "balanced_accuracy": balanced_accuracy_score(true, predicted),
        "macro_f1": f1_score(true, predicted, average="macro"),
        "recall": recall_score(true, predicted, labels=[2], average="macro"),
    }
    assert float(metric.result()) == pytest.approx(expected[kind], abs=1e-6)
    metric.reset_state()
    metric.update_state(np.eye(5)[:4], np.eye(5)[:4])
    assert float(metric.result()) == 1


def test_balanced_weights_give_each_class_the_same_sum():
    counts = np.array([90, 9, 1])
    weights = class_weights("balanced", counts, ("a", "b", "c"))
    np.testing.assert_allclose(weights * counts, 100 / 3, rtol=1e-6)


def test_weights_may_be_a_dict_as_for_fit():
    recipe = ImageRecipe(class_weight={0: 1.0, "b": 2})
    assert recipe.class_weight == "0:1.0,b:2" and recipe == ImageRecipe(class_weight="0:1.0,b:2")
    with pytest.raises(InputError, match="Expected class_weight to be balanced or CLASS:WEIGHT"):
        ImageRecipe(class_weight={0: -1})


def test_an_adjusted_loss_is_that_of_logits_with_the_logarithm_of_the_shares():
    labels, logits = np.eye(3, dtype="float32"), GENERATOR.normal(size=(3, 3)).astype("float32")
    shares = np.log(np.array([0.9, 0.09, 0.01], "float32"))
    loss = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1)
    adjusted = AdjustedLoss(loss, shares)
    weights = np.array([1, 2, 3], "float32")
    assert float(adjusted(labels, logits, weights)) == pytest.approx(
        float(loss(labels, logits + shares, weights)), rel=1e-6
    )


def test_the_stream_gives_each_image_the_weight_of_its_class(unequal):
    recipe = ImageRecipe(model="linear", batch_size=8, class_weight="1:7", mixup_alpha=0.5, label_smoothing=0)
    task = task_of(recipe).knowing(unequal)
    _, labels, weights = next(iter(task.streams(unequal)["x"]))
    labels, weights = (keras.ops.convert_to_numpy(array) for array in (labels, weights))
    np.testing.assert_allclose(weights, labels @ np.array([1, 7], "float32"), rtol=1e-6)


def test_unequal_classes_are_watched_by_balanced_accuracy_and_that_is_said(unequal, tmp_path, capsys):
    recipe = ImageRecipe(model="linear", epochs=2, batch_size=16, early_stopping_patience=5)
    run = train(recipe, tmp_path / "run", data=unequal)
    assert "by balanced accuracy, as 0 has 40 times the images of 1" in capsys.readouterr().err
    with open(run.folder.history) as file:
        assert "val_balanced_accuracy" in next(csv.reader(file))
    assert Balance.of(recipe.replace(monitor="accuracy"), unequal).monitor == "accuracy"
    assert Balance.of(recipe, load_data("digits")).monitor == "accuracy"


def test_the_loss_of_a_training_has_the_weights_and_the_adjusted_logits(unequal):
    fields = {"class_weight": "balanced", "logit_adjustment": 2.0, "label_smoothing": 0.0}
    task = task_of(ImageRecipe(model="linear", batch_size=32, **fields)).knowing(unequal)
    model = task.prepare(unequal).model
    model.compile(**task.compile_options())
    images, labels, weights = next(iter(task.streams(unequal)["x"]))
    logits = keras.ops.convert_to_numpy(model(images)) + 2 * np.log(np.array([120, 3]) / 123)
    expected = keras.ops.convert_to_numpy(weights) * cross_entropy(logits, keras.ops.convert_to_numpy(labels))
    found = model.test_on_batch(images, labels, weights, return_dict=True)["loss"]
    assert float(found) == pytest.approx(expected.mean(), rel=1e-5)


def cross_entropy(logits, labels):
    return -(labels * log_softmax(logits, axis=-1)).sum(axis=-1)


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("class_weight=often", "Expected class_weight to be balanced or CLASS:WEIGHT"),
        ("class_weight=1:-2", "Expected class_weight to be balanced or CLASS:WEIGHT"),
        ("class_weight=1:2, 1:3", "Expected class_weight to name each class once, received 1 twice"),
        ("monitor=precision", "Expected monitor to be accuracy, .* or recall:CLASS"),
        ("monitor=recall", "Expected monitor to be accuracy, .* or recall:CLASS"),
    ],
)
def test_wrong_fields_are_refused(assignment, message):
    with pytest.raises(InputError, match=message):
        override(ImageRecipe(), [assignment])


@pytest.mark.parametrize("assignment", ["class_weight=7:2", "monitor=recall:7"])
def test_a_class_that_the_data_lack_is_refused_before_training(assignment, unequal, tmp_path):
    with pytest.raises(InputError, match="to name a class of the data, 0, 1, received '7'"):
        train(override(ImageRecipe(model="linear"), [assignment]), tmp_path / "run", data=unequal)
    assert not (tmp_path / "run" / "recipe.json").exists()


def test_a_recall_that_the_validation_images_cannot_say_is_refused_before_training(unequal, tmp_path):
    zeros = np.flatnonzero(unequal.validation.labels == 0)
    data = dataclasses.replace(unequal, validation=unequal.validation.take(zeros))
    with pytest.raises(InputError, match="validation images of 1 for monitor=recall:1, found none"):
        train(ImageRecipe(model="linear", monitor="recall:1"), tmp_path / "run", data=data)
    assert not (tmp_path / "run").exists()
