"""The doctor reports of real models what the converter and the interpreter do."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_vit import InputError
from keras_vit.__main__ import main
from keras_vit.export.doctor.examine import examine as examine_in_processes
from keras_vit.models import char_rnn, char_seq2seq, vit

layers = keras.layers


def sequential(*stack):
    return keras.Sequential(list(stack))


def cnn(size=(16, 16, 3), *last):
    return sequential(
        keras.Input(size),
        layers.Conv2D(4, 3, activation="relu", name="edges"),
        layers.BatchNormalization(),
        layers.GlobalAveragePooling2D(),
        layers.Dense(3, name="classes"),
        *last,
    )


def by_target(findings):
    return {finding.target: finding for finding in findings}


LOGITS_OF_CLASSES = {"task": "classification", "activation": "softmax"}


def test_the_only_obstacle_of_a_cnn_or_vision_transformer_is_the_edge_tpu(examine):
    assert examine(cnn(), **LOGITS_OF_CLASSES) == []
    found = examine(vit("Pico/4", num_layers=1, num_classes=3), **LOGITS_OF_CLASSES)
    assert [finding.target for finding in found] == ["EdgeTPU"]
    assert "encoder/block_0/attention" in found[0].layer
    assert "BATCH_MATMUL" in found[0].reason and "GELU" in found[0].reason


def test_channels_that_no_photo_has_are_reported_of_an_exported_file_too(examine):
    (finding,) = examine(cnn((16, 16, 4)), **LOGITS_OF_CLASSES)
    assert finding.target == "MediaPipe" and "an input of 4 channels" in finding.reason
    assert "LiteRT itself" in finding.fix


@pytest.mark.parametrize("as_is", [True, False])
def test_logits_at_the_end_are_reported_unless_it_is_declared_what_they_are(examine, as_is):
    (finding,) = examine(cnn(), as_is=as_is)
    assert finding.target == "MediaPipe" and finding.layer == "classes" and "softmax" in finding.reason
    assert "--task classification --activation softmax" in finding.fix
    for function in ("softmax", "sigmoid"):
        assert examine(cnn((16, 16, 3), layers.Activation(function)), as_is=as_is) == []


def test_open_sizes_are_reported_and_those_of_given_inputs_are_the_files(examine):
    found = by_target(examine(cnn((None, None, 3))))
    assert "(None, None, None, 3)" in found["shapes"].reason
    assert "keras.Input" in found["shapes"].fix and "--shape" in found["shapes"].fix
    assert "failed to prepare" in found["runtime"].reason  # LiteRT's own words
    sized = np.zeros((2, 16, 16, 3), "float32")
    assert examine(cnn((None, None, 3)), inputs=sized, **LOGITS_OF_CLASSES) == []


def test_a_selection_of_unknown_size_is_reported_with_its_layer(examine):
    class Brightest(layers.Layer):
        def call(self, x):
            return tf.reduce_sum(tf.boolean_mask(x, x[:, 0] > 0), axis=0, keepdims=True)

        def compute_output_shape(self, shape):
            return shape

    found = by_target(examine(sequential(keras.Input((4,)), Brightest(name="brightest"), layers.Dense(2))))
    assert "brightest" in found["shapes"].layer


def test_an_operator_that_only_tensorflow_has_is_reported_with_its_layer_and_a_fix(examine):
    model = sequential(
        keras.Input((20, 20, 3)),
        layers.Resizing(16, 16, interpolation="bicubic", name="shrink"),
        layers.GlobalAveragePooling2D(),
        layers.Dense(3),
    )
    for as_is in (False, True):
        finding = by_target(examine(model, as_is=as_is))["Flex"]
        assert finding.layer == "shrink" and "FlexResizeBicubic" in finding.reason
        assert "bilinear" in finding.fix
    fixed = sequential(keras.Input((20, 20, 3)), layers.Resizing(16, 16, name="shrink"), *model.layers[1:])
    assert "Flex" not in by_target(examine(fixed))


def test_a_refusal_of_the_converter_is_reported_in_its_words(examine):
    model = sequential(keras.Input((20, 20, 3)), layers.Resizing(16, 16, antialias=True, name="shrink"))
    found = by_target(examine(model))
    assert "ScaleAndTranslate" in found["converter"].reason


def test_a_recurrent_layer_is_a_loop_for_every_target(examine):
    model = sequential(keras.Input((5, 8)), layers.LSTM(4, name="memory"), layers.Dense(3))
    found = by_target(examine(model))
    for target in ("int8", "XNNPACK", "GPU", "NPU", "EdgeTPU"):
        assert found[target].layer == "memory", target
    assert "state" in found["int8"].fix


def test_a_character_model_is_examined_in_the_step_that_export_writes(examine):
    model = char_rnn("gru", vocabulary_size=9, hidden_dim=8, num_layers=2)
    found = examine(model)
    assert [(finding.target, finding.layer) for finding in found] == [
        ("XNNPACK", "one_hot"),
        ("NPU", "one_hot"),
        ("EdgeTPU", "one_hot"),
    ]
    assert "1 GATHER" in found[0].reason and "token ids" in found[0].fix
    assert "MediaTek" in found[1].reason and "Qualcomm, Google Tensor" in found[1].fix
    assert {"shapes", "int8", "NPU", "MediaPipe"} <= {f.target for f in examine(model, as_is=True)}
    tokens = keras.Input((5,), dtype="int32")
    x = layers.LayerNormalization()(layers.GRU(4, return_sequences=True)(layers.Embedding(9, 4)(tokens)))
    other = keras.Model(tokens, layers.Dense(9)(x))  # not a model that export accepts
    assert "int8" in by_target(examine(other))


def test_a_model_of_pairs_is_examined_in_the_step_that_export_writes(examine):
    sizes = {"vocabulary_size": 9, "hidden_dim": 8, "embedding_dim": 4}
    found = examine(char_seq2seq(source_length=5, target_length=3, **sizes))
    assert [(finding.target, finding.layer) for finding in found] == [
        ("XNNPACK", "target_embedding"),
        ("NPU", "target_embedding"),
        ("EdgeTPU", "target_embedding"),
    ]


def test_operators_with_one_fix_are_one_finding(examine):
    model = sequential(keras.Input((5, 8)), layers.LSTM(4, name="memory"), layers.Dense(3))
    fixes = [(finding.target, finding.fix) for finding in examine(model)]
    assert len(fixes) == len(set(fixes))


def test_mixed_precision_is_reported_and_fixed_by_export(examine):
    keras.config.set_dtype_policy("mixed_float16")
    model = cnn()
    keras.config.set_dtype_policy("float32")
    (finding,) = examine(model, **LOGITS_OF_CLASSES)
    assert finding.target == "precision" and "edges" in finding.layer and "float16" in finding.reason
    assert "keras-vit export" in finding.fix
    assert "float32" in by_target(examine(model, as_is=True))["precision"].fix


def test_the_operators_outside_the_delegate_are_those_that_the_interpreter_shows(examine):
    class Indexed(layers.Layer):
        def call(self, x):
            first, *_ = tf.unstack(x, axis=1)
            return first

        def compute_output_shape(self, shape):
            return (shape[0], shape[2])

    model = sequential(keras.Input((4, 8)), layers.Dense(8), Indexed(name="first"), layers.Dense(2))
    finding = by_target(examine(model))["XNNPACK"]
    assert finding.layer == "first" and "1 UNPACK" in finding.reason and "ops.slice" in finding.fix


class Own(layers.Layer):
    """A layer that calls a function."""

    def __init__(self, function):
        super().__init__(name="own")
        self.function = function

    def call(self, x):
        return self.function(x)


GPU_CASES = {  # function, operator, word of the reason, word of the fix
    "five axes": (lambda x: 2.0 * tf.reshape(x, (-1, 2, 2, 4, 8)), "RESHAPE", "4 axes", "reshape"),
    "split": (lambda x: 2.0 * tf.split(x, 4, axis=1)[1], "SPLIT", "wrong parts", "slice"),
    "an index": (lambda x: x[:, 0], "STRIDED_SLICE", "removes an axis", "slice"),
    "a broadcast": (
        lambda x: tf.raw_ops.BroadcastTo(input=tf.reduce_mean(x, 1, keepdims=True), shape=(1, 4, 4, 8)),
        "BROADCAST_TO", "everything from there on", "operations that it runs",
    ),
    "groups": (
        lambda x: tf.nn.conv2d(x, np.ones((3, 3, 4, 6), "float32"), 1, "SAME"),
        "CONV_2D", "in groups wrongly", "depthwise",
    ),
    "two axes and three": (
        lambda x: tf.reduce_mean(x, (0, 1)) + tf.constant(np.ones((1, 4, 8), "float32")),
        "ADD", "aligns inputs", "batch as an axis",
    ),
    "one tensor twice": (lambda x: tf.matmul(x, x, transpose_b=True), "BATCH_MATMUL", "ends", "by 2"),
}  # fmt: skip


@pytest.mark.parametrize("name", GPU_CASES)
def test_what_a_gpu_refuses_or_computes_wrongly_is_reported(examine, name):
    function, operator, reason, fix = GPU_CASES[name]
    model = sequential(keras.Input((4, 4, 8)), Own(function), layers.Flatten(), layers.Dense(2))
    found = [f for f in examine(model) if f.target == "GPU"]
    assert any(operator in f.reason and reason in f.reason and fix in f.fix for f in found), found
    assert all("own" in f.layer for f in found)


def test_a_sum_that_is_an_output_and_is_averaged_is_reported_until_it_is_returned_flat(examine):
    images = keras.Input((4, 4, 8))
    features = layers.Add(name="features")([layers.Conv2D(8, 1)(images), images])
    pooled = layers.GlobalAveragePooling2D()(features)
    (found,) = [f for f in examine(keras.Model(images, [features, pooled])) if f.target == "GPU"]
    assert found.layer == "features" and "ADD" in found.reason and "flat" in found.fix
    fixed = keras.Model(images, [layers.Flatten()(features), pooled])
    assert not [f for f in examine(fixed) if f.target == "GPU"]


def test_an_output_that_is_an_input_is_none_on_a_gpu(examine):
    photo = keras.Input((8, 8, 3), name="photo")
    scores = keras.layers.Dense(4)(keras.layers.Flatten()(photo))
    findings = examine(keras.Model(photo, {"same": photo, "scores": scores}))
    (found,) = [f for f in findings if f.target == "GPU"]
    assert "the output same is the input photo" in found.reason
    assert "leave this output out" in found.fix


def test_channels_that_scale_an_image_are_no_obstacle_to_a_gpu(examine):
    images = keras.Input((4, 4, 8))
    gates = layers.Dense(8, "sigmoid")(layers.GlobalAveragePooling2D()(images))
    scaled = layers.Multiply()([images, layers.Reshape((1, 1, 8))(gates)])  # the file has no such reshape
    model = keras.Model(images, layers.GlobalMaxPooling2D()(scaled))
    assert not [f for f in examine(model) if f.target == "GPU"]


def test_operators_of_activations_tables_and_norms_are_reported_with_their_layers(examine):
    ids = keras.Input((5,), dtype="int32")
    vectors = layers.Embedding(9, 4, name="table")(ids)
    x = layers.Dense(4, "selu", name="gates")(layers.Flatten()(vectors))
    norm = layers.UnitNormalization(name="unit")
    model = keras.Model(ids, keras.ops.log_softmax(norm(x), axis=-1))
    found = [finding.layer for finding in examine(model) if finding.target == "XNNPACK"]
    assert set(", ".join(found).split(", ")) == {"table", "gates", "unit", "log_softmax"}


def test_mediapipe_refuses_several_inputs_grey_images_and_images_as_output(examine):
    one, two = keras.Input((4,)), keras.Input((4,))
    model = keras.Model([one, two], layers.Dense(2)(layers.Concatenate()([one, two])))
    assert "(1, 4), (1, 4)" in by_target(examine(model))["MediaPipe"].reason
    grey = cnn((16, 16, 1), layers.Softmax())
    assert "1 channel" in by_target(examine(grey))["MediaPipe"].reason
    assert "--task classification" in by_target(examine(grey))["MediaPipe"].fix
    assert examine(grey, task="classification") == []  # the file takes RGB
    mask = sequential(keras.Input((8, 8, 3)), layers.Conv2D(2, 1, name="mask"))
    assert "(1, 8, 8, 2)" in by_target(examine(mask))["MediaPipe"].reason


def test_a_lambda_is_code(examine):
    model = sequential(
        keras.Input((8, 8, 3)), layers.Lambda(lambda x: x / 255, name="scale"), layers.Flatten()
    )
    assert by_target(examine(model, as_is=True))["saving"].layer.endswith("scale")
    model.add(layers.Dense(3))
    assert by_target(examine(model))["saving"].layer.endswith("scale")


def test_trained_or_not_makes_no_difference(examine):
    model = cnn((16, 16, 1))
    before = examine(model, as_is=True)
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(np.ones((4, 16, 16, 1)), np.zeros(4), verbose=0)
    assert before and examine(model, as_is=True) == before


def test_the_command_examines_a_file_and_a_function(examine, tmp_path, monkeypatch, capsys):
    cnn((16, 16, 1)).save(tmp_path / "grey.keras")
    report = tmp_path / "findings.json"
    words = ["doctor", str(tmp_path / "grey.keras"), "--as-is"]
    assert main([*words, "--json", str(report)]) == 0
    assert main([*words, "--strict"]) == 1
    assert "2 findings" in capsys.readouterr().out
    assert json.loads(report.read_text())[0]["target"] == "MediaPipe"
    (tmp_path / "doctors_model.py").write_text(
        "import keras\n\n\ndef build():\n"
        "    stack = [keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(2)]\n"
        "    return keras.Sequential(stack)\n"
    )
    monkeypatch.chdir(tmp_path)
    words = ["doctor", "doctors_model:build", "--strict"]
    assert main([*words, "--task", "classification", "--activation", "softmax"]) == 0
    assert "no findings" in capsys.readouterr().out
    assert main(words) == 1
    assert "--activation" in capsys.readouterr().out


def test_a_json_path_that_cannot_be_written_is_refused_before_anything_is_converted(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr("keras_vit.export.doctor.examine.examine", None)  # fails if it is called
    path = tmp_path / "grey.keras"
    cnn((16, 16, 1)).save(path)
    before = path.read_bytes()
    for place in (tmp_path, path / "findings.json", path):
        assert main(["doctor", str(path), "--json", str(place)]) == 2
        assert len(capsys.readouterr().err.strip().splitlines()) == 1
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nothing", "Expected a run folder"),
        ("nothing.keras", "Expected a .keras model file"),
        ("no_module:build", "No module no_module here"),
        ("os.path:nothing", "defines no nothing"),
        ("os:getcwd", "to return a keras.Model, received a str"),
        ("keras:Model", "whose input shapes are not known"),
        ("runs/none", "No file or folder runs/none here"),
    ],
)
def test_anything_but_a_model_is_refused_in_one_line(name, message, capsys, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)  # it retries for half a minute
    assert main(["doctor", name]) == 2
    error = capsys.readouterr().err
    assert message in error and len(error.strip().splitlines()) == 1


class TwoTowers(keras.Model):
    """A subclass of two inputs and two outputs."""

    def __init__(self):
        super().__init__(name="towers")
        self.image, self.both = layers.Dense(4, name="image"), layers.Dense(2, name="both")

    def call(self, inputs):
        x = self.image(keras.ops.mean(inputs["image"], axis=(1, 2)))
        both = self.both(keras.ops.concatenate([x, inputs["facts"]], axis=-1))
        return {"score": keras.ops.sigmoid(both), "image": x}


def test_a_subclass_is_examined_with_inputs_or_with_the_shapes_that_it_was_built_with(examine):
    inputs = {"image": np.zeros((1, 8, 8, 3), "float32"), "facts": np.zeros((1, 5), "float32")}
    (finding,) = examine(TwoTowers(), inputs=inputs)
    assert finding.target == "MediaPipe" and "(1, 5)" in finding.reason and "LiteRT" in finding.fix

    class Plain(keras.Model):
        def __init__(self):
            super().__init__(name="plain")
            self.dense = layers.Dense(3, activation="relu")

        def call(self, x):
            return self.dense(x)

    with pytest.raises(InputError, match="input shapes are not known"):
        examine(Plain())
    model = Plain()
    model(np.zeros((2, 6), "float32"))
    assert [finding.target for finding in examine(model)] == ["MediaPipe"]
    with pytest.raises(InputError, match="Leave out as_is"):
        examine(model, as_is=True)


def test_the_command_gives_shapes_and_imports_layers_first(examine, tmp_path, monkeypatch, capsys):
    (tmp_path / "doctors_layers.py").write_text(
        "import keras\n\n\n@keras.saving.register_keras_serializable('doctors')\n"
        "class Twice(keras.layers.Layer):\n    def call(self, x):\n        return 2 * x\n"
    )
    monkeypatch.chdir(tmp_path)
    from keras_vit.importing import import_module

    images = keras.Input((None, None, 3))
    x = import_module("doctors_layers").Twice()(images)
    model = keras.Model(images, layers.Dense(2, "softmax")(layers.GlobalAveragePooling2D()(x)))
    model.save("twice.keras")
    monkeypatch.delitem(sys.modules, "doctors_layers")
    keras.saving.get_custom_objects().pop("doctors>Twice")
    assert main(["doctor", "twice.keras", "--shape", "1,8,8,3"]) == 2
    assert "--import MODULE" in capsys.readouterr().err
    assert main(["doctor", "twice.keras", "--import", "nowhere.py"]) == 2
    assert "Expected a Python file at" in capsys.readouterr().err
    words = ["doctor", "twice.keras", "--import", "doctors_layers"]
    assert main([*words, "--shape", "1,8,8,3", "--strict"]) == 0
    assert main([*words, "--shape", "1,8,8,4"]) == 2
    assert "received (1, 8, 8, 4)" in capsys.readouterr().err


@pytest.mark.parametrize("shape", [(), (None,)])
@pytest.mark.parametrize("as_is", [True, False])
def test_strings_are_refused_as_by_an_export(examine, shape, as_is):
    words = keras.Input(shape, dtype="string", name="words")
    tokens = layers.TextVectorization(vocabulary=["a"], output_sequence_length=4)(words)
    model = keras.Model(words, layers.Dense(2)(layers.Embedding(3, 2)(tokens)))
    with pytest.raises(InputError, match="'words' takes strings, which no phone's runtime reads. Export the"):
        examine(model, as_is=as_is)


@pytest.mark.parametrize("command", ["doctor", "benchmark"])
def test_a_model_that_takes_strings_is_refused_in_one_line(command, tmp_path, capsys):
    words = keras.Input((), dtype="string", name="words")
    tokens = layers.TextVectorization(vocabulary=["a"], output_sequence_length=4)(words)
    keras.Model(words, layers.Embedding(3, 2)(tokens)).save(tmp_path / "words.keras")
    assert main([command, str(tmp_path / "words.keras")]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert line.startswith("keras-vit: 'words' takes strings, which no phone's runtime reads.")


def test_another_backend_is_refused_before_the_model_is_examined(monkeypatch):
    model = cnn()
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(InputError, match="Expected KERAS_BACKEND=tensorflow"):
        examine_in_processes(model)


@pytest.mark.slow
def test_the_converter_runs_in_its_own_process():
    assert (
        by_target(examine_in_processes(sequential(keras.Input((5, 8)), layers.GRU(4, name="memory"))))[
            "int8"
        ].layer
        == "memory"
    )


FULL_INT8_OF_A_LOOP = """
import keras, numpy, sys, tensorflow as tf
from keras_vit.export.saved_model.write import save
model = keras.Sequential([keras.Input((5, 8)), keras.layers.LSTM(4)])
serve = tf.function(lambda x: {"state": model(x)}, input_signature=[tf.TensorSpec((1, 5, 8))])
save(model, sys.argv[1], {"serve": serve})
converter = tf.lite.TFLiteConverter.from_saved_model(sys.argv[1], signature_keys=["serve"])
converter.optimizations = [tf.lite.Optimize.DEFAULT]
steps = numpy.random.rand(1, 5, 8).astype("float32")
converter.representative_dataset = lambda: ([steps] for _ in range(4))
converter.convert()
"""


@pytest.mark.slow
def test_full_int8_of_a_loop_crashes_the_process(tmp_path):
    command = [sys.executable, "-c", FULL_INT8_OF_A_LOOP, str(tmp_path / "saved_model")]
    result = subprocess.run(command, capture_output=True, cwd=Path(__file__).parents[3])
    assert result.returncode == -signal.SIGSEGV, result.stderr
