"""Attention rollout out of a file is the one that Python computes."""

import numpy as np
import pytest
import tensorflow as tf

from keras_vit import InputError
from keras_vit.export import export_model, load_predictor
from keras_vit.export.mobile import mobile_form
from keras_vit.export.prediction.keras_model import keras_predictor
from keras_vit.models import attention_maps, cnn, vit

CLASSIFIER = {"task": "classification", "activation": "softmax"}


@pytest.mark.parametrize(
    "options",
    [
        {"pooling": "token", "num_registers": 2},
        {"pooling": "gap", "num_registers": 1},
        {"pooling": "map", "qk_norm": True},
        {"pooling": "token", "norm_first": False, "layer_scale": 0.3},
        {"pooling": "token", "distillation_token": True, "position_embedding": "rotary"},
        {"pooling": "gap", "image_size": (4, 8), "stem": "conv"},
    ],
    ids=str,
)
def test_the_graph_gives_the_rollout_of_python(options):
    model = vit("Pico/2", **{"num_layers": 3, "channels": 1, "num_classes": 10, "image_size": 8, **options})
    random = np.random.default_rng(0)
    model.set_weights([w + random.normal(0, 0.3, w.shape) for w in model.get_weights()])
    images = random.integers(0, 256, (1, *model.input_shape[1:])).astype("float32")
    form = mobile_form(model, attention=True)
    logits, attention = tf.function(form.with_attention)(tf.constant(images))
    expected = attention_maps(model, images)
    assert attention.shape == expected.shape and np.ptp(expected) > 0.1 * expected.max()
    np.testing.assert_allclose(attention, expected, atol=1e-5 * expected.max())
    np.testing.assert_allclose(logits, model(images), atol=1e-5 * np.abs(logits).max())


@pytest.mark.slow
def test_saved_model_and_tflite_return_the_map_next_to_the_classes(model, held_out, names, tmp_path):
    options = {"variants": ("savedmodel", "fp32"), "attention": True, **CLASSIFIER}
    rows = export_model(model, tmp_path, label_names=names, inputs=held_out[0], labels=held_out[1], **options)
    expected = attention_maps(model, held_out[0][:3])
    for row in rows:
        assert row["max_attention_difference"] < 1e-5
        predictor = load_predictor(tmp_path / row["file"])
        np.testing.assert_allclose(predictor.attention_maps(held_out[0][:3]), expected, rtol=1e-4)
    np.testing.assert_allclose(
        keras_predictor(model).attention_maps(held_out[0][:3]), expected, rtol=1e-5, atol=1e-7
    )


@pytest.mark.slow
def test_a_file_with_four_bits_gives_the_map_too(model, held_out, names, tmp_path):
    options = {"variants": ("int4",), "attention": True, "max_drop": 100, **CLASSIFIER}
    (row,) = export_model(
        model, tmp_path, label_names=names, inputs=held_out[0], labels=held_out[1], **options
    )
    assert row["passed"] and row["max_attention_difference"] < 0.5


def test_a_model_without_attention_is_refused_before_anything_is_written(held_out, names, tmp_path):
    plain = cnn(image_size=8, channels=1, num_classes=10)
    with pytest.raises(InputError, match="no attention to show"):
        export_model(
            plain,
            tmp_path / "x",
            label_names=names,
            inputs=held_out[0],
            labels=held_out[1],
            attention=True,
            **CLASSIFIER,
        )
    assert not (tmp_path / "x").exists()
    with pytest.raises(InputError, match="no attention to show"):
        keras_predictor(plain).attention_maps(held_out[0][:1])
