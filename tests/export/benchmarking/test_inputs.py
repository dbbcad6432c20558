"""Files of any inputs are measured; what is not known about them is asked for."""

import json

import pytest
import tensorflow as tf

from keras_vit import InputError
from keras_vit.__main__ import main
from keras_vit.export import benchmark
from keras_vit.export.benchmarking.measured_file import PlainRun
from keras_vit.export.benchmarking.parts import only
from keras_vit.export.tflite.graph import read_graph
from keras_vit.export.tflite.interpreter import open_interpreter

weights = tf.constant(1.0, shape=(8, 5))


def written(path, function, *specs, flex=False):
    traced = tf.function(function, input_signature=specs).get_concrete_function()
    converter = tf.lite.TFLiteConverter.from_concrete_functions([traced])
    if flex:
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS, tf.lite.OpsSet.SELECT_TF_OPS]
    path.write_bytes(converter.convert())
    return path


def spec(shape, dtype=tf.float32, name=None):
    return tf.TensorSpec(shape, dtype, name)


def flattened(image, extra):
    """As Keras's Flatten: the shape of the RESHAPE is computed in the file."""
    flat = tf.reshape(image, (tf.shape(image)[0], 4))
    return {"y": tf.concat([flat, extra], axis=1) @ weights}


def pooled(images):
    return {"y": tf.reduce_mean(tf.nn.relu(images) @ weights, axis=(1, 2))}


@pytest.fixture
def open_file(tmp_path):
    return written(tmp_path / "open.tflite", pooled, spec((None, None, None, 8), name="images"))


def test_a_file_of_two_inputs_is_measured_with_all_its_parts(tmp_path):
    file = written(
        tmp_path / "two.tflite", flattened, spec((None, 2, 2, 1), name="image"), spec((None, 4), name="extra")
    )
    (row,) = benchmark([file], rounds=2)
    assert row["inputs"] == [
        {"name": "image", "dtype": "FLOAT32", "shape": [1, 2, 2, 1]},
        {"name": "extra", "dtype": "FLOAT32", "shape": [1, 4]},
    ]
    alone = {operator["kind"]: operator["alone_ms"] for operator in row["operators"]}
    assert alone["RESHAPE"] > 0 and alone["FULLY_CONNECTED"] > 0 and None not in alone.values()


def test_a_part_reads_the_sizes_that_the_whole_computes(tmp_path):
    file = written(
        tmp_path / "two.tflite", flattened, spec((None, 2, 2, 1), name="image"), spec((None, 4), name="extra")
    )
    content = file.read_bytes()
    part = open_interpreter(only(read_graph(content), {"RESHAPE"}))
    PlainRun(content).copy_numbers(part)
    part.invoke()
    (output,) = part.get_output_details()
    assert part.get_tensor(output["index"]).shape == (1, 4)


@pytest.mark.parametrize(
    ("function", "specs"),
    [
        (lambda ids: {"y": tf.gather(weights, ids)}, [spec((1, 6), tf.int32)]),
        (lambda ids: {"y": tf.gather(weights, ids)}, [spec((1, 6), tf.int64)]),
        (lambda x: {"y": tf.reduce_mean(x @ weights, axis=1)}, [spec((1, 12, 8))]),
        (lambda k, on: {"y": k * tf.cast(on, tf.float32)}, [spec(()), spec((1, 3), tf.bool)]),
    ],
    ids=["token ids", "wide token ids", "a sequence", "a number and truth values"],
)
def test_inputs_of_any_kind_are_measured(function, specs, tmp_path):
    (row,) = benchmark([written(tmp_path / "model.tflite", function, *specs)], rounds=2)
    assert row["median_ms"] > 0 and len(row["inputs"]) == len(specs)


def test_open_sizes_are_asked_for_and_measured_as_given(open_file):
    with pytest.raises(InputError, match=r"open: \(\?, \?, \?, 8\).*--shape images=1,64,64,8"):
        benchmark([open_file])
    for shapes in ({"images": (2, 3, 4, 8)}, {"": (2, 3, 4, 8)}):
        (row,) = benchmark([open_file], rounds=2, shapes=shapes)
        assert row["inputs"][0]["shape"] == [2, 3, 4, 8]
    assert None not in [operator["alone_ms"] for operator in row["operators"]]
    small, large = (benchmark([open_file], rounds=5, shapes={"": (1, n, n, 8)})[0] for n in (2, 256))
    assert large["median_ms"] > 10 * small["median_ms"]  # 16,384 times the numbers


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        ({"images": (1, 4, 8)}, r"Expected 'images' of .* as \(\?, \?, \?, 8\), received \(1, 4, 8\)"),
        ({"images": (1, 4, 4, 3)}, r"received \(1, 4, 4, 3\)"),
        (
            {"photo": (1, 4, 4, 8), "images": (1, 4, 4, 8)},
            r"open \(images\), received \(1, 4, 4, 8\) for photo",
        ),
    ],
)
def test_shapes_that_do_not_fit_are_refused(shapes, message, open_file):
    with pytest.raises(InputError, match=message):
        benchmark([open_file], shapes=shapes)


