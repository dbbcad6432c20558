"""The page prepares photos as `keras_vit.io.images` does."""

import dataclasses
import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from keras_vit.io.preprocessing import Preprocessing

SCRIPT = Path(__file__).parents[3] / "export" / "web" / "page" / "images" / "pixels.js"
PROGRAM = """
import { readFileSync } from "node:fs";
const source = readFileSync(process.argv[1], "utf8");
const module = await import("data:text/javascript," + encodeURIComponent(source));
const { data, shape, fields, channels } = JSON.parse(readFileSync(0));
const image = module.withChannels({ data, width: shape[1], height: shape[0] }, channels);
const result = { pixels: Array.from(module.prepare(image, fields).data), seen: module.seen(image, fields) };
console.log(JSON.stringify(result));
"""
CASES = {
    "stretch": Preprocessing.of("stretch", (16, 16)),
    "stretch to a rectangle": Preprocessing.of("stretch", (24, 20)),
    "centre crop": Preprocessing.of("center_crop", (16, 20)),
    "letterbox": Preprocessing.of("letterbox", (16, 17)),
    "letterbox on the mean": Preprocessing((16, 17), 1, "border", "bilinear", mean=(0.485, 0.456, 0.406)),
    "bicubic part": Preprocessing((16, 16), 0.875),
    "lanczos, corner of transformers": Preprocessing((16, 16), 0.9, "shortest_edge", "lanczos"),
    "nearest": Preprocessing((16, 16), interpolation="nearest"),
    "not rounded between": Preprocessing((16, 16), interpolation="bilinear", rounded=False),
    "enlarged": Preprocessing((64, 64), 1.2),
}
needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")


def in_node(pixels, case, channels):
    fields = dataclasses.asdict(case)
    job = {"data": pixels.ravel().tolist(), "shape": pixels.shape, "fields": fields, "channels": channels}
    command = ["node", "--input-type=module", "-e", PROGRAM, str(SCRIPT)]
    result = subprocess.run(command, input=json.dumps(job), capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def photo(height, width):
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 4)).astype("uint8")
    pixels[..., 3] = 255
    return pixels


@needs_node
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
@pytest.mark.parametrize(("shape", "channels"), [((40, 31), 3), ((9, 50), 1), ((16, 16), 3)])
def test_a_photo_is_prepared_as_python_prepares_it(case, shape, channels):
    pixels = photo(*shape)
    image = np.asarray(Image.fromarray(pixels).convert("RGB" if channels == 3 else "L"))
    expected = np.rint(np.clip(case(image.reshape(*shape, channels)), 0, 255)).astype(int)
    found = np.array(in_node(pixels, case, channels)["pixels"]).reshape(expected.shape)
    difference = np.abs(found - expected)
    assert difference.max() <= (not case.rounded)  # a sum of floats may be rounded the other way
    assert (difference > 0).mean() < 0.01


@needs_node
@pytest.mark.parametrize(
    ("case", "seen"),
    [
        (Preprocessing.of("center_crop", 16), {"x": 15, "y": 0, "width": 30, "height": 30}),
        (Preprocessing.of("letterbox", 16), {"x": 0, "y": -15, "width": 60, "height": 60}),
        (Preprocessing.of("stretch", 16), {"x": 0, "y": 0, "width": 60, "height": 30}),
    ],
    ids=lambda value: getattr(value, "geometry", ""),
)
def test_the_page_shows_the_part_of_a_photo_that_the_model_sees(case, seen):
    assert in_node(photo(30, 60), case, 3)["seen"] == pytest.approx(seen, abs=1e-9)
