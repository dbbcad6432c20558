"""The page prepares photos as `keras_vit.io.images` does."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from keras_vit.io.images import resize_image

SCRIPT = Path(__file__).parents[3] / "export" / "web" / "page" / "images" / "pixels.js"
PROGRAM = """
import { readFileSync } from "node:fs";
const source = readFileSync(process.argv[1], "utf8");
const module = await import("data:text/javascript," + encodeURIComponent(source));
const { data, shape, size, channels } = JSON.parse(readFileSync(0));
const image = module.withChannels({ data, width: shape[1], height: shape[0] }, channels);
console.log(JSON.stringify(Array.from(module.stretch(image, size[1], size[0]).data)));
"""


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("shape", "size"), [((40, 31), (16, 16)), ((9, 50), (24, 20)), ((8, 8), (8, 8))])
def test_a_photo_is_stretched_as_pillow_stretches_it(shape, size, channels):
    pixels = np.random.default_rng(0).integers(0, 256, (*shape, 4)).astype("uint8")
    pixels[..., 3] = 255
    image = Image.fromarray(pixels).convert("RGB" if channels == 3 else "L")
    expected = resize_image(np.asarray(image).reshape(*shape, channels), size)
    job = {"data": pixels.ravel().tolist(), "shape": shape, "size": size, "channels": channels}
    command = ["node", "--input-type=module", "-e", PROGRAM, str(SCRIPT)]
    result = subprocess.run(command, input=json.dumps(job), capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    stretched = np.array(json.loads(result.stdout)).reshape(expected.shape)
    difference = np.abs(stretched - expected.astype(int))
    assert difference.max() <= 1 and (difference > 0).mean() < 0.01  # halves may be rounded the other way
