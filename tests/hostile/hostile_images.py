"""Bad image files of every format."""

import functools
import io
import os
import struct
import zlib

import numpy as np
from hostile_case import Case, cut, flipped
from PIL import Image

FORMATS = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp", "BMP": "bmp", "GIF": "gif"}
SIZE = (48, 40)


@functools.cache
def picture(mode="RGB"):
    """Noise over a ramp, so that every byte of a file matters."""
    pixels = np.random.default_rng(0).integers(0, 120, (SIZE[1], SIZE[0], 3))
    pixels += np.linspace(0, 130, SIZE[0], dtype=int)[None, :, None]
    return Image.fromarray(pixels.astype("uint8")).convert(mode)


@functools.cache
def saved(file_format, mode="RGB", **options):
    buffer = io.BytesIO()
    picture(mode).save(buffer, file_format, **options)
    return buffer.getvalue()


def equal_to(content):
    """Rule of success: the pixels are those of the intact file."""

    def equal(result, good):
        with Image.open(io.BytesIO(content)) as image:
            return np.array_equal(result, np.asarray(image.convert("RGB")))

    return equal


def no_checksum(result, good):
    """Rule of success: the format has no checksum, so damage cannot be detected."""
    return result.dtype == np.uint8 and result.ndim == 3 and result.shape[2] == 3


def odd(result, good):
    """Rule of success: unusual, but a complete image of the declared size."""
    return no_checksum(result, good) and result.shape[:2] == (SIZE[1], SIZE[0])


def png_chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width, height, *chunks, bits=8, colour=2):
    """A PNG with any declared size and correct checksums."""
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + png_chunk(b"IEND", b"")


def declared(file_format, width, height):
    """A small file that declares another size than it has pixels for."""
    content = bytearray(saved(file_format))
    if file_format == "PNG":
        return png(width, height, png_chunk(b"IDAT", zlib.compress(bytes(1000))))
    if file_format == "BMP":
        content[18:26] = struct.pack("<ii", width, height)
    elif file_format == "GIF":
        for place in (6, content.index(b"\x2c\0\0\0\0") + 5):
            content[place : place + 4] = struct.pack("<HH", min(width, 65535), min(height, 65535))
    elif file_format == "JPEG":
        place = content.index(b"\xff\xc0") + 5
        content[place : place + 4] = struct.pack(">HH", min(height, 65535), min(width, 65535))
    else:
        place = content.index(b"\x9d\x01\x2a") + 3
        content[place : place + 4] = struct.pack("<HH", min(width, 16383), min(height, 16383))
    return bytes(content)


def cases():
    yield from _damaged()
    yield from _declared()
    yield from _foreign()
    yield from _places()
    yield from _odd()


def _case(name, content, allowed=None, suffix="png"):
    rule = {"allowed": allowed} if allowed else {}
    return Case("image", f"image {name}", "image", lambda place: place.put(f"x.{suffix}", content), **rule)


def _damaged():
    for file_format, suffix in FORMATS.items():
        content = saved(file_format)
        rule = equal_to(content) if file_format == "PNG" else no_checksum
        for share in (0.0, 0.001, 0.02, 0.1, 0.3, 0.6, 0.9, -20, -5, -1):
            yield _case(f"{suffix} cut {share}", cut(content, share), equal_to(content), suffix)
        for seed in range(12):
            yield _case(f"{suffix} flipped {seed}", flipped(content, seed, 1 + seed % 3), rule, suffix)
        for seed in range(4):
            changed = flipped(content, seed, 4, end=60)
            yield _case(f"{suffix} head flipped {seed}", changed, rule, suffix)
        yield _case(f"{suffix} zeros", bytes(len(content)), suffix=suffix)
        yield _case(f"{suffix} zeros after its head", content[:40] + bytes(len(content) - 40), rule, suffix)
        yield _case(f"{suffix} noise", np.random.default_rng(1).bytes(3000), suffix=suffix)
        yield _case(f"{suffix} twice its head", content[:50] + content, rule, suffix)


def _declared():
    sizes = ((60_000, 60_000), (16_000, 16_000), (0, 10), (10, 0), (2**31 - 1, 1), (3000, 3000))
    for file_format, suffix in FORMATS.items():
        for width, height in sizes:
            rule = None if file_format == "PNG" else _sparse
            yield _case(f"{suffix} {width} x {height}", declared(file_format, width, height), rule, suffix)
    yield _case("png bomb of one bit", _one_bit_bomb)
    yield _case("png text bomb", lambda: _side_bomb(b"zTXt"))
    yield _case("png profile bomb", lambda: _side_bomb(b"iCCP"), _blank)
    yield _case("png 20-bit", png(4, 4, png_chunk(b"IDAT", zlib.compress(bytes(52))), bits=20))
    yield _case("png no pixels", png(4, 4))
    yield _case("bmp of negative width", declared("BMP", -48, 40), suffix="bmp")


