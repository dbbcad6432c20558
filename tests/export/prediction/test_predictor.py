import numpy as np
import pytest

from keras_vit import InputError
from keras_vit.export.images.inference_model import inference_model
from keras_vit.export.images.verify import compare
from keras_vit.export.prediction.predictor import load_predictor
from keras_vit.export.tflite.convert import write_tflite


@pytest.fixture(scope="module")
def tflite(model, tmp_path_factory):
    path = tmp_path_factory.mktemp("tflite") / "m.tflite"
    write_tflite(inference_model(model), path)
    return path.read_bytes()


def test_what_is_no_model_is_named(tmp_path):
    (tmp_path / "a.txt").write_text("x")
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved" / "saved_model.pb").write_bytes(b"\x00broken")
    (tmp_path / "empty").mkdir()
    for name, message in [
        ("nowhere", "found nothing"),
        ("a.txt", "a .tflite file"),
        ("empty", "holds neither"),
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


def test_comparison_counts_what_differs():
    reference = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.3, 0.7]])
    candidate = np.array([[0.8, 0.2], [0.2, 0.8], [0.4, 0.6], [0.3, 0.7]])
    result = compare(reference, candidate, np.array([0, 1, 0, 0]))
    assert (result.top1_agreement, result.reference_accuracy, result.accuracy) == (0.75, 0.75, 0.5)
    assert result.drop == 25
    assert result.max_probability_difference == pytest.approx(0.2)


def test_five_images_of_a_thousand_are_half_a_point_and_no_more():
    labels = np.zeros(1000, int)
    reference, candidate = (np.eye(2)[(np.arange(1000) < wrong).astype(int)] for wrong in (20, 25))
    assert compare(reference, candidate, labels).drop == 0.5


def test_nan_agrees_with_nothing():
    reference = np.array([[0.9, 0.1], [0.2, 0.8]])
    result = compare(reference, np.array([[np.nan, np.nan], [0.2, 0.8]]), np.array([0, 1]))
    assert (result.top1_agreement, result.accuracy, result.max_probability_difference) == (0.5, 0.5, 1.0)
