"""`app.md` next to the files of an export: its Python lines run, and give what the file gives."""

import re
import runpy
import shutil
import subprocess

import keras
import numpy as np
import pytest
from kotlin_standins import SINCE_1_4, STANDINS
from PIL import Image

from keras_vit.export import export_model
from keras_vit.export.app.guide import app_guide
from keras_vit.export.prediction.tflite import tflite_predictor
from keras_vit.export.text.export import export_text
from keras_vit.io.preprocessing import Preprocessing
from keras_vit.models import char_rnn
from keras_vit.text import Vocabulary
from keras_vit.text.windows import Windows

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (200, 16, 16, 3), "uint8")
HOW = Preprocessing.of("center_crop", 16)


def classifier(outputs, channels=3):
    keras.utils.set_random_seed(0)
    images = keras.Input((16, 16, channels), name="images")
    x = keras.layers.Flatten()(keras.layers.Rescaling(1 / 128, -1)(images))
    return keras.Model(images, keras.layers.Dense(outputs)(x))


def exported(folder, model, **options):
    export_model(model, folder, **{"variants": "fp32", **options})
    return (folder / "app.md").read_text(encoding="utf-8")


def python_blocks(text):
    return re.findall(r"```python\n(.*?)```", text, re.DOTALL)


def run_python(text, folder, monkeypatch, photo=None):
    """Runs the lines for LiteRT, after those that prepare a photo; returns their variables."""
    if photo is not None:
        photo.save(folder / "photo.jpg", "PNG")
    monkeypatch.chdir(folder)
    blocks = [block for block in python_blocks(text) if "mediapipe" not in block]
    (folder / "app.py").write_text("\n".join(blocks), encoding="utf-8")
    return runpy.run_path(str(folder / "app.py"))


def of_file(folder, variant="fp32", images=IMAGES[:1]):
    (values,) = tflite_predictor(folder / f"model_{variant}.tflite").run({"images": images}).values()
    return values[0]


def photo_of_frame():
    """A photo with the model's first image in its middle."""
    frame = np.zeros((16, 24, 3), "uint8")
    frame[:, 4:20] = IMAGES[0]
    return Image.fromarray(frame)


def test_one_class_or_none_of_these(tmp_path, monkeypatch):
    least = 0.99
    text = exported(
        tmp_path,
        classifier(3),
        inputs=IMAGES,
        task="classification",
        activation="softmax",
        label_names=["ant", "bee", "café $1"],
        none_below=least,
        preprocessing=HOW,
    )
    assert "| 2 | café $1 |" in text and "the centre square, resized to 16 x 16" in text
    assert all(f"## {language}" in text for language in ("Kotlin", "Swift", "JavaScript", "Python"))
    assert not re.search(r"@[A-Z_]+@", text)
    found = run_python(text, tmp_path, monkeypatch, photo_of_frame())
    expected = of_file(tmp_path)
    np.testing.assert_allclose(found["scores"], expected, atol=1e-5)
    best = ["ant", "bee", "café $1"][expected.argmax()]
    assert found["answer"] == (best if expected.max() >= least else "none of these")


def test_several_labels_with_thresholds_of_a_file_that_takes_bytes(tmp_path, monkeypatch):
    thresholds = [0.9, 0.1, 0.5]
    text = exported(
        tmp_path,
        classifier(3),
        inputs=IMAGES,
        task="labels",
        activation="sigmoid",
        label_names=list("xyz"),
        thresholds=thresholds,
        input_dtype="uint8",
        preprocessing=HOW,
    )
    assert "uint8, 1 x 16 x 16 x 3" in text and "| 0 | x | 0.9 |" in text
    found = run_python(text, tmp_path, monkeypatch, photo_of_frame())
    expected = of_file(tmp_path)
    assert found["held"] == [label for label, s, t in zip("xyz", expected, thresholds, strict=True) if s >= t]