def test_a_shape_for_a_file_of_fixed_sizes_is_refused(tmp_path):
    file = written(tmp_path / "fixed.tflite", lambda x: {"y": x @ weights}, spec((1, 8)))
    with pytest.raises(InputError, match=r"open \(none here\), received \(1, 8\) for the input"):
        benchmark([file], shapes={"": (1, 8)})


def test_strings_are_refused_in_one_line(tmp_path, capsys):
    file = written(
        tmp_path / "text.tflite", lambda x: {"y": tf.reshape(x, (1,))}, spec((1, 1), tf.string), flex=True
    )
    assert main(["benchmark", str(file)]) == 2
    error = capsys.readouterr().err
    assert "takes strings" in error and error.count("\n") == 1


def test_a_file_that_keeps_a_state_is_measured_by_each_signature(tmp_path):
    class Counting(tf.Module):
        def __init__(self):
            super().__init__()
            self.total = tf.Variable(tf.zeros((1, 8)))

        @tf.function(input_signature=[spec((1, 8), name="x")])
        def step(self, x):
            return {"y": self.total.assign_add(x) @ weights}

        @tf.function(input_signature=[spec((1, 8), name="x"), spec((1, 8), name="z")])
        def both(self, x, z):
            return {"y": tf.nn.relu(x * z) + self.total}

    module = Counting()
    tf.saved_model.save(module, tmp_path / "model", {"step": module.step, "both": module.both})
    converter = tf.lite.TFLiteConverter.from_saved_model(
        str(tmp_path / "model"), signature_keys=["step", "both"]
    )
    converter.experimental_enable_resource_variables = True
    (tmp_path / "state.tflite").write_bytes(converter.convert())
    names = {}
    for name in ("step", "both"):
        (row,) = benchmark([tmp_path / "state.tflite"], rounds=2, signature=name)
        names[name] = [entry["name"] for entry in row["inputs"]]
        assert row["median_ms"] > 0
    assert names == {"step": ["x"], "both": ["x", "z"]}


def test_the_command_takes_a_shape_and_shows_the_inputs(open_file, capsys):
    assert main(["benchmark", str(open_file), "--rounds", "5", "--shape", "images=1,4,4,8"]) == 0
    assert "inputs: images float32 1x4x4x8" in capsys.readouterr().out
    for words in ("images=1,x", "1,0,4,8", ""):
        with pytest.raises(SystemExit):
            main(["benchmark", str(open_file), "--shape", words])
        assert "expected sizes such as 1,64,64,3" in capsys.readouterr().err


def test_a_model_is_converted_first_and_measured_beside_files(open_file, tmp_path, monkeypatch, capsys):
    (tmp_path / "towers.py").write_text(
        "import keras\n\n\ndef build():\n"
        "    one, two = keras.Input((4,), name='one'), keras.Input((None, 3), name='two')\n"
        "    x = keras.layers.Concatenate()([one, keras.layers.GlobalAveragePooling1D()(two)])\n"
        "    return keras.Model([one, two], keras.layers.Dense(2)(x))\n"
    )
    monkeypatch.chdir(tmp_path)
    words = ["benchmark", "towers.py:build", "--rounds", "5", "--json", "figures.json"]
    assert main([*words, "--shape", "two=1,7,3"]) == 0
    shown = capsys.readouterr().out
    assert "towers.py:build: measured as a float32 TFLite file" in shown
    assert "one float32 1x4" in shown and "two float32 1x7x3" in shown
    assert json.loads((tmp_path / "figures.json").read_text())[0]["file"] == "towers.py:build"
    assert main(words) == 2
    assert "--shape two=1,64,3" in capsys.readouterr().err
    assert main(["benchmark", "towers.py:missing"]) == 2
    assert "defines no missing" in capsys.readouterr().err
