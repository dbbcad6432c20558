"""What a server decodes inside the graph is what `read_image` gives for the same file."""

import io
import os
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_vit.export.saved_model.decode import decode
from keras_vit.io.images import decode_image
from keras_vit.io.preprocessing import Preprocessing

SIZE = (24, 32)
STRETCH = Preprocessing.of("stretch", SIZE)
SHARED = Path(os.environ.get("KERAS_VIT_SHARED_DATA", Path(__file__).parents[4] / "shared" / "data"))


@pytest.fixture(scope="module")
def served():
    functions = {
        channels: tf.function(lambda data, c=channels: decode(data, STRETCH, c)).get_concrete_function(
            tf.TensorSpec((), tf.string)
        )
        for channels in (1, 3)
    }
    return lambda data, channels: functions[channels](tf.constant(data)).numpy().astype(int)


def photograph(height=90, width=130):
    """Smooth and coloured differently in every corner, so that any turn or swap of channels shows."""
    y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    return Image.fromarray(np.uint8(np.stack([255 * y, 255 * x, 200 * x * (1 - y)], axis=-1)))


def transparent():
    image = photograph().convert("RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    return image


def encoded(image, kind, **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def exif(orientation):
    tags = Image.Exif()
    tags[0x0112] = orientation
    return tags


def difference(served, data, channels):
    ours = decode_image(data, "x", size=SIZE, channels=channels).astype(int)
    return np.abs(served(data, channels) - ours).max()


ODD = {
    "jpeg": encoded(photograph(), "JPEG", quality=95),
    "progressive jpeg": encoded(photograph(), "JPEG", quality=95, progressive=True),
    "grey jpeg": encoded(photograph().convert("L"), "JPEG", quality=95),
    "cmyk jpeg": encoded(photograph().convert("CMYK"), "JPEG", quality=95),
    "png": encoded(photograph(), "PNG"),
    "palette png": encoded(photograph().quantize(64), "PNG"),
    "transparent palette png": encoded(photograph().quantize(64), "PNG", transparency=3),
    "black and white png": encoded(photograph().convert("1"), "PNG"),
    "transparent png": encoded(transparent(), "PNG"),
    "transparent grey png": encoded(transparent().convert("LA"), "PNG"),
    "bmp": encoded(photograph(), "BMP"),
    "gif": encoded(photograph(), "GIF"),
    "animated gif": encoded(
        photograph(), "GIF", save_all=True, append_images=[photograph().transpose(Image.Transpose.ROTATE_180)]
    ),
    "webp": encoded(photograph(), "WEBP", lossless=True),
    "one pixel": encoded(Image.new("RGB", (1, 1), (200, 30, 90)), "PNG"),
    "long and thin": encoded(photograph(3, 900), "PNG"),
}


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", ODD)
def test_an_odd_file_is_read_as_predict_reads_it(served, name, channels):
    # JPEG decoders may differ by a few of 255 in a pixel, and roundings by one; a mistake gives tens.
    assert difference(served, ODD[name], channels) <= (4 if "jpeg" in name else 2)


@pytest.mark.parametrize("orientation", range(9))
def test_a_photograph_held_any_way_is_turned_upright(served, orientation):
    assert difference(served, encoded(photograph(), "JPEG", quality=95, exif=exif(orientation)), 3) <= 4


def test_orientation_is_read_in_either_byte_order_and_after_other_segments(served):
    tags = exif(6)
    little, big = tags.tobytes(), b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    assert b"II*" in little or b"MM" in little
    for block in (little, big):
        data = encoded(photograph(), "JPEG", quality=95, exif=block, comment=b"x" * 3000, dpi=(72, 72))
        assert decode_image(data, "x").shape == (130, 90, 3)
        assert difference(served, data, 3) <= 4


@pytest.mark.parametrize(
    "block", [b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff"]
)
def test_a_broken_exif_block_leaves_the_image_as_it_is(served, block):
    plain, marked = encoded(photograph(), "JPEG"), encoded(photograph(), "JPEG", exif=block)
    np.testing.assert_array_equal(served(marked, 3), served(plain, 3))


@pytest.mark.parametrize("geometry", ["center_crop", "letterbox"])
def test_a_photograph_held_upright_is_cropped_or_padded_after_it_is_turned(geometry):
    prepare = Preprocessing.of(geometry, SIZE)
    data = encoded(photograph(), "JPEG", quality=95, exif=exif(6))
    ours = decode_image(data, "x", prepare).astype(int)
    assert ours.shape == (*SIZE, 3) and (ours[0, 0] == 128).all() == (geometry == "letterbox")
    assert np.abs(decode(tf.constant(data), prepare, 3).numpy() - ours).max() <= 4


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "CMYK JPEG", "turned JPEG", "WEBP"])
def test_a_large_file_is_reduced_as_predict_reduces_it(served, kind, channels):
    large = photograph(700, 530)
    options = {"quality": 95} if "JPEG" in kind else {"lossless": True} if kind == "WEBP" else {}
    if kind == "turned JPEG":
        options["exif"] = exif(6)
    image = large.convert("CMYK") if kind == "CMYK JPEG" else large
    data = encoded(image, kind.split()[-1], **options)
    assert difference(served, data, channels) <= 2


def test_broken_bytes_are_refused(served):
    for data in (b"", b"no image", ODD["png"][:200]):
        with pytest.raises(tf.errors.InvalidArgumentError):
            served(data, 3)


@pytest.mark.skipif(not (SHARED / "photos").is_dir(), reason=f"needs photographs in {SHARED}")
@pytest.mark.parametrize("channels", [1, 3])
def test_real_photographs_are_read_as_predict_reads_them(served, channels):
    files = sorted(p for p in (SHARED / "photos").iterdir() if p.suffix in (".jpg", ".png"))
    assert files
    for path in files:
        assert difference(served, path.read_bytes(), channels) <= 6, path.name
