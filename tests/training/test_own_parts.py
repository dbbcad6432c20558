"""Parts of the user's own in recipes: how they are named, what is refused, and whole runs with them."""

import json
import os
import signal
import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import ops

from keras_vit import InputError
from keras_vit.training.augmentation.own import OwnAugmentation
from keras_vit.training.checkpoint import Interrupted
from keras_vit.training.fit import fit
from keras_vit.training.optimizers import build_optimizer
from keras_vit.training.own_parts import own_part
from keras_vit.training.recipe import ImageRecipe, override
from keras_vit.training.recipe_file import read_recipe, write_recipe
from keras_vit.training.run import evaluate, load_run, train
from keras_vit.training.tasks import task_of

PARTS = """
import keras
from keras import ops

@keras.saving.register_keras_serializable(package="parts_of_a_test")
class Doubled(keras.layers.Layer):
    def call(self, x):
        return 2 * x

class Hidden(keras.layers.Layer):
    def call(self, x):
        return x

def build(image_size, channels, num_classes, units=8, rate=0.1, hidden=False):
    inputs = keras.Input((*image_size, channels))
    x = keras.layers.Flatten()(Doubled()(inputs / 255))
    x = Hidden()(x) if hidden else x
    x = keras.layers.Dropout(rate)(keras.layers.Dense(units, activation="relu")(x))
    return keras.Model(inputs, keras.layers.Dense(num_classes)(x))

class Subclassed(keras.Model):
    def __init__(self, num_classes, **options):
        super().__init__(**options)
        self.num_classes = num_classes
        self.flat, self.head = keras.layers.Flatten(), keras.layers.Dense(num_classes)

    def call(self, images):
        return self.head(self.flat(images / 255))

    def get_config(self):
        return {**super().get_config(), "num_classes": self.num_classes}

keras.saving.register_keras_serializable(package="parts_of_a_test")(Subclassed)

def softmax(image_size, channels, num_classes):
    layers = [keras.Input((*image_size, channels)), keras.layers.Flatten()]
    return keras.Sequential([*layers, keras.layers.Dense(num_classes, activation="softmax")])

def three_classes(image_size, channels):
    layers = [keras.Input((*image_size, channels)), keras.layers.Flatten()]
    return keras.Sequential([*layers, keras.layers.Dense(3)])

def needs_units(units, num_classes):
    return None

def open_size(num_classes):
    layers = [keras.Input((None, None, 1)), keras.layers.Conv2D(4, 3), keras.layers.GlobalMaxPooling2D()]
    return keras.Sequential([*layers, keras.layers.Dense(num_classes)])

def raises():
    return 1 / 0

def squared(labels, logits):
    return ops.mean(ops.square(labels - ops.softmax(logits)), axis=-1)

def confidence(labels, logits):
    return ops.max(ops.softmax(logits), axis=-1)

def momentum(learning_rate, weight_decay):
    return keras.optimizers.SGD(learning_rate, momentum=0.9, weight_decay=weight_decay)

def darker(images, seed):
    noise = ops.cast(seed[0] % 100, "float32") / 100
    return images * (0.5 + 0.5 * noise)

class Noise(keras.layers.GaussianNoise):
    def __init__(self):
        super().__init__(0.5)

def cropped(images):
    return images[:, 1:]

def drawn(images, seed):
    return images + keras.random.uniform((1,), seed=seed)

def no_images(images, seed):
    pass

def fewer_labels(images, labels, seed):
    return images, labels[:, 1:]

def no_loss(labels, logits):
    return labels - logits[:, 1:]

def beyond(labels, logits):
    return ops.take(ops.ones(3), 5 + ops.argmax(labels, axis=-1))

class Fails(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        logs["lost"]

def fixed():
    return keras.optimizers.Lion(1e-3)

class Log(keras.callbacks.Callback):
    epochs = []
    def on_epoch_end(self, epoch, logs=None):
        self.epochs.append(sorted(logs))

def several():
    return [Log(), keras.callbacks.ReduceLROnPlateau(patience=50)]
"""
ALL = [
    "model=parts:build", "units=12", "loss=parts:squared", "label_smoothing=0", "optimizer=parts:momentum",
    "clip_norm=none", "metrics=parts:confidence", "callbacks=parts:several", "augmentation=parts:darker",
    "epochs=2", "batch_size=64", "subset=320", "weight_decay=0.01",
]  # fmt: skip


