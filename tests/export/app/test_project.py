"""The apps' projects: as far as they can be checked without Gradle, Xcode and phones."""

import dataclasses
import json
import re
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import keras
import numpy as np
import pytest
import yaml
from kotlin_standins import ENGINES
from PIL import Image

from keras_vit import InputError
from keras_vit.export import export_model
from keras_vit.export.app.project import PLACES, PROJECTS, check_app, write_app
from keras_vit.io.preprocessing import Preprocessing

KOTLIN = PROJECTS / "android/app/src/main/java/org/kerasvit/app"
SWIFT = PROJECTS / "ios/Sources"
LABELS = ["cat", "dog", "cup"]
MAIN = """
import org.kerasvit.app.Preparation

fun main() {
    for (line in generateSequence(::readLine)) {
        val words = line.split(" ")
        val numbers = { place: Int -> words[place].split(",").map(String::toInt).toIntArray() }
        val (height, width) = words.map { it.toIntOrNull() ?: 0 }
        val preparation = Preparation(
            height, width, words[2].toDouble(), words[3], words[4], words[5].toBoolean(), numbers(6)
        )
        println(preparation.prepare(numbers(9), words[8].toInt(), words[7].toInt()).joinToString(","))
    }
}
"""
CASES = (
    Preprocessing.of("stretch", (24, 20)),
    Preprocessing.of("center_crop", (16, 20)),
    Preprocessing.of("letterbox", (16, 17)),
    Preprocessing((16, 17), 1, "border", "bilinear", mean=(0.485, 0.456, 0.406)),
    Preprocessing((16, 16), 0.875),
    Preprocessing((16, 16), 0.9, "shortest_edge", "lanczos"),
    Preprocessing((16, 16), interpolation="nearest"),
    Preprocessing((16, 16), interpolation="bilinear", rounded=False),
    Preprocessing((64, 64), 1.2),
)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """The rows and the folder of an export of a model of photographs."""
    folder = tmp_path_factory.mktemp("app")
    keras.utils.set_random_seed(0)
    layers = [keras.Input((16, 16, 3)), keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(3)]
    images = np.random.default_rng(0).integers(0, 256, (4, 16, 16, 3)).astype("uint8")
    options = {"task": "classification", "activation": "softmax", "label_names": LABELS, "variants": "fp32"}
    prepare = Preprocessing.of("center_crop", 16)
    rows = export_model(keras.Sequential(layers), folder, inputs=images, preprocessing=prepare, **options)
    return rows, folder


def test_the_apps_get_the_model_and_what_it_takes_and_returns(exported, tmp_path):
    rows, folder = exported
    write_app(rows, folder, tmp_path / "app")
    for place in PLACES:
        facts = json.loads((tmp_path / "app" / place / "model.json").read_text())
        assert facts["label_names"] == LABELS and facts["preprocessing"]["crop_mode"] == "center"
        model = (tmp_path / "app" / place / "model.tflite").read_bytes()
        assert model == (folder / "model_fp32.tflite").read_bytes()
    copied = {file.relative_to(tmp_path / "app") for file in (tmp_path / "app").rglob("*") if file.is_file()}
    added = {Path(place, name) for place in PLACES for name in ("model.json", "model.tflite")}
    assert copied - added == {file.relative_to(PROJECTS) for file in PROJECTS.rglob("*") if file.is_file()}


