"""Camera frames through MediaPipe's own ImageClassifier, by the lines of `app.md`, give what `predict` gives.

It runs where mediapipe is: here, or in the environment whose Python `KERAS_VIT_MOBILE_PYTHON` names.
"""

import io
import json
import os
import subprocess
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from keras_vit.export import export_model
from keras_vit.export.prediction.tflite import tflite_predictor
from keras_vit.io.images import decode_image
from keras_vit.io.preprocessing import Preprocessing
from keras_vit.models import vit

ROOT = Path(__file__).parents[3]
WORKER = ROOT / "benchmarks" / "workers" / "mediapipe_frames.py"
SHARED = Path(os.environ.get("KERAS_VIT_SHARED_DATA", ROOT.parent / "shared" / "data"))
SIZES = ((640, 480), (480, 640), (1920, 1080))
HOW = Preprocessing.of("center_crop", 96)
SAME, DIFFERENCE = 0.99, 0.005  # the stated bounds: share of equal classes, median difference of a score


@pytest.fixture(scope="module")
def photos():
    """Upright frames of photographs: pieces of them, whole pixels, some grey and some in part transparent."""
    files = sorted(file for file in (SHARED / "photos").glob("*") if file.suffix in (".jpg", ".png"))
    if not files:
        pytest.skip(f"there are no photographs in {SHARED / 'photos'}")
    rng, frames = np.random.default_rng(0), []
    for number in range(4 * len(files)):
        size = SIZES[number % 3]
        with Image.open(files[number % len(files)]) as photo:
            factor = max(1, *(new / old for new, old in zip(size, photo.size, strict=True)))
            room = [max(0, old - new / factor) for new, old in zip(size, photo.size, strict=True)]
            x, y = rng.uniform(0, room)
            box = (x, y, *np.minimum(photo.size, (x + size[0] / factor, y + size[1] / factor)))
            frames.append(photo.convert("RGB").resize(size, Image.Resampling.BICUBIC, box=box))
    frames[0], frames[5] = frames[0].convert("L"), frames[5].convert("L")
    for frame in (frames[3], frames[7]):
        frame.putalpha(Image.linear_gradient("L").resize(frame.size))
    return frames


@pytest.fixture(scope="module")
def folder(photos, tmp_path_factory):
    """The files of a model whose answers differ from photograph to photograph, as a trained one's do."""
    keras.utils.set_random_seed(1)
    model = vit("Pico/16", num_layers=2, image_size=96, num_classes=5)
    model.get_layer("head").kernel.assign(2 * keras.random.normal(model.get_layer("head").kernel.shape))
    path = tmp_path_factory.mktemp("export")
    images = np.stack([HOW(photo) for photo in photos])
    export_model(
        model,
        path,
        inputs=images,
        task="classification",
        activation="softmax",
        variants="fp32",
        label_names=list("abcde"),
        preprocessing=HOW,
        none_below=0.4,
    )
    return path


def test_frames_by_the_lines_of_app_md_give_the_answers_of_predict(
    mediapipe_python, folder, photos, tmp_path
):
    rotations = [90 * (number % 4) for number in range(len(photos))]
    turned = [photo.rotate(rotation, expand=True) for photo, rotation in zip(photos, rotations, strict=True)]
    arrays = {str(number): np.atleast_3d(np.asarray(photo)) for number, photo in enumerate(turned)}
    np.savez(tmp_path / "frames.npz", rotations=rotations, **arrays)
    out = tmp_path / "out.json"
    subprocess.run([mediapipe_python, WORKER, folder, tmp_path / "frames.npz", out], check=True, timeout=300)
    found = json.loads(out.read_text())
    images = np.stack([decode_image(as_png(photo), "a photo", HOW) for photo in photos])
    expected = tflite_predictor(folder / "model_fp32.tflite").probabilities(images)
    assert len(set(expected.argmax(axis=1))) > 2  # else any file would do
    same, difference = compared([answer["lines"] for answer in found], expected)
    assert same >= SAME and difference <= DIFFERENCE
    for other in ("as_it_is", "region"):  # what MediaPipe does by itself, which is why there are lines
        same, _ = compared([answer[other] for answer in found], expected)
        assert same < SAME


def compared(found, expected):
    found = np.array(found)
    same = np.mean(found.argmax(axis=1) == expected.argmax(axis=1))
    return same, np.median(np.abs(found - expected).max(axis=1))


def as_png(photo):
    stream = io.BytesIO()
    photo.save(stream, "PNG", compress_level=1)
    return stream.getvalue()


def test_mediapipe_refuses_what_the_guide_says_that_it_does(mediapipe_python, folder, photos, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    photos[1].save(tmp_path / "photo.webp")
    photos[0].save(tmp_path / "grey.jpg")
    photos[1].save(tmp_path / "turned.jpg", exif=exif)
    files = [tmp_path / name for name in ("photo.webp", "turned.jpg", "grey.jpg")]
    out = tmp_path / "out.json"
    subprocess.run([mediapipe_python, WORKER, folder, *files, out, "--refused"], check=True, timeout=300)
    found = json.loads(out.read_text())
    assert list(found["photo.webp"]) == ["read"]
    assert found["grey.jpg"]["classify"] and found["grey.jpg"]["afterwards"]
    turned = photos[1].size[::-1]  # it does turn a JPEG as its EXIF says
    assert found["turned.jpg"] == {"size": [*turned], "classify": None, "afterwards": None}