@pytest.fixture
def parts(own_module):
    return own_module("parts", PARTS)


def refused(message, *assignments, **fields):
    with pytest.raises(InputError, match=message) as error:
        recipe = override(ImageRecipe(**fields), assignments)
        task = task_of(recipe)
        data = task.load_data()
        model = task.build_model(data)
        build_optimizer(recipe, model, 10)
    assert "\n" not in str(error.value)


def test_objects_and_names_make_the_same_recipe(parts):
    named = override(ImageRecipe(), ALL)
    given = ImageRecipe(
        model=parts.build, units=12, loss=parts.squared, optimizer=parts.momentum, clip_norm=None,
        metrics=[parts.confidence], callbacks=parts.several, augmentation=parts.darker, epochs=2,
        batch_size=64, subset=320, weight_decay=0.01,
    )  # fmt: skip
    assert named == given and hash(named) == hash(given)
    assert (given.model, given.units, given.metrics) == ("parts:build", 12, ("parts:confidence",))
    assert given.label_smoothing == 0 and given.rate is None


def test_objects_of_keras_are_saved_with_their_configuration(tmp_path):
    loss = keras.losses.CategoricalFocalCrossentropy(gamma=3.0, from_logits=True)
    recipe = ImageRecipe(
        loss=loss, optimizer=keras.optimizers.Lion(3e-4), metrics=keras.metrics.TopKCategoricalAccuracy(3)
    )
    write_recipe(tmp_path / "recipe.py", recipe, "A recipe.")
    (tmp_path / "recipe.json").write_text(json.dumps({"recipe": recipe.as_dict()}))
    assert read_recipe(str(tmp_path / "recipe.py")) == recipe == read_recipe(str(tmp_path / "recipe.json"))
    made = own_part(recipe.loss, "the loss", keras.losses.Loss)
    assert type(made) is type(loss) and made.gamma == 3.0 and made.from_logits
    optimizer = build_optimizer(recipe, keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]), 10)
    assert isinstance(optimizer, keras.optimizers.Lion) and float(optimizer.learning_rate) == pytest.approx(
        3e-4
    )
    assert task_of(recipe).logged()["val_top_k_categorical_accuracy"] is None


def test_a_run_with_own_parts_trains_evaluates_resumes_and_loads_in_a_new_process_state(parts, tmp_path):
    recipe = override(ImageRecipe(), ALL)
    whole = train(recipe, tmp_path / "whole")
    assert parts.Log.epochs[-1] == [
        "accuracy",
        "confidence",
        "loss",
        "val_accuracy",
        "val_confidence",
        "val_loss",
    ]
    train(recipe.replace(epochs=1), tmp_path / "parts_of_it")
    with pytest.warns(
        UserWarning, match="continues from epoch 1 to 2, with the learning rates that a schedule"
    ):
        continued = train(recipe, tmp_path / "parts_of_it", resume=True)
    assert len((tmp_path / "parts_of_it" / "history.csv").read_text().splitlines()) == 3
    assert continued.metrics["num_images"] == whole.metrics["num_images"]
    assert "val_confidence" in (tmp_path / "whole" / "history.csv").read_text().splitlines()[0]
    assert evaluate(tmp_path / "whole") == whole.metrics
    assert load_run(tmp_path / "whole").model.get_layer("doubled") is not None


def test_a_run_of_an_own_model_is_a_source_of_weights(parts, tmp_path):
    recipe = ImageRecipe(model=parts.build, subset=160, epochs=1)
    first = fit(recipe.replace(units=12), tmp_path / "first")
    tuned = fit(recipe.replace(pretrained=str(tmp_path / "first"), tuning="head"), tmp_path / "tuned")
    changed = [not np.array_equal(*pair) for pair in zip(first.weights, tuned.weights, strict=True)]
    assert changed == [False, False, True, True]