def test_numbers_of_a_file_that_takes_int8(tmp_path, monkeypatch):
    text = exported(
        tmp_path,
        classifier(2),
        inputs=IMAGES,
        task="regression",
        label_names=["width", "height"],
        variants="full_int8",
        calibration=IMAGES,
        input_dtype="int8",
        max_drop=100,
        preprocessing=HOW,
    )
    assert "MediaPipeTasksVision" not in text  # it takes no int8
    assert "```javascript" not in text  # LiteRT.js has no such tensors either
    assert "this file has int8: for a browser, export one without `--input int8`." in text
    found = run_python(text, tmp_path, monkeypatch, photo_of_frame())
    expected = of_file(tmp_path, "full_int8")
    assert list(found["numbers"]) == ["width", "height"]
    np.testing.assert_allclose(list(found["numbers"].values()), expected, atol=1e-5)


def test_a_grey_photo_of_a_file_that_takes_int8(tmp_path, monkeypatch):
    grey = IMAGES[..., :1]
    text = exported(
        tmp_path,
        classifier(3, channels=1),
        inputs=grey,
        task="classification",
        activation="softmax",
        label_names=list("xyz"),
        variants="full_int8",
        calibration=grey,
        input_dtype="int8",
        max_drop=100,
        preprocessing=HOW,
    )
    assert "int8, 1 x 16 x 16 x 1, grey" in text and "the centre square, resized to 16 x 16" in text
    assert "MediaPipeTasksVision" not in text and "withChannels" not in text  # nor for a browser
    found = run_python(text, tmp_path, monkeypatch, photo_of_frame())
    image = np.asarray(Image.fromarray(IMAGES[0]).convert("L"))[None, ..., None]
    np.testing.assert_allclose(found["scores"], of_file(tmp_path, "full_int8", image), atol=1e-6)


def test_arrays_in_the_order_of_the_file(tmp_path, monkeypatch):
    left, right = keras.Input((4,), name="left"), keras.Input((3,), name="right")
    x = keras.layers.Concatenate()([right, left])
    outputs = {"price": keras.layers.Dense(1, name="price")(x), "weight": keras.layers.Dense(2)(x)}
    inputs = {"left": RNG.random((20, 4)), "right": RNG.random((20, 3))}
    text = exported(tmp_path, keras.Model([left, right], outputs), inputs=inputs)
    found = run_python(text, tmp_path, monkeypatch)
    zeros = {name: np.zeros((1, size), "float32") for name, size in (("left", 4), ("right", 3))}
    expected = tflite_predictor(tmp_path / "model_fp32.tflite").run(zeros)
    given = {
        place: value for place, value in found.items() if place.startswith("output") and place[-1].isdigit()
    }
    assert sorted(map(len, given.values())) == [1, 2]
    for value in given.values():
        np.testing.assert_allclose(value, expected["price" if len(value) == 1 else "weight"][0], atol=1e-6)


def test_without_a_tflite_file_it_says_how_to_write_one():
    assert "--variant dynamic_int8" in app_guide("a model", [])


def test_the_lines_name_the_file_that_auto_would_keep(tmp_path):
    exported(tmp_path, classifier(3), inputs=IMAGES, variants=("fp32", "fp16", "dynamic_int8"), max_drop=100)
    path = tmp_path / "model_fp32.tflite"

    def named(**latencies):
        rows = [
            {"file": f"model_{name}.tflite", "variant": name, "size": 9, "passed": True, "latency_ms": ms}
            for name, ms in latencies.items()
        ]
        given = [({**row, "batch_size": 1, "attention": False}, path) for row in rows]
        return re.search(r"The lines below use `model_(\w+).tflite`", app_guide("a model", given))[1]

    assert named(fp32=5.87, fp16=5.76) == named(fp16=5.76, fp32=5.87) == "fp16"
    assert named(fp32=5.76, fp16=5.87) == "fp16"  # of nearly equal ones the smaller
    assert named(fp16=5.0, dynamic_int8=5.2) == "dynamic_int8"  # which an ARM phone is faster at
    assert named(fp32=1.0, dynamic_int8=2.0) == "fp32"


def test_a_classifier_without_a_threshold_says_how_to_get_one(tmp_path):
    text = exported(tmp_path, classifier(3), inputs=IMAGES, preprocessing=HOW, task="classification")
    assert "keras-vit evaluate RUN --precision 0.95" in text
    with_one = {"task": "classification", "activation": "softmax", "none_below": 0.6}
    text = exported(tmp_path / "unsure", classifier(3), inputs=IMAGES, preprocessing=HOW, **with_one)
    assert "--precision" not in text


