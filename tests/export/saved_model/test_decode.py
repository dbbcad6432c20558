"""What a server decodes inside the graph is what `read_image` gives for the same file."""

import contextlib
import io
import os
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from deep_files import chunk, deep_png, png_of_four_greys
from PIL import Image
from PIL.PngImagePlugin import PngInfo

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


def two_colors():
    """The right half is of a colour that a file may state as transparent."""
    image = Image.new("RGB", (130, 90), (40, 90, 20))
    image.paste((200, 30, 90), (65, 0, 130, 90))
    return image


def deep(channels):
    """Values of 16 bits, of 12 bits of which most are used; the upper left is 0, the opacity a slope."""
    image = transparent() if channels % 2 == 0 else photograph()
    pixels = np.asarray(image.convert({1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[channels])).astype("uint16")
    pixels = pixels.reshape(*pixels.shape[:2], channels) * 16
    pixels[:30, :30] = 0
    if channels % 2 == 0:
        pixels[..., -1] = np.linspace(0, 65_535, 130)
    return pixels


def animated(frames, opacity=False, **options):
    kind = "RGBA" if opacity else "RGB"
    first, *others = [frame.convert(kind) for frame in frames]
    return encoded(first, "WEBP", save_all=True, append_images=others, **options)


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


EXACT = {"JPEG": {"quality": 95}, "PNG": {}, "WEBP": {"lossless": True}}
ODD = {
    "jpeg": encoded(photograph(), "JPEG", quality=95),
    "progressive jpeg": encoded(photograph(), "JPEG", quality=95, progressive=True),
    "grey jpeg": encoded(photograph().convert("L"), "JPEG", quality=95),
    "cmyk jpeg": encoded(photograph().convert("CMYK"), "JPEG", quality=95),
    "png": encoded(photograph(), "PNG"),
    "palette png": encoded(photograph().quantize(64), "PNG"),
    "transparent palette png": encoded(photograph().quantize(64), "PNG", transparency=3),
    "png of two colours": encoded(photograph().quantize(2), "PNG"),
    "transparent png of three colours": encoded(
        photograph().quantize(3), "PNG", transparency=b"\x03\x80\x0f"
    ),
    "png of four greys": png_of_four_greys(),
    "png of four greys, one transparent": png_of_four_greys(chunk(b"tRNS", b"\0\2")),
    "transparent black and white png": encoded(two_colors().convert("1"), "PNG", transparency=255),
    "black and white png": encoded(photograph().convert("1"), "PNG"),
    "transparent png": encoded(transparent(), "PNG"),
    "transparent grey png": encoded(transparent().convert("LA"), "PNG"),
    "bmp": encoded(photograph(), "BMP"),
    "grey bmp": encoded(photograph().convert("L"), "BMP"),
    "palette bmp": encoded(photograph().quantize(64), "BMP"),
    "bmp of few colours": encoded(photograph().quantize(17), "BMP"),
    "gif": encoded(photograph(), "GIF"),
    "animated gif": encoded(
        photograph(), "GIF", save_all=True, append_images=[photograph().transpose(Image.Transpose.ROTATE_180)]
    ),
    "webp": encoded(photograph(), "WEBP", lossless=True),
    "transparent webp": encoded(transparent(), "WEBP", lossless=True),
    "png with a transparent colour": encoded(two_colors(), "PNG", transparency=(200, 30, 90)),
    "grey png with a transparent colour": encoded(two_colors().convert("L"), "PNG", transparency=88),
    **{f"png of 16 bits, {count} channels": deep_png(deep(count)) for count in (1, 2, 3, 4)},
    **{
        f"png of 16 bits, {count} channels, with a transparent colour": deep_png(
            deep(count), chunk(b"tRNS", bytes(2 * count))
        )
        for count in (1, 3)
    },
    "one pixel": encoded(Image.new("RGB", (1, 1), (200, 30, 90)), "PNG"),
    "long and thin": encoded(photograph(3, 900), "PNG"),
}


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", ODD)
def test_an_odd_file_is_read_as_predict_reads_it(served, name, channels):
    # JPEG decoders may differ by a few of 255 in a pixel, and roundings by one; a mistake gives tens.
    assert difference(served, ODD[name], channels) <= (4 if "jpeg" in name else 2)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(10))
def test_a_photograph_held_any_way_is_turned_upright(served, kind, orientation):
    data = encoded(photograph(), kind, exif=exif(orientation), **EXACT[kind])
    assert decode_image(data, "x").shape[:2] == ((130, 90) if orientation in range(5, 9) else (90, 130))
    assert difference(served, data, 3) <= 4


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize(
    "form", ['<rdf x:y="1" tiff:Orientation="6"/>', "<tiff:Orientation>6</tiff:Orientation>"]
)
@pytest.mark.parametrize("stated", [None, 0, 1, 8])
def test_orientation_of_xmp_counts_where_exif_has_none(served, kind, form, stated):
    options = {} if stated is None else {"exif": exif(stated)}
    options |= {"pnginfo": with_xmp(form)} if kind == "PNG" else {"xmp": form.encode()}
    data = encoded(photograph(), kind, **options, **EXACT[kind])
    assert decode_image(data, "x").shape[:2] == ((130, 90) if stated in (None, 8) else (90, 130))
    assert difference(served, data, 3) <= 4


def with_xmp(text):
    chunks = PngInfo()
    chunks.add_itxt("XML:com.adobe.xmp", text)
    return chunks


