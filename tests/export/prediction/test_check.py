"""Which TFLite files are accepted, and the errors for others."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_vit import InputError
from keras_vit.export import export_model, load_predictor
from keras_vit.export.prediction.tflite import check_tflite


def converted(function, shape, path, dtype=tf.float32, flex=False):
    concrete = tf.function(function, input_signature=[tf.TensorSpec(shape, dtype)]).get_concrete_function()
    converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete], tf.Module())
    if flex:
        converter.target_spec.supported_ops |= {tf.lite.OpsSet.SELECT_TF_OPS}
    path.write_bytes(converter.convert())
    return path


def mean(x):
    return tf.reduce_mean(x, axis=(1, 2))


def shares(x):
    """The colours' shares of an image's light, which add up to 1 as probabilities do."""
    light = mean(x) + 1.0
    return light / tf.reduce_sum(light, axis=1, keepdims=True)


@pytest.fixture
def good(tmp_path):
    return converted(shares, (1, 4, 4, 3), tmp_path / "m.tflite")


def test_a_flex_operator_is_refused_by_its_name(tmp_path):
    path = converted(
        lambda x: tf.linalg.inv(x[0, :3, :3, 0])[:1], (1, 4, 4, 3), tmp_path / "m.tflite", flex=True
    )
    with pytest.raises(InputError, match="FlexMatrixInverse"):
        check_tflite(path)


@pytest.mark.parametrize(
    ("function", "shape", "dtype"),
    [
        (lambda x: mean(x)[:1], (2, 4, 4, 3), tf.float32),
        (lambda x: tf.reduce_sum(x), (1, 4), tf.float32),
    ],
    ids=["one row for two images", "one number"],
)
def test_a_file_that_does_not_return_a_row_for_each_item_is_refused(tmp_path, function, shape, dtype):
    path = converted(function, shape, tmp_path / "m.tflite", dtype)
    with pytest.raises(InputError, match="inputs and outputs of one batch"):
        check_tflite(path)


@pytest.mark.parametrize(
    ("function", "shape", "dtype"),
    [
        (lambda x: mean(tf.cast(x, tf.float32)), (1, 4, 4, 3), "int32"),
        (lambda x: 2 * x, (1, 4, 4, 3), "float32"),
        (lambda x: 2 * x, (1, 4), "float32"),
        (mean, (1, 4, 4, 3), "float32"),
    ],
    ids=["int32", "image to image", "no image", "no sum of one"],
)
def test_any_other_file_gives_its_outputs_but_no_probabilities(tmp_path, function, shape, dtype):
    predictor = load_predictor(converted(function, shape, tmp_path / "m.tflite", tf.as_dtype(dtype)))
    items = np.random.default_rng(0).integers(0, 9, (3, *shape[1:])).astype(dtype)
    (found,) = predictor.outputs(items).values()
    np.testing.assert_allclose(found, function(tf.constant(items)), rtol=1e-6)
    with pytest.raises(InputError, match="Expected a classifier, but its outputs are not probabilities"):
        predictor.probabilities(items)


def test_images_of_another_shape_are_refused_and_zero_images_are_accepted(good):
    predictor = load_predictor(good)
    assert predictor.label_names is None
    with pytest.raises(InputError, match=r"\(n, 4, 4, 3\) for 'x', received \(2, 4, 3, 4\)"):
        predictor.probabilities(np.zeros((2, 4, 3, 4)))
    assert predictor.probabilities(np.zeros((0, 4, 4, 3))).shape == (0, 3)


def test_uint8_and_float_images_answer_alike(good):
    images = np.random.default_rng(0).integers(0, 256, (3, 4, 4, 3)).astype("uint8")
    predictor = load_predictor(good)
    np.testing.assert_array_equal(predictor.probabilities(images), predictor.probabilities(images / 1.0))
    light = images.mean(axis=(1, 2)) + 1
    expected = light / light.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(predictor.probabilities(images), expected, rtol=1e-5)


@pytest.mark.parametrize(("labels", "message"), [(b"a\nb\n", "3 classes"), (b"\xff\n", "UTF-8")])
def test_labels_that_do_not_fit_are_refused(good, labels, message):
    (good.parent / "labels.txt").write_bytes(labels)
    with pytest.raises(InputError, match=message):
        load_predictor(good)


def test_labels_may_be_of_any_script(good):
    names = ("猫", "a b", "tête-à-tête")
    (good.parent / "labels.txt").write_text("".join(f"{name}\n" for name in names), encoding="utf-8")
    assert load_predictor(good).label_names == names


def test_every_length_of_a_truncated_file_is_an_error(good):
    content = good.read_bytes()
    for length in (0, 4, 8, len(content) // 3, len(content) * 9 // 10):
        good.write_bytes(content[:length])
        with pytest.raises(InputError, match="m.tflite"):
            load_predictor(good)


@pytest.mark.slow
def test_a_file_that_zeros_do_not_suit_is_tried_with_what_it_was_verified_with(tmp_path):
    x = keras.Input((6,), dtype="int32")
    y = keras.layers.GlobalAveragePooling1D()(keras.layers.Embedding(9, 8, mask_zero=True)(x))
    model = keras.Model(x, keras.layers.Dense(3)(y))  # for zeros alone it is 0 / 0, an error in integers
    tokens = np.random.default_rng(0).integers(1, 9, (40, 6)).astype("int32")
    export_model(model, tmp_path, inputs=tokens, variants="full_int8", calibration=tokens, max_drop=100)
    assert load_predictor(tmp_path / "model_full_int8.tflite").outputs(tokens)[
        model.layers[-1].name
    ].shape == (40, 3)
