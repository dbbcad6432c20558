"""Files whose inputs and outputs are int8, for NPUs and microcontrollers."""

import json

import keras
import numpy as np
import pytest

from keras_vit.__main__ import main
from keras_vit.errors import InputError
from keras_vit.export import benchmark, export_model, load_predictor
from keras_vit.export.model.description import read_description
from keras_vit.export.tflite.graph import operators, read_graph
from keras_vit.models import cnn

FILE = "model_full_int8.tflite"
CLASSIFIER = {"task": "classification", "activation": "softmax"}
WEIGHTS_AND_SHAPES = {"INT32"}  # biases, and sizes of reshapes


@pytest.fixture(scope="module")
def trained(digits):
    images, labels = digits
    keras.utils.set_random_seed(0)
    model = cnn(image_size=8, channels=1, num_classes=10)
    model.compile(keras.optimizers.Adam(3e-3), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(images[300:].astype("float32"), labels[300:], epochs=3, verbose=0)
    return model


@pytest.fixture(scope="module")
def exported(trained, digits, names, tmp_path_factory):
    folder = tmp_path_factory.mktemp("int8")
    images, labels = digits
    (row,) = export_model(
        trained,
        folder,
        inputs=images[:300],
        labels=labels[:300],
        label_names=names,
        variants="full_int8",
        calibration=images[300:],
        input_dtype="int8",
        max_drop=1,
        **CLASSIFIER,
    )
    return folder / FILE, row


def test_every_operator_of_a_cnn_is_int8(exported):
    kinds = {operator.kind: operator.types for operator in found_operators(exported[0])}
    assert all(types - WEIGHTS_AND_SHAPES == {"INT8"} for types in kinds.values()), kinds
    assert "SOFTMAX" in kinds


@pytest.mark.slow
def test_every_operator_of_a_vision_transformer_is_int8(model, digits, tmp_path):
    images = digits[0][:64]
    export_model(
        model,
        tmp_path,
        inputs=images,
        variants="full_int8",
        calibration=images,
        input_dtype="int8",
        max_drop=100,
    )
    kinds = {operator.kind: operator.types for operator in found_operators(tmp_path / FILE)}
    assert all(types - WEIGHTS_AND_SHAPES == {"INT8"} for types in kinds.values()), kinds


def test_a_pixel_is_its_number_less_128_and_probabilities_have_steps_of_a_256th(exported):
    path, row = exported
    assert row["input_dtype"] == "int8" and row["agreement"] > 0.98
    (image,), (row_of_classes,) = (getattr(read_description(path), name) for name in ("inputs", "outputs"))
    assert (image.dtype, image.shape, image.scale, image.zero_point) == ("int8", (8, 8, 1), 1, -128)
    assert (row_of_classes.dtype, row_of_classes.scale, row_of_classes.zero_point) == ("int8", 1 / 256, -128)
    recorded = json.loads((path.parent / "export.json").read_text())["model"]["inputs"]
    assert (recorded[0]["scale"], recorded[0]["zero_point"]) == (1, -128)


def test_what_a_microcontroller_computes_with_the_description_is_what_the_predictor_returns(
    exported, held_out
):
    """The plain interpreter on int8, as an app has it."""
    from ai_edge_litert.interpreter import Interpreter

    path, _ = exported
    (image,), (output,) = (getattr(read_description(path), name) for name in ("inputs", "outputs"))
    interpreter = Interpreter(str(path))
    interpreter.allocate_tensors()
    rows = []
    for pixels in held_out[0][:20]:
        numbers = np.rint(pixels / image.scale).astype("int32") + image.zero_point
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], numbers[None].astype("int8"))
        interpreter.invoke()
        numbers = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0].astype("float32")
        rows.append((numbers - output.zero_point) * output.scale)
    np.testing.assert_allclose(load_predictor(path).probabilities(held_out[0][:20]), rows, atol=1e-6)


def test_predict_and_benchmark_take_the_file(exported, held_out, tmp_path, capsys):
    from PIL import Image

    Image.fromarray(held_out[0][7, ..., 0]).save(tmp_path / "digit.png")
    assert main(["predict", str(exported[0]), str(tmp_path / "digit.png")]) == 0
    assert f"digit {held_out[1][7]}" in capsys.readouterr().out
    (row,) = benchmark([exported[0]], rounds=2)
    assert row["inputs"][0]["dtype"] == "INT8"


@pytest.mark.slow
def test_several_inputs_of_numbers_are_int8_and_whole_numbers_stay(tmp_path):
    steps, token = keras.Input((6, 4), name="steps"), keras.Input((1,), name="token", dtype="int32")
    x = keras.layers.Flatten()(keras.layers.Conv1D(8, 3, activation="relu")(steps))
    y = keras.layers.Flatten()(keras.layers.Embedding(5, 8)(token))
    model = keras.Model(
        [steps, token], keras.layers.Dense(2, name="price")(keras.layers.Concatenate()([x, y]))
    )
    rng = np.random.default_rng(0)
    inputs = {"steps": rng.normal(size=(64, 6, 4)), "token": rng.integers(0, 5, (64, 1))}
    export_model(model, tmp_path, inputs=inputs, variants="full_int8", calibration=inputs, input_dtype="int8")
    predictor = load_predictor(tmp_path / FILE)
    assert [t.dtype for t in predictor.description.inputs] == ["int8", "int32"]
    expected = model.predict(inputs, verbose=0)
    error = predictor.outputs(inputs)["price"] - expected
    assert np.sqrt(np.mean(error**2)) < 0.05 * expected.std()


@pytest.mark.parametrize("variants", ["fp32", "auto", ("full_int8", "mixed_int8"), "savedmodel"])
def test_other_variants_are_refused(trained, digits, tmp_path, variants):
    with pytest.raises(InputError, match="Expected full_int8 with an int8 input"):
        export_model(
            trained,
            tmp_path / "x",
            inputs=digits[0][:64],
            calibration=digits[0][:64],
            variants=variants,
            input_dtype="int8",
        )
    assert not (tmp_path / "x").exists()


def found_operators(path):
    return operators(read_graph(path.read_bytes()))