def test_a_run_with_own_parts_that_is_interrupted_continues_bit_identically(parts, tmp_path):
    class StopAt(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if self.params["steps"] == 5 and batch == 3:
                signal.raise_signal(signal.SIGTERM)

    recipe = override(ImageRecipe(steps_per_execution=1), ALL)
    whole = fit(recipe, tmp_path / "whole")
    with pytest.raises(Interrupted):
        fit(recipe, tmp_path / "cut", callbacks=[StopAt()])
    resumed = fit(recipe, tmp_path / "cut", resume=True)
    for one, other in zip(whole.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_part_that_fails_in_training_is_one_line_with_its_place(parts, tmp_path):
    recipe = override(ImageRecipe(), [*ALL, "callbacks=parts:Fails"])
    with pytest.raises(InputError, match=r"^The training raised KeyError: 'lost' \(parts.py, line \d+\)\.$"):
        fit(recipe, tmp_path / "run")


def test_errors_of_callbacks_given_in_python_pass(tmp_path):
    class Pruned(Exception):
        pass

    class Prune(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            raise Pruned

    with pytest.raises(Pruned):
        fit(ImageRecipe(model="linear", epochs=1, subset=320), tmp_path / "run", callbacks=[Prune()])


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_other_backends_train_resume_and_evaluate_with_own_parts(parts, tmp_path, backend):
    pytest.importorskip(backend)
    (tmp_path / "recipe.py").write_text(
        "from keras_vit.training import ImageRecipe\nRECIPE = ImageRecipe()\n"
    )
    subclassed = [word for word in ALL if not word.startswith(("model=", "units="))]
    commands = [
        ["train", "recipe.py", *ALL, "--run-dir", "all"],
        ["train", "recipe.py", *ALL, "epochs=3", "--resume", "--run-dir", "all"],
        ["evaluate", "all"],
        ["train", "recipe.py", "model=parts:Subclassed", *subclassed, "--run-dir", "subclassed"],
        ["evaluate", "subclassed"],
    ]
    program = f"from keras_vit.__main__ import main\nprint([main(words) for words in {commands!r}])"
    python_path = os.pathsep.join([str(tmp_path / "parts"), *sys.path])
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": python_path},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0 and done.stdout.endswith("[0, 0, 0, 0, 0]\n"), done.stderr[-2000:]
    history = (tmp_path / "all" / "history.csv").read_text().splitlines()
    assert len(history) == 4 and "val_confidence" in history[0]


def test_a_layer_as_augmentation_draws_other_numbers_for_each_batch(parts):
    with pytest.warns(UserWarning, match="no parameter `seed`"):
        stream = task_of(ImageRecipe(augmentation="parts:Noise", subset=640)).streams(
            task_of(ImageRecipe()).load_data()
        )["x"]
    changes = [float((images - ops.round(images)).numpy().sum()) for images, _ in stream.take(3)]
    assert len(set(changes)) == 3 and 0 not in changes


@pytest.mark.parametrize(
    ("message", "assignments"),
    [
        ("No module absent here", "model=absent:build"),
        ("parts.py defines no biuld.*Did you mean parts:build", "model=parts:biuld"),
        ("Unknown model 'bulid'. Expected one of vit, .* or module:build", "model=bulid"),
        ("Unknown recipe field 'depth'.*Expected one of .*units", "model=parts:build depth=3"),
        ("returned? probabilities|received probabilities: leave its softmax out", "model=parts:softmax"),
        (r"to logits \(None, 10\), received one from .* to \(None, 3\)", "model=parts:three_classes"),
        ("needs units: give units=", "model=parts:needs_units"),
        ("parts:raises raised ZeroDivisionError: division by zero", "model=parts:raises"),
        ("needs 'Hidden' of parts, which is neither Keras's nor registered", "model=parts:build hidden=true"),
        ("accepts no pixel_mean: set normalization=none", "model=parts:build normalization=standardize"),
        ("neither a file", "model=parts:build pretrained=x"),
        ("Expected loss to be one of cross_entropy, hinge, received 'focal'", "loss=focal"),
        ("loss=parts:squared does not accept smoothed labels.*set label_smoothing=0", "loss=parts:squared"),
        ("Expected optimizer to be one of adamw", "optimizer=best"),
        (
            "parts:momentum accepts no clip_norm, which this recipe sets: .* or set clip_norm=1.0",
            "optimizer=parts:momentum clip_norm=3 variant=Pico/4",
        ),
        (
            "parts:fixed accepts no clip_value, learning_rate, .* set clip_value=none learning_rate=0.001",
            "optimizer=parts:fixed learning_rate=0.1 clip_norm=none clip_value=1 variant=Pico/4",
        ),
        (
            "Expected parts:squared to return a keras optimizer|cannot be made",
            "optimizer=parts:squared variant=Pico/4",
        ),
        ("Expected metrics as module:name, received 'f1'", "metrics=f1"),
        ("Expected augmentation as module:name, received 'blur'", "augmentation=blur"),
    ],
)
def test_parts_that_do_not_fit_are_refused_in_one_line(parts, message, assignments):
    refused(message, *assignments.split())


def test_objects_without_a_name_are_refused(parts):
    refused("loss to be defined at the top level of a module.*Move it to a file", loss=lambda y, logits: 0)
    refused("callbacks as a function or class of a module", callbacks=keras.callbacks.EarlyStopping())
    refused("model as a function or class of a module", model=keras.Sequential())
    with pytest.raises(InputError, match="learning_rate has no effect"):
        ImageRecipe(optimizer=keras.optimizers.Adam(), learning_rate=0.1)


def test_a_model_of_any_size_gets_the_size_of_the_data(parts):
    task = task_of(ImageRecipe(model="parts:open_size"))
    assert task.build_model(task.load_data()).input_shape == (None, 8, 8, 1)


def test_an_augmentation_gets_a_seed_of_each_batch(parts):
    task = task_of(override(ImageRecipe(), ALL))
    data = task.load_data()
    first, again = ([x.numpy().mean() for x, _ in task.streams(data)["x"].take(4)] for _ in range(2))
    assert first == again and len(set(first)) == 4
    (later, _), *_ = task.streams(data, start_epoch=0, start_step=2)["x"].take(1)
    assert np.mean(later) == first[2]


def test_an_augmentation_without_a_seed_gives_notice(parts):
    with pytest.warns(UserWarning, match="has no parameter `seed`"):
        OwnAugmentation("parts:cropped")


@pytest.mark.filterwarnings("ignore:.*no parameter `seed`")
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("cropped", r"parts:cropped to keep the shape of images, \(8, 8, 1\), received \(7, 8, 1\)"),
        ("fewer_labels", r"parts:fewer_labels to keep the shape of labels, \(10,\), received \(9,\)"),
        ("no_images", "parts:no_images to return images, or images and labels, received None"),
        ("raises", r"parts:raises raised TypeError: raises\(\) takes 0"),
        ("drawn", "parts:drawn raised ValueError: Argument `seed` must be"),
    ],
)
def test_an_augmentation_that_does_not_fit_is_refused(parts, name, message):
    task = task_of(ImageRecipe(augmentation=f"parts:{name}"))
    with pytest.raises(InputError, match=message):
        next(iter(task.streams(task.load_data())["x"]))


@pytest.mark.parametrize(
    ("message", "assignments"),
    [
        (
            "keras.losses:CategoricalCrossentropy is for probabilities",
            "loss=keras.losses:CategoricalCrossentropy",
        ),
        ("for probabilities.*a function of your own", "loss=keras.losses:categorical_crossentropy"),
        ("keras.metrics:AUC is for probabilities, but the model returns logits", "metrics=keras.metrics:AUC"),
        (
            r"Loss and metrics cannot be computed.*logits and the labels: .*\(parts.py, line",
            "loss=parts:no_loss",
        ),
        (
            r"Loss and metrics cannot be computed.*InvalidArgumentError: indices\[0\] = .* not in \[0, 3\)",
            "metrics=parts:beyond",
        ),
        ("MeanIoU cannot be made: TypeError", "metrics=keras.metrics:MeanIoU"),
    ],
)
def test_a_loss_or_metric_that_does_not_fit_is_refused_before_training(parts, tmp_path, message, assignments):
    chosen = ["model=parts:build", "subset=160", "epochs=1", "label_smoothing=0", assignments]
    with pytest.raises(InputError, match=message) as error:
        fit(override(ImageRecipe(), chosen), tmp_path / "run")
    assert "\n" not in str(error.value) and not (tmp_path / "run" / "recipe.json").exists()
