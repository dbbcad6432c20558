"""The lines that prepare photos in an app do what `Preprocessing` does."""

import dataclasses
import itertools
import re
import shutil
import subprocess

import numpy as np
import pytest
from PIL import Image

from keras_vit.export.app.preparation import preparation
from keras_vit.io.images import read_image
from keras_vit.io.preprocessing import Preprocessing

CASES = [
    Preprocessing((32, 32), interpolation="bilinear"),
    Preprocessing((24, 40), 0.875, interpolation="bilinear"),
    Preprocessing((32, 32), 0.875, "shortest_edge", "bicubic"),
    Preprocessing((40, 24), 1.0, "border", "bilinear", fill=0.5),
    Preprocessing((32, 32), 1.0, "squash", "lanczos", background=(0, 128, 255)),
    Preprocessing((32, 32), 1.0, "squash", "nearest"),  # of which no pixel is between two by rounding alone
]
SIZES = [(160, 120), (120, 160), (101, 99), (20, 30)]


def photo(size, alpha=False):
    """A picture with edges and noise, in part transparent."""
    rng = np.random.default_rng(sum(size))
    coarse = Image.fromarray(rng.integers(0, 256, (9, 9, 4), "uint8")).resize(size, Image.Resampling.NEAREST)
    pixels = np.asarray(coarse).astype(int) + rng.integers(-20, 20, (size[1], size[0], 4))
    pixels = np.clip(pixels, 0, 255).astype("uint8")
    return Image.fromarray(pixels) if alpha else Image.fromarray(pixels[..., :3])


def on_background(image, how):
    ground = Image.new("RGBA", image.size, (*how.background, 255))
    return Image.alpha_composite(ground, image.convert("RGBA")).convert("RGB")


@pytest.mark.parametrize("how", CASES, ids=lambda how: f"{how.crop_mode} {how.interpolation}")
def test_python_lines_give_the_pixels_of_training(how):
    lines = {}
    exec(preparation("python", how), lines)
    for size, alpha in itertools.product(SIZES, (False, True)):
        image = photo(size, alpha)
        np.testing.assert_array_equal(lines["for_model"](image), how(on_background(image, how)))


def test_python_lines_turn_a_photo_as_its_exif_says(tmp_path):
    lines = {}
    exec(preparation("python", CASES[0]), lines)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise by 90 degrees
    photo((160, 120)).rotate(90, expand=True).save(tmp_path / "turned.png", exif=exif)
    with Image.open(tmp_path / "turned.png") as turned:
        np.testing.assert_array_equal(lines["for_model"](turned), CASES[0](photo((160, 120))))


@pytest.mark.parametrize("window", [None, (300, 4095)])
@pytest.mark.parametrize("kind", ["png", "tif"])
def test_python_lines_scale_grey_of_16_bits_as_training_does(kind, window, tmp_path):
    how = dataclasses.replace(CASES[0], window=window)
    lines = {}
    exec(preparation("python", how), lines)
    values = np.random.default_rng(0).integers(0, 5000 if window else 65_536, (50, 70), "uint16")
    Image.fromarray(values).save(tmp_path / f"deep.{kind}")
    with Image.open(tmp_path / f"deep.{kind}") as image:
        found = lines["for_model"](image)
    np.testing.assert_array_equal(found, read_image(tmp_path / f"deep.{kind}", how))
    assert np.ptp(found) > 100


@pytest.mark.parametrize("language", ["kotlin", "swift"])
def test_the_lines_parse_with_every_filter_and_geometry(language):
    tree_sitter = pytest.importorskip("tree_sitter")
    grammar = pytest.importorskip(f"tree_sitter_{language}")
    parser = tree_sitter.Parser(tree_sitter.Language(grammar.language()))
    for how in CASES:
        assert not parser.parse(preparation(language, how).encode()).root_node.has_error, how
    assert parser.parse(b"val let = ) fun").root_node.has_error


MAIN = """
import java.io.*
fun main(files: Array<String>) {
    val input = DataInputStream(BufferedInputStream(FileInputStream(files[0])))
    val output = DataOutputStream(BufferedOutputStream(FileOutputStream(files[1])))
    while (input.available() > 0) {
        val case = input.readInt()
        val width = input.readInt()
        val height = input.readInt()
        val rotation = input.readInt()
        val photo = IntArray(width * height) { input.readInt() }
        val result = when (case) { @CALLS@ else -> throw Exception() }
        result.forEach { output.writeInt(it) }
    }
    output.close()
}
"""


@pytest.mark.slow  # the compiler takes half a minute
def test_kotlin_lines_give_the_pixels_of_training(tmp_path):
    """All but the function that reads Android's Bitmap, on photos turned as a phone gives them."""
    if shutil.which("kotlinc") is None or shutil.which("java") is None:
        pytest.skip("there is no kotlinc or no java")
    for number, how in enumerate(CASES):
        lines = re.sub(r"/\*\* A photo.*?\n}\n", "", preparation("kotlin", how), flags=re.DOTALL)
        (tmp_path / f"Case{number}.kt").write_text(f"package case{number}\n{lines}")
    calls = "\n".join(f"{n} -> case{n}.prepared(photo, width, height, rotation)" for n in range(len(CASES)))
    (tmp_path / "Main.kt").write_text(MAIN.replace("@CALLS@", calls))
    program = tmp_path / "program.jar"
    subprocess.run(["kotlinc", *tmp_path.glob("*.kt"), "-include-runtime", "-d", program], check=True)
    inputs, expected = [], []
    for (number, how), size, turns in itertools.product(enumerate(CASES), SIZES, range(4)):
        image = photo(size, alpha=turns == 1)
        turned = image.convert("RGBA").rotate(90 * turns, expand=True)  # counter-clockwise
        red, green, blue, alpha = np.moveaxis(np.asarray(turned).astype("uint32"), -1, 0)
        pixels = (alpha << 24 | red << 16 | green << 8 | blue).astype(">u4")
        inputs += [np.array([number, *turned.size, 90 * turns], ">i4").tobytes(), pixels.tobytes()]
        expected.append(how(on_background(image, how)))
    (tmp_path / "in").write_bytes(b"".join(inputs))
    subprocess.run(["java", "-cp", program, "MainKt", tmp_path / "in", tmp_path / "out"], check=True)
    found = np.frombuffer((tmp_path / "out").read_bytes(), ">u4")
    for image in expected:
        height, width, _ = image.shape
        pixels, found = found[: height * width].reshape(height, width), found[height * width :]
        levels = np.stack([pixels >> 16 & 255, pixels >> 8 & 255, pixels & 255], axis=-1).astype(int)
        assert (pixels >> 24 == 255).all()
        difference = np.abs(levels - image)
        assert difference.max() <= 2  # rows and columns of a turned photo are rounded in the other order
        assert difference.mean() < 0.2
    assert not len(found)
