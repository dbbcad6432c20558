import keras
import numpy as np
import pytest
from scipy.special import softmax

from keras_vit import InputError
from keras_vit.errors import Notice
from keras_vit.export import export_model, load_predictor
from keras_vit.export.tflite.convert import write_tflite
from keras_vit.io.output_meaning import OutputMeaning


@pytest.fixture(scope="module")
def tflite(model, photo_form, tmp_path_factory):
    path = tmp_path_factory.mktemp("tflite") / "m.tflite"
    write_tflite(photo_form(model), path)
    return path.read_bytes()


def test_a_file_that_is_not_a_model_is_named(tmp_path):
    (tmp_path / "a.txt").write_text("x")
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved" / "saved_model.pb").write_bytes(b"\x00broken")
    (tmp_path / "empty").mkdir()
    for name, message in [
        ("nowhere", "found nothing"),
        ("a.txt", "a .tflite file"),
        ("empty", r"saved_model.pb\) or a .tflite file, received"),
        ("saved", "no SavedModel"),
    ]:
        with pytest.raises(InputError, match=message):
            load_predictor(tmp_path / name)


@pytest.mark.parametrize("damage", ["empty", "text", "half", "head", "noise"])
def test_a_damaged_tflite_file_is_an_error_and_no_crash(tflite, tmp_path, damage):
    noise = bytearray(tflite)
    noise[40:4000] = np.random.default_rng(0).bytes(3960)
    content = {
        "empty": b"",
        "text": b"not a model at all",
        "half": tflite[: len(tflite) // 2],
        "head": tflite[:64],
        "noise": bytes(noise),
    }[damage]
    (tmp_path / "m.tflite").write_bytes(content)
    with pytest.raises(InputError, match="m.tflite"):
        load_predictor(tmp_path / "m.tflite")


def classifier(end):
    inputs = keras.Input((6, 6, 3))
    x = keras.layers.Flatten()(keras.layers.Rescaling(1 / 255)(inputs))
    model = keras.Model(inputs, end(keras.layers.Dense(3, kernel_initializer="ones", name="head")(x)))
    model.get_layer("head").bias.assign([-60, -55, -50])  # the sum of an image's pixels is some 54
    return model


def softmax_within(x):
    return keras.Sequential([keras.Input((3,)), keras.layers.Softmax()])(x)


PROBABILITIES = {
    "sigmoid": keras.layers.Activation("sigmoid"),
    "softmax": keras.layers.Softmax(),
    "float32 after softmax": lambda x: keras.layers.Activation("linear", dtype="float32")(softmax_within(x)),
    "softmax of a model within": softmax_within,
    "softmax by an operation": keras.ops.softmax,
}


@pytest.fixture
def images():
    return np.random.default_rng(1).integers(0, 256, (3, 6, 6, 3)).astype("uint8")


@pytest.mark.parametrize("name", PROBABILITIES)
def test_the_outputs_of_a_model_that_returns_probabilities_are_unchanged(name, images, tmp_path):
    model = classifier(PROBABILITIES[name])
    model.save(tmp_path / "m.keras")
    expected = model.predict(images, verbose=0)
    with pytest.warns(Notice, match=r"m.keras: its outputs are in \[0, 1\] and are taken as probabilities"):
        predictor = load_predictor(tmp_path / "m.keras")
    np.testing.assert_allclose(predictor.probabilities(images), expected, atol=1e-6)
    declared = load_predictor(tmp_path / "m.keras", outputs="probabilities")
    np.testing.assert_allclose(declared.probabilities(images), expected, atol=1e-6)


def test_logits_get_softmax_with_a_notice_or_as_declared_or_in_a_run_folder(images, tmp_path, recwarn):
    model = classifier(keras.layers.Activation("linear"))
    model.save(tmp_path / "model.keras")
    expected = softmax(model.predict(images, verbose=0), axis=1)
    with pytest.warns(Notice, match="taken as logits"):
        predictors = [load_predictor(tmp_path / "model.keras")]
    recwarn.clear()
    predictors.append(load_predictor(tmp_path / "model.keras", outputs="logits"))
    (tmp_path / "recipe.json").write_text("{}")
    predictors += [load_predictor(tmp_path), load_predictor(tmp_path / "model.keras")]
    predictors.append(load_predictor(tmp_path, outputs="logits"))
    assert not [warning for warning in recwarn if issubclass(warning.category, Notice)]
    for predictor in predictors:
        np.testing.assert_allclose(predictor.probabilities(images), expected, atol=1e-6)


@pytest.mark.parametrize("outputs", [None, "logits"])
def test_the_logits_of_a_run_are_calibrated_whoever_declares_them(outputs, images, tmp_path):
    model = classifier(keras.layers.Activation("linear"))
    model.save(tmp_path / "model.keras")
    (tmp_path / "recipe.json").write_text("{}")
    OutputMeaning(temperature=3.0, none_below=0.7).write(tmp_path)
    predictor = load_predictor(tmp_path, outputs=outputs)
    expected = softmax(model.predict(images, verbose=0) / 3, axis=1)
    np.testing.assert_allclose(predictor.probabilities(images), expected, atol=1e-6)
    assert predictor.description.classified.none_below == 0.7


def test_unknown_and_wrong_meanings_of_outputs_are_refused(tmp_path):
    classifier(keras.layers.Activation("linear")).save(tmp_path / "m.keras")
    with pytest.raises(InputError, match="outputs to be 'logits' or 'probabilities', received 'odds'"):
        load_predictor(tmp_path / "m.keras", outputs="odds")
    with pytest.raises(InputError, match="its outputs are not probabilities"):
        load_predictor(tmp_path / "m.keras", outputs="probabilities")


@pytest.mark.parametrize("name", PROBABILITIES)
def test_a_softmax_is_not_added_to_probabilities_that_a_graph_ends_in(name, images, tmp_path):
    model = classifier(PROBABILITIES[name])
    with pytest.raises(InputError, match="Expected a model that returns logits, but .* ends in s"):
        export_model(model, tmp_path / "x", inputs=images, activation="softmax")
    assert not (tmp_path / "x").exists()


@keras.saving.register_keras_serializable(package="tests")
class Shares(keras.layers.Layer):
    """Probabilities by another arithmetic."""

    def call(self, x):
        x = keras.ops.exp(x - keras.ops.max(x, axis=-1, keepdims=True))
        return x / keras.ops.sum(x, axis=-1, keepdims=True)


def test_probabilities_whose_softmax_is_not_seen_are_known_by_their_sum(images, tmp_path):
    with pytest.raises(
        InputError, match="Expected a model that returns logits, but .* already returns probabilities"
    ):
        export_model(classifier(Shares()), tmp_path / "x", inputs=images, activation="softmax")
    assert not (tmp_path / "x").exists()