def test_a_folder_with_something_in_it_stays_as_it_is(exported, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    for place in (tmp_path / "mine", tmp_path / "mine" / "thesis.txt"):
        with pytest.raises(InputError, match="new or empty folder for the apps"):
            write_app(*exported, place)
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years of work"
    (tmp_path / "empty").mkdir()
    check_app(tmp_path / "empty")


def test_a_file_that_does_not_say_how_photographs_are_prepared_is_refused(exported, tmp_path):
    rows, _ = exported
    (tmp_path / "model_fp32.tflite").write_bytes(b"of another program")
    with pytest.raises(InputError, match="a file of photographs with one output"):
        write_app(rows, tmp_path, tmp_path / "app")
    assert not (tmp_path / "app").exists()


def wrong_nodes(node):
    if node.is_error or node.is_missing:
        yield f"line {node.start_point[0] + 1}: {node.text.decode()[:60]}"
    for child in node.children:
        yield from wrong_nodes(child)


@pytest.mark.parametrize(("language", "suffixes"), [("kotlin", (".kt", ".kts")), ("swift", (".swift",))])
def test_the_sources_parse(language, suffixes):
    tree_sitter = pytest.importorskip("tree_sitter")
    grammar = pytest.importorskip(f"tree_sitter_{language}")
    parser = tree_sitter.Parser(tree_sitter.Language(grammar.language()))
    files = [file for file in PROJECTS.rglob("*") if file.suffix in suffixes]
    assert len(files) >= 6
    for file in files:
        assert not list(wrong_nodes(parser.parse(file.read_bytes()).root_node)), file
    assert list(wrong_nodes(parser.parse(b"val let = ) fun").root_node))


def test_the_fields_that_the_apps_read_are_those_of_the_export(exported):
    facts = json.loads((exported[1] / "export.json").read_text())["model"]
    photo = facts["preprocessing"]
    known = {*facts, *facts["inputs"][0], *facts["outputs"][0], *photo}
    kotlin = (KOTLIN / "ModelFile.kt").read_text()
    read = set(re.findall(r'(?:get|opt)\w+\("(\w+)"', kotlin))
    assert (
        {"image_size", "crop_mode", "thresholds", "none_below", "label_names", "background"} <= read <= known
    )
    swift = re.findall(r"^ +let (\w+): ", (SWIFT / "ModelFile.swift").read_text(), re.MULTILINE)
    assert {re.sub("([A-Z])", r"_\1", name).lower() for name in swift} <= known
    assert {"imageSize", "cropMode", "thresholds", "noneBelow", "labelNames", "background"} <= set(swift)


def test_a_label_with_a_percent_sign_is_no_format():
    formats = [
        line for file in KOTLIN.glob("*.kt") for line in re.findall(r'"[^"]*"\.format', file.read_text())
    ]
    assert len(formats) >= 3 and not [line for line in formats if "$" in line]


def test_what_names_something_finds_it():
    android = PROJECTS / "android/app/src/main"
    name = "{http://schemas.android.com/apk/res/android}"
    layout = ElementTree.parse(android / "res/layout/activity_main.xml")
    manifest = ElementTree.parse(android / "AndroidManifest.xml")
    texts = ElementTree.parse(android / "res/values/strings.xml")
    defined = {
        "id": {element.get(f"{name}id", "").removeprefix("@+id/") for element in layout.iter()},
        "string": {element.get("name") for element in texts.iter("string")},
        "layout": {"activity_main"},
    }
    used = re.findall(r"R\.(\w+)\.(\w+)", (KOTLIN / "MainActivity.kt").read_text())
    assert len(used) > 10 and all(found in defined[kind] for kind, found in used)
    for text in re.findall(r"@string/(\w+)", (android / "res/layout/activity_main.xml").read_text()):
        assert text in defined["string"]
    assert [e.get(f"{name}name") for e in manifest.iter("uses-permission")] == ["android.permission.CAMERA"]
    activity = next(manifest.iter("activity")).get(f"{name}name")
    assert (KOTLIN / f"{activity.removeprefix('.')}.kt").is_file()
    target = yaml.safe_load((PROJECTS / "ios/project.yml").read_text())["targets"]["Photos"]
    assert target["info"]["properties"]["NSCameraUsageDescription"]
    assert "Sources" in target["sources"] and f"ios/{target['sources'][1]['path']}" in PLACES
    versions = re.findall(
        r'"[\w.-]+:[\w.-]+:([^"]+)"', (PROJECTS / "android/app/build.gradle.kts").read_text()
    )
    assert len(versions) == 7 and all(re.fullmatch(r"\d+(\.\d+)+", version) for version in versions)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("kotlinc") is None, reason="no Kotlin compiler is installed")
def test_photos_are_prepared_by_the_android_app_as_by_python(tmp_path):
    (tmp_path / "Main.kt").write_text(MAIN)
    sources = [str(KOTLIN / "Preparation.kt"), str(tmp_path / "Main.kt")]
    built = subprocess.run(["kotlinc", *sources, "-d", tmp_path / "main.jar"], capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    random, jobs, expected = np.random.default_rng(0), [], []
    for case in CASES:
        for shape in ((40, 31), (9, 50), (16, 16)):
            image = random.integers(0, 256, (*shape, 3)).astype("uint8")
            expected.append(np.rint(np.clip(case(Image.fromarray(image)), 0, 255)).astype(int).ravel())
            jobs.append(" ".join(map(str, job(case, image))))
    ran = subprocess.run(
        ["kotlin", "-cp", tmp_path / "main.jar", "MainKt"],
        input="\n".join(jobs),
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    lines = ran.stdout.splitlines()
    for line, levels, text in zip(lines, expected, jobs, strict=True):
        difference = np.abs(np.array(line.split(","), int) - levels)
        assert difference.max() <= 1 and (difference > 0).mean() < 0.01, text[:60]


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("kotlinc") is None, reason="no Kotlin compiler is installed")
def test_a_gpu_counts_only_beside_answers_of_the_cpu_that_are_the_same(tmp_path):
    """The choice of the Android app, on stand-ins for the libraries; each line says what engines answer."""
    for number, source in enumerate(ENGINES.split("///")):
        (tmp_path / f"Part{number}.kt").write_text(source.lstrip())
    sources = [KOTLIN / "Engines.kt", *tmp_path.glob("Part*.kt")]
    built = subprocess.run(["kotlinc", *sources, "-d", tmp_path / "main.jar"], capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    command = ["kotlin", "-cp", tmp_path / "main.jar", "org.kerasvit.app.Part6Kt"]
    asked = "CPU=0.5 GPU=0.51\nCPU=0.5 GPU=0.6\nGPU=0.5\nCPU=0.5 GPU=NaN\n"
    ran = subprocess.run(command, input=asked, capture_output=True, text=True)
    same, other, alone, nothing = ran.stdout.splitlines()
    assert "LiteRT GPU is not used" not in same and "MediaPipe is not used: no MediaPipe" in same
    for line in (other, nothing):
        assert "LiteRT GPU is not used: its answers differ" in line and "Runs on LiteRT CPU" in line
    assert alone.startswith("fails") and "GPU is not used: no answers of the CPU to compare with" in alone


def job(case, image):
    """The words of a line that the program reads."""
    fields = dataclasses.asdict(case)
    shares = case.mean if case.fill is None else [case.fill] * 3
    border = ",".join(str(round(255 * share)) for share in shares)
    red, green, blue = (image[..., channel].astype(int) for channel in range(3))
    pixels = ",".join(map(str, ((red << 16) + (green << 8) + blue).ravel()))
    how = (fields["crop_ratio"], fields["crop_mode"], fields["interpolation"], str(fields["rounded"]).lower())
    return (*case.image_size, *how, border, *image.shape[:2], pixels)