def test_orientation_behind_the_pixels_of_a_large_png_and_webp_is_read(served):
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (300, 200, 3)).astype("uint8"))
    plain = encoded(noise, "PNG")
    data = plain[:-12] + chunk(b"eXIf", exif(6).tobytes()[6:]) + plain[-12:]
    assert len(data) > 100_000
    for each in (data, encoded(noise, "WEBP", exif=exif(6), lossless=True)):
        assert decode_image(each, "x").shape[:2] == (200, 300)
        assert difference(served, each, 3) <= 4


def test_a_long_number_and_a_prefix_within_webp_are_read(served):
    long = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x04\0\0\0\x01\0\0\0\x06\0\0\0\0"
    for kind in ("JPEG", "PNG", "WEBP"):
        data = encoded(photograph(), kind, exif=b"Exif\0\0" + long, **EXACT[kind])
        assert decode_image(data, "x").shape[:2] == (130, 90)
        assert difference(served, data, 3) <= 4
    plain = encoded(photograph(), "WEBP", exif=b"XXXXXX" + long, lossless=True)
    data = plain.replace(b"XXXXXX", b"Exif\0\0")
    assert decode_image(data, "x").shape[:2] == (130, 90)
    assert difference(served, data, 3) <= 2


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
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_broken_exif_block_leaves_the_image_as_it_is(served, kind, block):
    plain, marked = encoded(photograph(), kind), encoded(photograph(), kind, exif=block)
    np.testing.assert_array_equal(served(marked, 3), served(plain, 3))


@pytest.mark.parametrize("size", [(130, 90), (1, 1), (96, 128), (640, 480), (33, 517)])
@pytest.mark.parametrize("opacity", [False, True])
@pytest.mark.parametrize("options", [{"lossless": True}, {"quality": 90}])
def test_of_an_animated_webp_the_first_frame_is_read(served, size, opacity, options):
    first = (transparent() if opacity else photograph()).resize(size)
    others = [first.transpose(turn) for turn in (Image.Transpose.ROTATE_180, Image.Transpose.FLIP_LEFT_RIGHT)]
    data = animated([first, *others, Image.new("RGB", size)], opacity, **options)
    for channels in (1, 3):
        assert difference(served, data, channels) <= (2 if "lossless" in options else 4)


@pytest.mark.parametrize("opacity", [False, True])
def test_a_first_frame_that_does_not_cover_an_animated_webp_keeps_its_place(served, opacity):
    data = bytearray(animated([photograph(), Image.new("RGB", (130, 90))], lossless=True))
    frame = data.index(b"ANMF") + 8
    data[24:30] = (149).to_bytes(3, "little") + (119).to_bytes(3, "little")  # a canvas of 150 x 120
    data[frame : frame + 6] = (4).to_bytes(3, "little") + (10).to_bytes(3, "little")  # half of 8 and 20
    data[20] = 0x12 if opacity else 0x02
    assert difference(served, bytes(data), 3) <= 2


def test_an_animated_webp_is_turned(served):
    frames = [photograph(), Image.new("RGB", (130, 90))]
    data = animated(frames, lossless=True, exif=exif(6))
    assert decode_image(data, "x").shape[:2] == (130, 90)
    assert difference(served, data, 3) <= 2


def test_broken_animated_webp_files_are_refused_or_read_and_never_end_the_process(served):
    whole = animated([photograph(), Image.new("RGB", (130, 90))], lossless=True)
    generator = np.random.default_rng(0)
    frame = whole.index(b"ANMF")
    for place in (*range(20, 30), *range(frame, frame + 60), *generator.integers(0, len(whole), 60)):
        data = bytearray(whole)
        data[place] ^= int(generator.integers(1, 256))
        with contextlib.suppress(tf.errors.OpError):
            served(bytes(data), 3)
    for length in (21, 30, frame + 4, frame + 12, frame + 40, len(whole) // 2):
        with pytest.raises(tf.errors.InvalidArgumentError):
            served(whole[:length], 3)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_a_window_scales_png_files_of_16_bits_alone(channels):
    prepare = Preprocessing(**{**vars(STRETCH), "window": (500, 3000)})
    plain = encoded(photograph().convert({1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[channels]), "PNG")
    deep_files = [deep_png(deep(channels))]
    deep_files += [deep_png(deep(channels), chunk(b"tRNS", bytes(2 * channels)))] if channels % 2 else []
    for data in (*deep_files, plain):
        for output in (1, 3):
            ours = decode_image(data, "x", prepare, output).astype(int)
            assert np.abs(decode(tf.constant(data), prepare, output).numpy() - ours).max() <= 2


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
    broken_bmp = ODD["palette bmp"][:14] + b"\xff\xff\xff\x7f" + ODD["palette bmp"][18:]
    for data in (
        b"",
        b"no image",
        b"BM",
        ODD["png"][:20],
        ODD["png"][:200],
        ODD["palette bmp"][:60],
        broken_bmp,
    ):
        with pytest.raises(tf.errors.InvalidArgumentError):
            served(data, 3)


@pytest.mark.skipif(not (SHARED / "photos").is_dir(), reason=f"needs photographs in {SHARED}")
@pytest.mark.parametrize("channels", [1, 3])
def test_real_photographs_are_read_as_predict_reads_them(served, channels):
    files = sorted(p for p in (SHARED / "photos").iterdir() if p.suffix in (".jpg", ".png"))
    assert files
    for path in files:
        assert difference(served, path.read_bytes(), channels) <= 6, path.name