def _one_bit_bomb():
    data = zlib.compress(bytes(20_000 * 2500), 9)
    return png(20_000, 20_000, png_chunk(b"IDAT", data), bits=1, colour=0)


def _side_bomb(kind):
    bomb = png_chunk(kind, b"a\0\0" + zlib.compress(bytes(200 * 1024**2), 9))
    return png(4, 4, bomb, png_chunk(b"IDAT", zlib.compress(bytes(52))))


def _sparse(result, good):
    """Rule of success: JPEG, GIF and WebP may leave pixels out; memory is bounded by Pillow's limit."""
    return no_checksum(result, good) and result.size < 3 * 180e6


def _blank(result, good):
    return result.shape == (4, 4, 3)


def _foreign():
    for name, content in {
        "empty": b"",
        "text": b"no image at all\n" * 30,
        "svg": b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(/tmp/x) (w) file closefile\n",
        "pdf": b"%PDF-1.7\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF",
        "tiff": saved("TIFF"),
        "ico": saved("ICO"),
        "ppm": saved("PPM"),
        "tga": saved("TGA"),
        "jpeg 2000": saved("JPEG2000"),
        "html": b"<html><body>404 Not Found</body></html>",
        "zip": b"PK\3\4" + bytes(200),
        "only a jpeg's mark": b"\xff\xd8\xff\xe0\0\x10JFIF\0",
        "only a png's mark": b"\x89PNG\r\n\x1a\n",
        "only a gif's mark": b"GIF89a",
        "only a webp's mark": b"RIFF\xff\xff\xff\xffWEBPVP8 ",
        "only a bmp's mark": b"BM" + b"\xff" * 60,
        "mpo pretending jpeg": b"\xff\xd8\xff\xe2\0\x08MPF\0II" + b"\xff\xd9",
    }.items():
        yield _case(name, content)


def _places():
    def link(target):
        def write(place):
            os.symlink(target, place.folder / "x.png")
            return place.folder / "x.png"

        return write

    def pipe(place):
        os.mkfifo(place.folder / "x.png")
        return place.folder / "x.png"

    def folder(place):
        (place.folder / "x.png").mkdir()
        return place.folder / "x.png"

    for name, write in {
        "endless device": link("/dev/zero"),
        "link to nothing": link("nowhere"),
        "link to itself": link("x.png"),
        "pipe": pipe,
        "folder": folder,
        "missing": lambda place: place.folder / "x.png",
        "name of a null byte": lambda place: place.folder / "x\0.png",
        "endless name": lambda place: place.folder / ("x" * 5000),
    }.items():
        yield Case("image", f"image {name}", "image", write)


def _odd():
    deep = io.BytesIO()
    Image.fromarray(np.asarray(picture("L")).astype("uint16") * 257).save(deep, "PNG")
    frames = [picture(), picture().rotate(180)]
    for name, content, suffix in (
        ("cmyk", saved("JPEG", "CMYK"), "jpg"),
        ("16 bit", deep.getvalue(), "png"),
        ("1 bit", saved("PNG", "1"), "png"),
        ("palette", saved("GIF", "P"), "gif"),
        ("transparent", saved("PNG", "RGBA"), "png"),
        ("grey and transparent", saved("PNG", "LA"), "png"),
        ("animated gif", _animated(frames, "GIF"), "gif"),
        ("animated webp", _animated(frames, "WEBP"), "webp"),
        ("animated png", _animated(frames, "PNG"), "png"),
        ("progressive", saved("JPEG", progressive=True), "jpg"),
        ("jpeg named png", saved("JPEG"), "png"),
        ("png named gif", saved("PNG"), "gif"),
        ("bytes after its end", saved("PNG") + b"<?php system('id') ?>", "png"),
        ("damaged exif", saved("JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff\x01\x12\0\x03"), "jpg"),
    ):
        yield _case(f"odd {name}", content, odd, suffix)


def _animated(frames, file_format):
    buffer = io.BytesIO()
    frames[0].save(buffer, file_format, save_all=True, append_images=frames[1:])
    return buffer.getvalue()
