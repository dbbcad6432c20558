"""Quantised files of a small CNN and a small Vision Transformer, made by the real quantiser."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from keras_vit import ConditionError
from keras_vit.export.prediction.tflite import tflite_predictor
from keras_vit.export.tflite.graph import operators as graph_operators
from keras_vit.export.tflite.graph import read_graph
from keras_vit.export.tflite.writer import TfliteWriter
from keras_vit.export.variants import VARIANTS, Rule
from keras_vit.export.workers.delegation import delegation
from keras_vit.export.workers.quantize import quantized
from keras_vit.models import levit, repvit, resnet, vit

layers = keras.layers


@pytest.fixture(scope="module")
def cnn_model(digits):
    images, labels = digits
    keras.utils.set_random_seed(0)
    stack = [
        keras.Input((8, 8, 1)),
        layers.Rescaling(1 / 255),
        layers.Conv2D(8, 3, padding="same", use_bias=False, name="first"),
        layers.BatchNormalization(),
        layers.ReLU(),
        layers.Conv2D(16, 3, strides=2, name="second"),
        layers.ReLU(),
        layers.Flatten(),
        layers.Dense(10, name="head"),
    ]
    model = keras.Sequential(stack)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.AdamW(5e-3), loss)
    model.fit(images[300:].astype("float32"), labels[300:], batch_size=64, epochs=3, verbose=0)
    return model


@pytest.fixture(scope="module")
def cnn(cnn_model, photo_form):
    return photo_form(cnn_model)


@pytest.fixture(scope="module")
def of_cnn(cnn, digits, tmp_path_factory):
    with writer_of(cnn, digits[0][300:], tmp_path_factory.mktemp("cnn")) as writer:
        yield writer


@pytest.fixture(scope="module")
def of_vit(model, photo_form, digits, tmp_path_factory):
    with writer_of(photo_form(model), digits[0][300:], tmp_path_factory.mktemp("vit")) as writer:
        yield writer


def writer_of(form, images, folder):
    return TfliteWriter(form, {form.inputs[0].name: images}, folder)


def agreement(writer, path, images):
    (image,) = writer.form.inputs
    expected = writer.form.function.predict({image.name: images})["probabilities"]
    answers = tflite_predictor(path).probabilities(np.repeat(images, 3, axis=-1))
    return np.mean(answers.argmax(axis=1) == expected.argmax(axis=1))


def tensor_types(path):
    return {tensor["name"]: tensor["dtype"] for tensor in Interpreter(str(path)).get_tensor_details()}


def operators(path):
    names = [o["op_name"] for o in Interpreter(str(path))._get_ops_details()]
    return [name for name in names if name != "DELEGATE"]


@pytest.mark.slow
@pytest.mark.parametrize("variant", ["full_int8", "int16x8"])
def test_a_cnn_computes_in_integers_and_answers_as_before(variant, of_cnn, digits, tmp_path):
    path = tmp_path / "m.tflite"
    of_cnn.write(variant, path)
    assert agreement(of_cnn, path, digits[0][:300]) >= 0.98
    found = operators(path)
    assert found[0] == "QUANTIZE" and found[-1] == "DEQUANTIZE"
    # Normalisation and scaling went into the convolutions; the one product makes RGB grey.
    assert "ADD" not in found and found.count("MUL") == 1
    floats = [name for name, kind in tensor_types(path).items() if kind is np.float32]
    assert len(floats) == 2  # the image and the probabilities


@pytest.fixture(scope="module")
def of_resnet(digits, photo_form, tmp_path_factory):
    form = photo_form(resnet("20", image_size=8, channels=1, num_classes=10))
    with writer_of(form, digits[0][300:], tmp_path_factory.mktemp("resnet")) as writer:
        yield writer


@pytest.mark.slow
@pytest.mark.parametrize("variant", ["fp32", "dynamic_int8", "full_int8"])
def test_a_shortcut_without_weights_stays_with_the_delegate(variant, of_resnet, tmp_path):
    path = tmp_path / "m.tflite"
    of_resnet.write(variant, path)
    content = path.read_bytes()
    _, left = delegation(content, graph_operators(read_graph(content)))
    # XNNPACK has no softmax in integers.
    assert [operator.kind for operator in left] == (["SOFTMAX"] if variant == "full_int8" else [])


@pytest.mark.slow
@pytest.mark.parametrize("model", [levit, repvit])
def test_mobile_models_stay_with_the_delegate(model, digits, photo_form, tmp_path):
    form = photo_form(model("Pico", image_size=8, channels=1, num_classes=10))
    with writer_of(form, digits[0][300:], tmp_path) as writer:
        for variant in ("fp32", "fp16", "dynamic_int8"):
            writer.write(variant, tmp_path / "m.tflite")
            content = (tmp_path / "m.tflite").read_bytes()
            partitions, left = delegation(content, graph_operators(read_graph(content)))
            assert (partitions, left) == (1, [])
            tensors = Interpreter(model_content=content).get_tensor_details()
            assert max(len(tensor["shape"]) for tensor in tensors) == 4


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["merger", "pooling"])
def test_fewer_tokens_stay_in_one_partition_of_the_delegate(kind, photo_form, digits, tmp_path):
    fields = {"num_layers": 2, "channels": 1, "num_classes": 10, "token_reduction": kind}
    model = vit("Pico/2", **fields, num_merged_tokens=4 if kind == "merger" else None)
    with writer_of(photo_form(model), digits[0][300:310], tmp_path) as writer:
        writer.write("fp32", tmp_path / "m.tflite")
    content = (tmp_path / "m.tflite").read_bytes()
    assert delegation(content, graph_operators(read_graph(content))) == (1, [])


@pytest.mark.slow
def test_mixed_int8_quantises_matrix_products_alone(of_vit, digits, tmp_path):
    path = tmp_path / "m.tflite"
    of_vit.write("mixed_int8", path)
    assert agreement(of_vit, path, digits[0][:300]) >= 0.98
    types = tensor_types(path)
    assert {kind for name, kind in types.items() if name.endswith(("Softmax", "Rsqrt"))} == {np.float32}
    # Static where the range of inputs is stable: a QUANTIZE comes before the product.
    assert operators(path).count("QUANTIZE") >= 2 * 3
    assert np.int8 in types.values()


def test_an_operator_is_left_in_float_by_its_whole_name():
    """TensorFlow numbers names that repeat: "add_1" starts with "add"."""
    weights = np.random.default_rng(0).normal(size=(2, 64, 64)).astype("float32")

    @tf.function(input_signature=[tf.TensorSpec((1, 64), tf.float32)])
    def products(x):
        return tf.matmul(tf.nn.relu(tf.matmul(x, weights[0])), weights[1])

    converter = tf.lite.TFLiteConverter.from_concrete_functions([products.get_concrete_function()], products)
    content = converter.convert()
    first, _ = graph_operators(read_graph(content))
    for name, in_float in ((first.name, True), (first.name[:-1], False)):
        left = quantized(content, VARIANTS["dynamic_int8"].rules, None, [Rule("*", 0, names=name)])
        first_types, second_types = (found.types for found in graph_operators(read_graph(left)))
        assert ("INT8" not in first_types) == in_float and "INT8" in second_types


@pytest.mark.slow
def test_int4_is_smaller_than_int8(of_vit, tmp_path):
    for variant in ("dynamic_int8", "int4"):
        of_vit.write(variant, tmp_path / variant)
    assert (tmp_path / "int4").stat().st_size < 0.8 * (tmp_path / "dynamic_int8").stat().st_size


@pytest.mark.slow
def test_the_layer_that_costs_most_is_named_and_can_be_left_in_float(cnn_model, photo_form, digits, tmp_path):
    """One channel of a kernel is made so large that the others, scaled with it, round to nothing."""
    spoilt = keras.models.clone_model(cnn_model)
    spoilt.set_weights(cnn_model.get_weights())
    second = spoilt.get_layer("second")
    kernel, bias = second.get_weights()
    kernel[..., 0], bias[0] = 3000 * kernel[..., 0], 0
    second.set_weights([kernel, bias])
    head = spoilt.get_layer("head")  # its input now has one range for channels of very different size
    kernel = head.kernel.numpy().reshape(-1, 16, 10)
    kernel[:, 0] = 0
    head.kernel.assign(kernel.reshape(-1, 10))
    with writer_of(photo_form(spoilt), digits[0][300:], tmp_path) as writer:
        rows = writer.sensitivity("full_int8")
        assert rows[0]["error"] > 10 * rows[-1]["error"]
        assert rows[0]["error"] >= rows[1]["error"]
        assert rows[0]["layer"].startswith(("second", "head", "flatten", "re_lu")), rows[0]
        writer.write("full_int8", tmp_path / "all.tflite")
        spared = [rule for row in rows if row["error"] > 0.01 for rule in row["spared"]]
        writer.write("full_int8", tmp_path / "some.tflite", spared)
        images = digits[0][:300]
        assert agreement(writer, tmp_path / "some.tflite", images) >= 0.98
        assert agreement(writer, tmp_path / "all.tflite", images) < 0.9


@pytest.mark.slow
def test_ranges_cover_the_rarest_image(of_cnn, digits, tmp_path):
    """A moving average would forget the one bright image among dark ones."""
    images = np.zeros_like(digits[0][:40])
    images[3] = 255
    found = []
    for some in (images, images[2:4]):
        with writer_of(of_cnn.form, some, tmp_path) as writer:
            found.append(writer.ranges)
    assert found[0] == found[1]
    assert [0.0, 255.0, 4] in found[0].values()


def test_a_crash_of_the_quantizer_is_an_error_and_leaves_no_file(of_cnn, tmp_path, instead_of_the_worker):
    crash = "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"
    instead_of_the_worker("keras_vit.export.tflite.writer", crash)
    with pytest.raises(ConditionError, match="its process was ended by SIGSEGV"):
        of_cnn.write("full_int8", tmp_path / "m.tflite")
    assert not (tmp_path / "m.tflite").exists()


@pytest.mark.slow
def test_nothing_temporary_stays(cnn, digits, tmp_path):
    with writer_of(cnn, digits[0][:40], tmp_path) as writer:
        writer._job("dynamic_int8")
        assert list(tmp_path.iterdir())
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_spared_dense_layers_of_a_static_variant_keep_int8_weights(of_vit, tmp_path):
    of_vit.write("mixed_int8", tmp_path / "all.tflite")
    static = static_layers(tmp_path / "all.tflite")
    spared = [rule._replace(names=static[0]) for rule in VARIANTS["mixed_int8"].spared]
    of_vit.write("mixed_int8", tmp_path / "some.tflite", spared)
    assert static_layers(tmp_path / "some.tflite") == static[1:]
    sizes = [(tmp_path / name).stat().st_size for name in ("all.tflite", "some.tflite")]
    assert sizes[1] == pytest.approx(sizes[0], rel=0.02)


def static_layers(path):
    """The names of dense layers whose output is int8."""
    model = read_graph(path.read_bytes())
    return [
        found.name
        for found in graph_operators(model)
        if found.kind == "FULLY_CONNECTED"
        and model.subgraphs[0].tensors[found.outputs[0]].type == schema.TensorType.INT8
    ]