@pytest.mark.parametrize("language", ["kotlin", "swift"])
def test_each_block_imports_what_it_uses_first(language, tmp_path):
    names = {"label_names": list("xyz"), "task": "classification", "activation": "softmax"}
    text = exported(tmp_path, classifier(3), inputs=IMAGES, preprocessing=HOW, **names)
    blocks = re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)
    assert len(blocks) == 3
    for block in blocks:
        lines = [line for line in block.splitlines() if line and not line.startswith("//")]
        imports = [line.rpartition(" ")[2].rpartition(".")[2] for line in lines if line.startswith("import ")]
        assert imports and lines[len(imports) - 1].startswith("import ")
        if language == "kotlin":
            assert all(block.count(name) > 1 for name in imports)


@pytest.mark.slow  # six exports and a compiler
def test_the_kotlin_lines_compile_against_stand_ins(tmp_path):
    if shutil.which("kotlinc") is None:
        pytest.skip("there is no kotlinc")
    photos = {"inputs": IMAGES, "preprocessing": HOW}
    left, right = keras.Input((4,), name="left"), keras.Input((3,), dtype="int32", name="right")
    both = keras.Model([left, right], keras.layers.Dense(2)(keras.layers.Concatenate()([left, right * 1.0])))
    rng = np.random.default_rng(0)
    arrays = {"left": rng.random((20, 4)), "right": rng.integers(0, 9, (20, 3))}
    names = {"label_names": list("xyz")}
    classes = {"task": "classification", "activation": "softmax", "none_below": 0.6, **names}
    int8 = {"variants": "full_int8", "input_dtype": "int8", "max_drop": 100}
    texts = [
        exported(tmp_path / "classes", classifier(3), **photos, **classes),
        exported(tmp_path / "labels", classifier(3), task="labels", input_dtype="uint8", **photos, **names),
        exported(
            tmp_path / "numbers",
            classifier(3),
            task="regression",
            calibration=IMAGES,
            **int8,
            **photos,
            **names,
        ),
        exported(
            tmp_path / "grey",
            classifier(3, channels=1),
            calibration=IMAGES[..., :1],
            **int8,
            **{**photos, "inputs": IMAGES[..., :1]},
        ),
        exported(tmp_path / "arrays", both, inputs=arrays),
    ]
    vocabulary, tokens = Vocabulary("\nab$"), rng.integers(0, 4, (4, 9)).astype("int32")
    windows = Windows(tokens[:, :-1], tokens[:, 1:], np.ones((4, 8), bool))
    rnn = char_rnn(vocabulary_size=4, hidden_dim=8, num_layers=1)
    export_text(rnn, vocabulary, windows, tmp_path / "text", lines=True, variants=("fp32",))
    texts.append((tmp_path / "text" / "app.md").read_text())
    assert '"state_0" to { state: TensorBuffer -> state.writeFloat(FloatArray(8)) }' in texts[-1]
    sources = [source for number, text in enumerate(texts) for source in kotlin_sources(text, number)]
    assert len(sources) == 2 + 2 + 1 + 1 + 1 + 1  # LiteRT, and for two of them MediaPipe
    for number, source in enumerate([STANDINS, *sources]):
        (tmp_path / f"Part{number}.kt").write_text(source)
    done = subprocess.run(
        ["kotlinc", *sorted(tmp_path.glob("Part*.kt")), "-nowarn", "-d", tmp_path / "app.jar"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def kotlin_sources(text, number):
    """A source for each program of `app.md`: in a function, behind the lines that prepare a photo."""
    text = re.sub("^import .*\n", "", text, flags=re.MULTILINE)  # which the stand-ins replace
    blocks = [part.partition("\n```")[0] for part in text.split("```kotlin\n")[1:]]
    prepared = blocks.pop(0) if "fun forModel" in blocks[0] else ""
    for place, block in enumerate(blocks):
        name = f"package case{number}x{place}\nimport standins.*\n{SINCE_1_4}\n"
        yield f"{name}{prepared}\nfun app(context: Context, frame: ImageProxy) {{\n{block}\n}}\n"
