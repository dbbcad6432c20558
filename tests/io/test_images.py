import io
import os
from pathlib import Path

import numpy as np
import pytest
from deep_files import chunk, png_of_four_greys
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from keras_vit.errors import InputError
from keras_vit.io.image_formats import IMAGE_SUFFIXES
from keras_vit.io.images import Changes, decode_image, read_image, resize_image
from keras_vit.io.preprocessing import Preprocessing

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)
FORMATS = {
    ".jpg": "JPEG", ".jpeg": "JPEG", ".jfif": "JPEG", ".jpe": "JPEG", ".png": "PNG", ".webp": "WEBP",
    ".bmp": "BMP", ".gif": "GIF", ".tif": "TIFF", ".tiff": "TIFF", ".avif": "AVIF",
}  # fmt: skip


def two_tone(size=(8, 6)):
    """RGB image of `(width, height)`, left half red, right half blue."""
    image = Image.new("RGB", size, RED)
    image.paste(BLUE, (size[0] // 2, 0, *size))
    return image


def saved(image, file_format="PNG", **options):
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def test_every_suffix_is_tested():
    assert set(FORMATS) == set(IMAGE_SUFFIXES)


@pytest.mark.parametrize("suffix", FORMATS)
def test_every_format_is_read_with_its_colours(suffix, tmp_path):
    path = tmp_path / f"image{suffix}"
    two_tone((32, 16)).save(path)
    image = read_image(path)
    assert image.shape == (16, 32, 3) and image.dtype == np.uint8
    assert np.abs(image[8, 4].astype(int) - RED).max() <= 4  # lossy formats
    assert np.abs(image[8, 28].astype(int) - BLUE).max() <= 4


def test_pixels_can_be_written_to_and_greyscale_has_one_channel():
    image = decode_image(saved(two_tone()), "x", channels=1)
    image[0, 0] = 7
    assert image.shape == (6, 8, 1)
    assert image[5, 0] == 76 and image[5, 7] == 29  # ITU-R 601 luma of red and blue


def test_greyscale_becomes_three_equal_channels():
    image = decode_image(saved(Image.new("L", (4, 4), 100)), "x")
    np.testing.assert_array_equal(image, np.full((4, 4, 3), 100))


def test_bilevel_images_are_black_and_white():
    bits = Image.new("1", (2, 1))
    bits.putpixel((1, 0), 1)
    np.testing.assert_array_equal(decode_image(saved(bits), "x", channels=1)[0, :, 0], [0, 255])


def test_palette_colours_are_looked_up():
    image = two_tone().quantize(2)
    assert image.mode == "P"
    np.testing.assert_array_equal(decode_image(saved(image), "x"), np.asarray(two_tone()))


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparency_is_composited_on_white(mode):
    image = Image.new("RGBA", (3, 1), (0, 0, 0, 0))
    image.putpixel((1, 0), (0, 0, 0, 255))
    image.putpixel((2, 0), (0, 0, 0, 51))
    pixels = decode_image(saved(image.convert(mode)), "x")
    np.testing.assert_array_equal(pixels[0, :, 0], [255, 0, 204])


def test_a_transparent_palette_entry_and_a_transparent_colour_are_white():
    palette = two_tone().quantize(2)
    key = palette.getpixel((7, 0))
    for data in (
        saved(palette, "GIF", transparency=key),
        saved(palette, "PNG", transparency=key),
        saved(two_tone(), "PNG", transparency=BLUE),
    ):
        pixels = decode_image(data, "x")
        assert tuple(pixels[0, 0]) == RED and tuple(pixels[0, 7]) == WHITE


@pytest.mark.parametrize(("key", "expected"), [(0, [255, 85]), (1, [0, 255]), (2, [0, 85])])
def test_a_transparent_grey_of_few_bits_is_white(key, expected):
    data = png_of_four_greys(chunk(b"tRNS", bytes([0, key])))
    np.testing.assert_array_equal(decode_image(data, "x")[0, :2, 0], expected)


def test_cmyk_becomes_rgb():
    image = Image.new("CMYK", (16, 16), (0, 255, 255, 0))
    pixels = decode_image(saved(image, "JPEG", quality=95), "x")
    assert np.abs(pixels.astype(int) - RED).max() <= 6


def test_16_bits_are_scaled_to_8():
    values = np.array([[0, 257 * 100, 257 * 200, 65535]], np.uint16)
    pixels = decode_image(saved(Image.fromarray(values)), "x")
    np.testing.assert_array_equal(pixels[0, :, 1], [0, 100, 200, 255])


@pytest.mark.parametrize("file_format", ["GIF", "WEBP", "PNG"])
def test_the_first_frame_of_an_animation_is_taken(file_format):
    frames = [Image.new("RGB", (8, 8), colour) for colour in (RED, GREEN)]
    options = {"lossless": True} if file_format == "WEBP" else {}
    data = saved(frames[0], file_format, save_all=True, append_images=frames[1:], **options)
    assert Image.open(io.BytesIO(data)).n_frames == 2
    np.testing.assert_array_equal(decode_image(data, "x")[0, 0], RED)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_exif_orientation_is_applied(orientation):
    upright = two_tone((48, 32))
    upright.paste(GREEN, (0, 0, 16, 16))
    turn = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = upright.transpose(turn[orientation]) if orientation > 1 else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    pixels = decode_image(saved(stored, "PNG", exif=exif), "x")
    np.testing.assert_array_equal(pixels, np.asarray(upright))


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_an_exif_tag_of_the_wrong_type_does_not_hide_the_orientation():
    tags = b"\x12\1\3\0\1\0\0\0\6\0\0\0" + b"\0\1\2\0\3\0\0\0ab\0\0"  # orientation 6, a width of "ab"
    exif = b"Exif\0\0II*\0\x08\0\0\0\2\0" + tags + b"\0\0\0\0"
    assert decode_image(saved(two_tone((16, 24)), "JPEG", exif=exif), "x").shape == (16, 24, 3)


def test_a_damaged_exif_block_does_not_make_an_image_unreadable():
    data = saved(two_tone((16, 16)), "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff\x01\x12\0\x03")
    assert decode_image(data, "x").shape == (16, 16, 3)


def test_images_are_stretched_to_height_and_width():
    pixels = decode_image(saved(two_tone((40, 10))), "x", size=(20, 8))
    assert pixels.shape == (20, 8, 3)
    np.testing.assert_array_equal(pixels[:, :3], np.broadcast_to(RED, (20, 3, 3)))
    assert decode_image(saved(two_tone()), "x", size=5).shape == (5, 5, 3)


@pytest.mark.parametrize("size", [(640, 427), (1546, 1213), (517, 606), (1001, 642), (2000, 411)])
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("geometry", ["center_crop", "letterbox", "stretch"])
def test_reducing_large_images_first_hardly_changes_the_result(size, kind, geometry):
    """By a few levels, not by a shift of the crop: 75 levels where the ratio of the sides was rounded."""
    detail = np.random.default_rng(0).integers(0, 256, (6, 8, 3), "uint8")
    image = Image.fromarray(detail).resize(size, Image.Resampling.BICUBIC)
    prepare = Preprocessing.of(geometry, (32, 32))
    data = saved(image, kind, **({"quality": 95} if kind == "JPEG" else {}))
    whole = prepare(Image.open(io.BytesIO(data)))
    difference = np.abs(decode_image(data, "x", prepare).astype(int) - whole)
    assert difference.max() <= 8 and difference.mean() < 1


def test_shrinking_is_antialiased():
    checkerboard = ((np.indices((64, 64)).sum(axis=0) % 2) * 255).astype(np.uint8)[..., np.newaxis]
    assert np.abs(resize_image(checkerboard, (8, 8)).astype(int) - 127).max() <= 16


def test_resizing_treats_any_number_of_channels_alike():
    pixels = np.random.default_rng(0).integers(0, 256, (9, 7, 5), dtype=np.uint8)
    resized = resize_image(pixels, (4, 6))
    assert resized.shape == (4, 6, 5)
    np.testing.assert_array_equal(resized[..., 1:4], resize_image(pixels[..., 1:4], (4, 6)))


def test_a_missing_file_and_a_folder_are_refused_by_name(tmp_path):
    with pytest.raises(InputError, match=r"none\.png, found none"):
        read_image(tmp_path / "none.png")
    with pytest.raises(InputError, match=tmp_path.name):
        read_image(tmp_path)


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "BMP", "GIF"])
def test_truncated_files_are_refused_by_name(file_format, tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    data = saved(Image.fromarray(noise), file_format)
    path = tmp_path / "half.img"
    for length in (4, len(data) // 2):
        path.write_bytes(data[:length])
        with pytest.raises(InputError, match=r"half\.img"):
            read_image(path)


@pytest.mark.parametrize("data", [b"", b"\0" * 100, b"hello, I am text", b"<svg xmlns='x'/>"])
def test_a_file_that_is_not_an_image_is_named(data):
    with pytest.raises(InputError, match="holiday"):
        decode_image(data, "holiday")


def test_other_formats_are_refused():
    with pytest.raises(InputError, match="Expected JPEG, PNG, WebP, BMP, GIF, TIFF, AVIF"):
        decode_image(saved(two_tone(), "PCX"), "x.pcx")
    with pytest.raises(InputError, match="floating-point"):
        decode_image(saved(Image.new("F", (4, 4)), "TIFF"), "x.tiff")


def test_transparency_and_16_bits_are_counted():
    changes = Changes()
    opaque = Image.new("RGBA", (2, 2), (0, 0, 0, 255))
    for image in (opaque, Image.new("RGBA", (2, 2)), Image.new("LA", (2, 2)), two_tone()):
        decode_image(saved(image), "x", changes=changes)
    decode_image(saved(Image.fromarray(np.array([[1285, 65535]], np.uint16))), "x", changes=changes)
    assert [line.partition(",")[0] for line in changes.lines()] == [
        "2 images have transparent parts",
        "1 image has 16 bits",
    ]
    assert "values from 1,285 to 65,535 of 65,535: divided by 257, 251 levels" in changes.lines()[1]
    changes.check("here")


def test_compressed_images_of_8_bits_are_not_taken_for_16():
    noise, changes = np.random.default_rng(0).integers(0, 256, (80, 4, 3)).astype("uint8"), Changes()
    files = [
        saved(Image.fromarray(noise[:height]), "TIFF", compression="tiff_lzw") for height in range(20, 80)
    ]
    assert any(
        "16" in str(Image.open(io.BytesIO(file)).tile[0][3]) for file in files
    )  # an offset in the file
    for file in files:
        decode_image(file, "x", changes=changes)
    assert changes.sixteen_bits == 0


def test_16_bits_of_a_small_range_are_refused():
    changes = Changes()
    for low, high in ((600, 1400), (700, 4095)):
        image = Image.fromarray(np.array([[low, high]], np.uint16))
        decode_image(saved(image), "x", changes=changes)
    with pytest.raises(InputError, match="scans have values from 600 to 4,095 .* 15 grey levels would"):
        changes.check("scans")


def test_a_decompression_bomb_is_refused_by_name():
    bomb = saved(Image.new("1", (20_000, 20_000)), "PNG")
    assert len(bomb) < 200_000
    with pytest.raises(InputError, match=r"bomb\.png is too large"):
        decode_image(bomb, "bomb.png")


@pytest.mark.parametrize("size", [0, -1, (4,), (4, 0), "8", 2.5, (1, 2, 3)])
def test_an_invalid_size_is_refused(size):
    with pytest.raises(InputError, match="Expected size"):
        decode_image(saved(two_tone()), "x", size=size)


def test_other_channels_than_grey_and_rgb_are_refused():
    with pytest.raises(InputError, match="1 .grey. or 3 .RGB."):
        decode_image(saved(two_tone()), "x", channels=4)


def test_flipped_bytes_are_an_image_or_an_input_error():
    generator = np.random.default_rng(0)
    for file_format in ("JPEG", "PNG", "WEBP", "BMP", "GIF"):
        data = saved(two_tone((24, 24)), file_format)
        for _ in range(60):
            broken = bytearray(data)
            for place in generator.integers(0, len(data), 3):
                broken[place] = generator.integers(256)
            try:
                assert decode_image(bytes(broken), "broken", size=8).shape == (8, 8, 3)
            except InputError as error:
                assert "broken" in str(error)


@pytest.mark.parametrize("place", ["pixels", "end"])
def test_a_flipped_bit_in_a_png_is_found_by_its_checksum(place):
    data = bytearray(saved(two_tone((64, 64)), "PNG"))
    data[data.index(b"IDAT") + 20 if place == "pixels" else -6] ^= 1
    with pytest.raises(InputError, match="x.png"):
        decode_image(bytes(data), "x.png")


def test_a_device_without_end_and_a_pipe_are_refused(tmp_path):
    (tmp_path / "zero.png").symlink_to("/dev/zero")
    os.mkfifo(tmp_path / "pipe.png")
    for name in ("zero.png", "pipe.png"):
        with pytest.raises(InputError, match=f"{name}, found no file"):
            read_image(tmp_path / name)


@given(st.binary(max_size=300), st.sampled_from(["JPEG", "PNG", "WEBP", "BMP", "GIF"]), st.integers(0, 400))
def test_any_bytes_after_any_head_are_an_image_or_an_input_error(tail, file_format, length):
    data = saved(two_tone((24, 24)), file_format)[:length] + tail
    try:
        image = decode_image(data, "x", size=8)
    except InputError as error:
        assert len(str(error).splitlines()) == 1
    else:
        assert image.shape == (8, 8, 3)


def test_real_photographs_are_read():
    shared = os.environ.get("KERAS_VIT_SHARED_DATA") or Path(__file__).parents[2] / "shared" / "data"
    photos = sorted(path for path in Path(shared, "photos").glob("*") if path.suffix in IMAGE_SUFFIXES)
    if not photos:
        pytest.skip(f"no photographs in {shared}; KERAS_VIT_SHARED_DATA names the folder of shared data")
    for photo in photos:
        image = read_image(photo, size=(96, 128))
        assert image.shape == (96, 128, 3) and image.std() > 20, photo
