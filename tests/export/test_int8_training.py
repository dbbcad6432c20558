"""Weights that are trained for the rounding of the static int8 file."""

import re

import keras
import numpy as np
import pytest

from keras_vit.errors import InputError
from keras_vit.export import Int8Training, export_model, load_predictor


def test_what_is_simulated_is_what_the_file_computes(photo_form, model, digits, tmp_path):
    """Without training: the largest difference is some roundings that fall the other way."""
    import tensorflow as tf

    from keras_vit.export.int8_training.graph import TrainableGraph
    from keras_vit.export.tflite.graph import read_graph
    from keras_vit.export.tflite.named import NamedInterpreter
    from keras_vit.export.tflite.writer import TfliteWriter

    form, images = photo_form(model), digits[0][:64]
    with TfliteWriter(form, {form.inputs[0].name: images}, tmp_path) as writer:
        for variant in ("fp32", "full_int8"):
            writer.write(variant, tmp_path / variant)
    content, quantized = ((tmp_path / name).read_bytes() for name in ("fp32", "full_int8"))
    graph = TrainableGraph(read_graph(content), read_graph(quantized))
    pixels = tf.constant(np.repeat(images, 3, axis=-1).astype("float32"))
    for file, rounded, tolerance in ((content, False, 1e-5), (quantized, True, 0.1)):
        (logits,) = graph(pixels, rounded=rounded)
        (expected,) = NamedInterpreter(file).run({form.inputs[0].name: images}).values()
        difference = np.abs(tf.nn.softmax(logits[:, 0]).numpy() - expected)
        assert np.quantile(difference, 0.99) < tolerance


@pytest.mark.slow
def test_training_brings_the_file_nearer_to_the_model(model, digits, tmp_path):
    images, labels = digits
    difference = {}
    for name, training in (("plain", None), ("trained", Int8Training(images[300:], epochs=6))):
        export_model(
            model,
            tmp_path / name,
            inputs=images[:300],
            labels=labels[:300],
            task="classification",
            activation="softmax",
            variants=["full_int8"],
            calibration=images[300:],
            int8_training=training,
            max_drop=100,
        )
        predictor = load_predictor(tmp_path / name / "model_full_int8.tflite")
        expected = keras.ops.softmax(model.predict(images[:300], verbose=0)).numpy()
        difference[name] = np.square(predictor.probabilities(images[:300]) - expected).mean()
    assert difference["trained"] < 0.8 * difference["plain"]  # 0.68: rounded probabilities alone remain of it


@pytest.mark.parametrize(
    "options", [{"epochs": 0}, {"batch_size": 0}, {"max_items": 0}, {"learning_rate": 0.0}]
)
def test_numbers_out_of_range_are_refused(options):
    with pytest.raises(InputError, match="at least 1"):
        Int8Training(np.zeros((1, 2)), **options)


@pytest.mark.slow
def test_an_epoch_has_no_more_items_than_allowed_and_says_how_far_it_is(photo_form, model, digits, tmp_path):
    from keras_vit.export.tflite.writer import TfliteWriter

    form, images, seen = photo_form(model), digits[0], []
    (name,) = (tensor.name for tensor in form.inputs)
    training = Int8Training({name: images}, epochs=2, max_items=100, batch_size=16)
    with TfliteWriter(
        form, {name: images[:64]}, tmp_path, training, lambda *words: seen.append(words)
    ) as writer:
        writer.write("full_int8", tmp_path / "m.tflite")
    *steps, checked = [step for variant, step in seen if step.startswith("int8 training")]
    assert re.fullmatch(r"int8 training, error of items not trained on: \S+ before, \S+ after.*", checked)
    assert [step.split(",")[1] for step in steps] == [" step 1 of 14", " step 11 of 14"]
    assert steps[1].endswith(" left")


@pytest.mark.slow
def test_training_that_does_not_help_leaves_the_weights_as_they_were(photo_form, model, digits, tmp_path):
    """A rate of 10 times the size of a weight destroys the model."""
    from keras_vit.export.tflite.writer import TfliteWriter

    form, images, seen = photo_form(model), digits[0][:64], []
    (name,) = (tensor.name for tensor in form.inputs)
    training = Int8Training({name: images}, batch_size=16, learning_rate=10.0)

    def report(variant, step):
        seen.append(step)

    for file, chosen in (("plain", None), ("trained", training)):
        with TfliteWriter(form, {name: images}, tmp_path, chosen, report) as writer:
            writer.write("full_int8", tmp_path / file)
            assert not writer.is_trained("full_int8")
    assert (tmp_path / "plain").read_bytes() == (tmp_path / "trained").read_bytes()
    assert any(step.endswith("the weights stay as they were") for step in seen)


def test_training_takes_one_item_at_once(model, digits, tmp_path):
    images = digits[0][:8]
    with pytest.raises(InputError, match="needs batch_size=1"):
        export_model(
            model, tmp_path, inputs=images, batch_size=2, int8_training=Int8Training(images), variants="fp32"
        )
