"""A SavedModel in TensorFlow Serving's layout, called by TensorFlow's own tools without keras_vit."""

import json
import subprocess
import sys

import keras
import numpy as np
import pytest

from keras_vit.export import export_model

TOLERANCE = 1e-5
# What `saved_model_cli` runs: the package installs it as a script only.
CLI = "import sys; from tensorflow.python.tools.saved_model_cli import main; sys.exit(main())"
CLIENT = """
import json, sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "keras_vit":
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Absent())
import numpy as np
import tensorflow as tf
served = tf.saved_model.load(sys.argv[1])
given = {name: tf.constant(value) for name, value in np.load(sys.argv[2]).items()}
found = served.signatures["serving_default"](**given)
print(json.dumps({name: value.numpy().tolist() for name, value in found.items()}))
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """The folder of one version of a model, its inputs, and what the model returns for them."""
    keras.utils.set_random_seed(0)
    table, text = keras.Input((4,), name="table"), keras.Input((None,), dtype="int32", name="text")
    read = keras.layers.GRU(5)(keras.layers.Embedding(9, 3)(text))
    x = keras.layers.Concatenate()([table, read])
    outputs = {"kind": keras.layers.Dense(3, "softmax")(x), "age": keras.layers.Dense(1)(x)}
    model = keras.Model({"table": table, "text": text}, outputs)
    random = np.random.default_rng(0)
    inputs = {"table": random.normal(size=(6, 4)).astype("float32"), "text": random.integers(0, 9, (6, 7))}
    inputs["text"] = inputs["text"].astype("int32")
    out = tmp_path_factory.mktemp("serving")
    export_model(model, out, inputs=inputs, variants="savedmodel")
    version = out / "kinds" / "1"
    version.parent.mkdir()
    (out / "saved_model").rename(version)
    longer = inputs | {"text": random.integers(0, 9, (6, 11)).astype("int32")}  # its length is open
    return version, longer, model.predict(longer, verbose=0)


def test_plain_tensorflow_in_another_process_gets_the_outputs_by_name(served, tmp_path):
    version, inputs, expected = served
    np.savez(tmp_path / "given.npz", **inputs)
    done = subprocess.run(
        [sys.executable, "-c", CLIENT, version, tmp_path / "given.npz"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, atol=TOLERANCE)


@pytest.mark.slow
def test_saved_model_cli_runs_the_signature_by_its_names(served, tmp_path):
    version, inputs, expected = served
    given = []
    for name, array in inputs.items():
        np.save(tmp_path / f"{name}.npy", array)
        given.append(f"{name}={tmp_path / name}.npy")
    command = ["run", "--dir", version, "--tag_set", "serve", "--signature_def", "serving_default"]
    options = ["--inputs", ";".join(given), "--outdir", tmp_path / "out", "--overwrite"]
    done = subprocess.run(
        [sys.executable, "-c", CLI, *map(str, command + options)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    for name, values in expected.items():
        np.testing.assert_allclose(np.load(tmp_path / "out" / f"{name}.npy"), values, atol=TOLERANCE)
