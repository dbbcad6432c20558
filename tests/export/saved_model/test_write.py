import io
import json
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from image_functions import function_of
from PIL import Image

from keras_vit import ConditionError
from keras_vit.export import export_model
from keras_vit.export.saved_model.write import write_saved_model
from keras_vit.models import cnn

# Runs without Keras and without this package, as a server would.
SERVER = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("keras_vit", "export"):
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Absent())
import json
import numpy as np
import tensorflow as tf
model = tf.saved_model.load(sys.argv[1])
given = np.load(sys.argv[2])
a = model.signatures["serving_default"](images=tf.constant(given["images"]))
b = model.signatures["serve_encoded"](encoded=tf.constant([bytes(x) for x in json.loads(sys.argv[3])]))
for answer in (a, b):
    print(json.dumps({
        "probabilities": answer["probabilities"].numpy().tolist(),
        "class_indices": answer["class_indices"].numpy().tolist(),
        "labels": [[x.decode() for x in row] for row in answer["labels"].numpy()],
    }))
"""


def test_no_image_signature_is_written_where_image_files_lack_the_channels(tmp_path):
    model = cnn("3x3", image_size=8, channels=4, num_classes=3, hidden_dim=8)
    images = np.zeros((2, 8, 8, 4), "uint8")
    export_model(
        model, tmp_path, inputs=images, task="classification", label_names=list("abc"), variants="savedmodel"
    )
    served = tf.saved_model.load(str(tmp_path / "saved_model"))
    assert set(served.signatures) == {"serving_default"}


@keras.saving.register_keras_serializable(package="tests")
class Refusing(keras.layers.Layer):
    def call(self, x):
        raise ValueError("no kernel for this size")

    def compute_output_spec(self, x):
        return keras.KerasTensor(x.shape)


def test_the_reason_of_a_layer_that_cannot_be_saved_is_repeated(tmp_path):
    stack = [keras.Input((4, 4, 3)), keras.layers.Flatten(), Refusing(), keras.layers.Dense(3)]
    with pytest.raises(ConditionError, match=r"model: Refusing.call\(\): no kernel for this size$"):
        write_saved_model(function_of(keras.Sequential(stack)), tmp_path / "saved")


def encoded(image, kind):
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, kind)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def photo_classifier(model, names, tmp_path_factory):
    """The folder of a SavedModel of digits, only to be read."""
    path, function = tmp_path_factory.mktemp("photos") / "saved", function_of(model)
    write_saved_model(function, path, pixels=True, photos=True, label_names=names, classes="probabilities")
    return path


@pytest.fixture(scope="module")
def served(photo_classifier):
    return tf.saved_model.load(str(photo_classifier))


def test_tensorflow_alone_serves_arrays_and_encoded_images(
    photo_classifier, model, held_out, names, probabilities_of, tmp_path
):
    images = held_out[0][:6]
    np.savez(tmp_path / "given.npz", images=images)
    files = json.dumps([list(encoded(image[..., 0], "PNG")) for image in images])
    result = subprocess.run(
        [sys.executable, "-c", SERVER, str(photo_classifier), str(tmp_path / "given.npz"), files],
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr[-2000:]
    expected = probabilities_of(model, images)
    for line in result.stdout.splitlines():
        answer = json.loads(line)
        np.testing.assert_allclose(answer["probabilities"], expected, atol=1e-5)
        assert [row[0] for row in answer["class_indices"]] == expected.argmax(axis=1).tolist()
        assert [row[0] for row in answer["labels"]] == [names[i] for i in expected.argmax(axis=1)]
        assert np.shape(answer["class_indices"]) == (6, 5)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "GIF"])
def test_encoded_images_of_any_size_are_stretched_as_predict_does(served, kind):
    from keras_vit.io.images import decode_image

    rng = np.random.default_rng(0)
    image = np.kron(rng.integers(0, 256, (6, 9)), np.ones((7, 5))).astype("uint8")
    data = encoded(image, kind)
    ours = decode_image(data, "x", size=(8, 8), channels=1)[None]
    direct = served.signatures["serving_default"](images=tf.constant(ours))["probabilities"]
    through = served.signatures["serve_encoded"](encoded=tf.constant([data]))["probabilities"]
    # Both interpolate bilinearly with antialias; rounding to uint8 may differ by one of 255 in a pixel.
    np.testing.assert_allclose(through, direct, atol=0.02)


def test_weights_are_stored_once(photo_classifier, model):
    stored = sum(f.stat().st_size for f in (photo_classifier / "variables").iterdir())
    assert stored < 1.2 * 4 * model.count_params()
