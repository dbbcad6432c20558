"""The page in headless Chromium, with real photographs."""

import dataclasses
import json
import os
import re
import shutil
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from keras_vit import InputError
from keras_vit.export import export_model, load_predictor
from keras_vit.export.web.page import write_page
from keras_vit.io.preprocessing import Preprocessing
from keras_vit.models import vit
from keras_vit.models.rollout import map_grid

PHOTOS = (
    Path(os.environ.get("KERAS_VIT_SHARED_DATA", Path(__file__).parents[4] / "shared" / "data")) / "photos"
)
LABELS = ("cat & <b>dog</b>", "horse", "rocket", "cup")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A page, and what answers for its file in Python."""
    if not PHOTOS.is_dir():
        pytest.skip(f"no photographs in {PHOTOS}; KERAS_VIT_SHARED_DATA names the folder of shared data")
    folder = tmp_path_factory.mktemp("web")
    keras.utils.set_random_seed(0)
    model = vit("Pico/8", image_size=48, num_classes=4, pooling="token", num_layers=3)
    random = np.random.default_rng(0)
    model.set_weights([w + random.normal(0, 0.2, w.shape) for w in model.get_weights()])
    images, labels = random.integers(0, 256, (4, 48, 48, 3)).astype("uint8"), np.arange(4)
    options = {"variants": ("fp32",), "attention": True, "max_drop": 100}
    prepare = Preprocessing.of("center_crop", 48)
    options |= {"task": "classification", "activation": "softmax", "preprocessing": prepare}
    rows = export_model(model, folder / "export", inputs=images, labels=labels, label_names=LABELS, **options)
    description = {"name": "photos", "labels": LABELS, "attention": map_grid(model)}
    description["preprocessing"] = dataclasses.asdict(prepare)
    try:
        write_page(rows, folder / "export", folder / "page", "images", description)
    except InputError as error:
        pytest.skip(str(error))
    return folder / "page", load_predictor(folder / "export" / "model_fp32.tflite")


def classify(phone, file):
    phone.set_input_files("#file", file)
    phone.wait_for_selector("#classes li")
    rows = [
        (row.query_selector("span").inner_text(), float(row.get_attribute("data-probability")))
        for row in phone.query_selector_all("#classes li")
    ]
    return rows, np.array(json.loads(phone.get_attribute("#map", "data-values")))


def test_a_photo_gets_the_classes_and_the_map_that_python_computes_also_offline(exported, serve, phone):
    page, predictor = exported
    phone.goto(serve(page))
    phone.wait_for_selector("body[data-ready]")
    for number, name in enumerate(("samoyed.jpg", "chelsea.png")):
        if number:  # the second one without a network
            serve.stop()
            phone.context.set_offline(True)
            phone.reload()
            phone.wait_for_selector("body[data-ready]")
        rows, values = classify(phone, PHOTOS / name)
        with Image.open(PHOTOS / name) as photo:  # as a whole: read_image reduces large ones first
            image = predictor.preprocessing(photo)[None]
        expected, attention = predictor.probabilities(image)[0], predictor.attention_maps(image)[0]
        order = np.argsort(-expected)
        assert [label for label, _ in rows] == [LABELS[index] for index in order]
        # Decoders and rounding may differ by one level in a pixel here and there.
        np.testing.assert_allclose([share for _, share in rows], expected[order], atol=2e-3)
        np.testing.assert_allclose(values, attention.ravel(), atol=5e-3 * attention.max())
        assert phone.inner_text("#time").endswith("ms on this device")
    width = phone.evaluate("document.documentElement.scrollWidth")
    assert width <= 375  # nothing to scroll sideways


def test_a_file_that_is_not_a_photo_is_reported_and_the_next_photo_is_classified(
    exported, serve, phone, tmp_path
):
    (tmp_path / "notes.txt").write_text("no photo")
    phone.goto(serve(exported[0]))
    phone.wait_for_selector("body[data-ready]")
    phone.set_input_files("#file", tmp_path / "notes.txt")
    phone.wait_for_selector("#error:not([hidden])")
    assert "notes.txt is not an image" in phone.inner_text("#error")
    rows, _ = classify(phone, PHOTOS / "cup.png")
    assert len(rows) == 4 and phone.is_hidden("#error") and phone.is_visible("#status")


def test_a_photo_can_be_chosen_again(exported, serve, phone):
    phone.goto(serve(exported[0]))
    phone.wait_for_selector("body[data-ready]")
    classify(phone, PHOTOS / "cup.png")
    assert phone.input_value("#file") == ""  # otherwise a browser does not report a change


def test_a_slow_photo_does_not_take_the_place_of_a_later_one(exported, serve, phone):
    phone.goto(serve(exported[0]))
    phone.wait_for_selector("body[data-ready]")
    expected = classify(phone, PHOTOS / "cup.png")[0]
    phone.evaluate("""() => {
        const decode = createImageBitmap;
        const held = new Promise((resolve) => (globalThis.release = resolve));
        globalThis.createImageBitmap = (file, ...how) =>
            (file.name === "cup.png" ? decode(file, ...how) : held.then(() => decode(file, ...how)));
    }""")
    phone.set_input_files("#file", PHOTOS / "samoyed.jpg")
    assert classify(phone, PHOTOS / "cup.png")[0] == expected
    phone.evaluate("release()")
    phone.wait_for_timeout(2000)
    rows = phone.query_selector_all("#classes li")
    assert [float(row.get_attribute("data-probability")) for row in rows] == [share for _, share in expected]


FAKE_CAMERA = "--use-fake-device-for-media-stream"
SOFTWARE_GPU = ("--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", "--enable-features=Vulkan")


def test_frames_of_the_camera_get_the_classes_of_the_photo_in_them(exported, serve, open_phone, tmp_path):
    page, predictor = exported
    with Image.open(PHOTOS / "samoyed.jpg") as photo:
        frame = photo.convert("RGB").resize((640, 480))
    frame.save(tmp_path / "frame.jpg", quality=95)
    (tmp_path / "camera.mjpeg").write_bytes(3 * (tmp_path / "frame.jpg").read_bytes())
    phone = open_phone(FAKE_CAMERA, f"--use-file-for-fake-video-capture={tmp_path / 'camera.mjpeg'}")
    phone.context.grant_permissions(["camera"])
    phone.goto(serve(page))
    phone.wait_for_selector("body[data-ready]")
    phone.click("#live")
    phone.wait_for_selector("#classes li")
    phone.evaluate("document.querySelector('#classes').replaceChildren()")
    phone.wait_for_selector("#classes li")  # of a later frame
    rows = phone.query_selector_all("#classes li")
    shares = {r.query_selector("span").inner_text(): float(r.get_attribute("data-probability")) for r in rows}
    expected = predictor.probabilities(predictor.preprocessing(frame)[None])[0]
    found = [shares[name] for name in LABELS]
    assert np.argmax(found) == np.argmax(expected)
    np.testing.assert_allclose(found, expected, atol=0.03)  # the camera halves the resolution of colours
    phone.click("#live")
    assert phone.inner_text("#live") == "Live camera"
    assert phone.evaluate("document.querySelector('#video').srcObject") is None


@pytest.mark.parametrize(
    ("arguments", "granted", "message"),
    [
        ((FAKE_CAMERA,), [], "The camera was refused. Allow it for this page"),
        ((), ["camera"], "This device has no camera."),
    ],
)
def test_a_refused_or_missing_camera_is_one_line_and_photos_still_work(
    arguments, granted, message, exported, serve, open_phone
):
    phone = open_phone(*arguments)
    phone.context.grant_permissions(granted)
    phone.goto(serve(exported[0]))
    phone.wait_for_selector("body[data-ready]")
    phone.click("#live")
    phone.wait_for_selector("#error:not([hidden])")
    assert phone.inner_text("#error").startswith(message)
    assert phone.inner_text("#live") == "Live camera" and phone.is_enabled("#live")
    rows, _ = classify(phone, PHOTOS / "cup.png")
    assert len(rows) == 4 and phone.is_hidden("#error")


def test_the_faster_of_cpu_and_webgpu_answers_and_both_times_are_shown(exported, serve, open_phone):
    phone = open_phone(*SOFTWARE_GPU)
    phone.goto(serve(exported[0]))
    phone.wait_for_selector("body[data-chosen]")
    shown = phone.inner_text("#engines")
    if "no GPU was found" in shown or "has none" in shown:
        pytest.skip("this Chromium has no software adapter for WebGPU")
    cpu, gpu = map(float, re.findall(r"([\d.]+) ms", shown))
    engine = "GPU" if gpu < cpu else "CPU"
    assert shown == f"CPU {cpu:.1f} ms, WebGPU {gpu:.1f} ms: runs on the {engine}."
    rows, _ = classify(phone, PHOTOS / "cup.png")
    assert len(rows) == 4


def test_without_webgpu_the_page_says_why_and_runs_on_the_cpu(exported, serve, phone):
    phone.goto(serve(exported[0]))
    phone.wait_for_selector("body[data-chosen]")
    assert re.fullmatch(r"CPU [\d.]+ ms; WebGPU is not used: [\w ]+\.", phone.inner_text("#engines"))


def test_a_page_without_its_model_says_so(exported, serve, phone, tmp_path):
    shutil.copytree(exported[0], tmp_path / "page")
    (tmp_path / "page" / "model.tflite").unlink()
    phone.goto(serve(tmp_path / "page"))
    phone.wait_for_selector("#error:not([hidden])")
    assert "model.tflite is missing (404)" in phone.inner_text("#error")


def test_a_rewritten_page_shows_the_new_model_despite_the_browser_cache(exported, serve, phone, tmp_path):
    page = shutil.copytree(exported[0], tmp_path / "page")
    address = serve(page, headers={"Cache-Control": "max-age=3600"})
    phone.goto(address)
    phone.wait_for_selector("body[data-ready]")
    assert phone.title() == "photos"
    for file, before, after in (
        ("keras-vit.json", '"photos"', '"new"'),
        ("sw.js", 'VERSION = "', 'VERSION = "1'),
    ):
        (page / file).write_text((page / file).read_text().replace(before, after))
    phone.reload()  # the worker of the new page takes over
    phone.evaluate("navigator.serviceWorker.ready.then((registration) => registration.update())")
    phone.wait_for_timeout(2000)
    phone.reload()
    phone.wait_for_selector("body[data-ready]")
    assert phone.title() == "new"


def test_a_page_that_was_opened_by_the_name_of_its_file_works_offline(exported, serve, phone):
    phone.goto(f"{serve(exported[0])}index.html")
    phone.wait_for_selector("body[data-ready]")
    assert phone.inner_text("#status") == "Ready, also without a network."
    serve.stop()
    phone.context.set_offline(True)
    phone.reload()
    phone.wait_for_selector("body[data-ready]")


@pytest.mark.parametrize("task", ["labels", "regression"])
def test_labels_that_hold_and_numbers_are_shown(task, serve, phone, tmp_path):
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [keras.Input((16, 16, 3)), keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(3)]
    )
    images = np.random.default_rng(0).integers(0, 256, (4, 16, 16, 3)).astype("uint8")
    declared = {"task": task, "label_names": ["a", "b", "c"], "variants": "fp32"}
    if task == "labels":
        declared |= {"activation": "sigmoid", "thresholds": [0.2, 0.5, 0.9]}
    rows = export_model(model, tmp_path / "export", inputs=images, **declared)
    prepare = Preprocessing.of("stretch", 16)
    description = {"name": "kinds", "labels": ["a", "b", "c"], "attention": None, "task": task}
    description |= {"thresholds": declared.get("thresholds"), "preprocessing": dataclasses.asdict(prepare)}
    try:
        write_page(rows, tmp_path / "export", tmp_path / "page", "images", description)
    except InputError as error:
        pytest.skip(str(error))
    file = tmp_path / "photo.png"
    Image.fromarray(images[0]).save(file)
    phone.goto(serve(tmp_path / "page"))
    phone.wait_for_selector("body[data-ready]")
    phone.set_input_files("#file", file)
    phone.wait_for_selector("#classes li")
    found = {
        row.query_selector("span").inner_text(): (
            float(row.get_attribute("data-probability")),
            "holds" in (row.get_attribute("class") or ""),
        )
        for row in phone.query_selector_all("#classes li")
    }
    predictor = load_predictor(tmp_path / "export" / "model_fp32.tflite")
    (answers,) = predictor.outputs(images[:1]).values()
    least = declared.get("thresholds", [np.inf] * 3)
    for name, answer, limit in zip("abc", answers[0], least, strict=True):
        assert found[name] == (pytest.approx(float(answer), rel=1e-4), bool(answer >= limit))
