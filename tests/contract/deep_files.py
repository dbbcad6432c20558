"""PNG and TIFF files of more or fewer than 8 bits a channel, which Pillow cannot write."""

import struct
import zlib

import numpy as np

_COLOR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}  # of PNG, by the number of channels


def chunk(kind, content):
    body = kind + content
    return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))


def deep_png(pixels, *chunks):
    """A PNG of uint16 `(height, width, channels)`; `chunks` come before the pixels."""
    height, width, channels = pixels.shape
    header = struct.pack(">IIBBBBB", width, height, 16, _COLOR_TYPES[channels], 0, 0, 0)
    content = zlib.compress(b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels))
    signature = b"\x89PNG\r\n\x1a\n"
    return b"".join(
        [signature, chunk(b"IHDR", header), *chunks, chunk(b"IDAT", content), chunk(b"IEND", b"")]
    )


def deep_tiff(pixels, order="<", photometric=None, extra=None, separate=False, compressed=False):
    """A TIFF of one strip (or one for each plane) of an array `(height, width, channels)`."""
    height, width, channels = pixels.shape
    kinds = {"u": 1, "i": 2, "f": 3}
    parts = [pixels[..., i] for i in range(channels)] if separate else [pixels]
    strips = [part.astype(part.dtype.newbyteorder(order)).tobytes() for part in parts]
    strips = [zlib.compress(strip) for strip in strips] if compressed else strips
    offsets = np.cumsum([8] + [len(strip) for strip in strips]).tolist()
    photometric = (1 if channels == 1 else 2) if photometric is None else photometric
    fields = {
        256: [width], 257: [height], 258: [8 * pixels.dtype.itemsize] * channels,
        259: [8 if compressed else 1],
        262: [photometric], 273: offsets[:-1], 277: [channels], 278: [height],
        279: [len(strip) for strip in strips], 284: [2 if separate else 1],
        339: [kinds[pixels.dtype.kind]] * channels,
    }  # fmt: skip
    if extra is not None:
        fields[338] = [extra]
    directory = offsets[-1]
    more_at, entries, more = directory + 2 + 12 * len(fields) + 4, b"", b""
    for tag, values in sorted(fields.items()):
        content = struct.pack(f"{order}{len(values)}I", *values)
        if len(values) > 1:
            content, more = struct.pack(f"{order}I", more_at + len(more)), more + content
        entries += struct.pack(f"{order}HHI", tag, 4, len(values)) + content
    head = struct.pack(f"{order}2sHI", b"II" if order == "<" else b"MM", 42, directory)
    count = struct.pack(f"{order}H", len(fields))
    return head + b"".join(strips) + count + entries + bytes(4) + more


def png_of_four_greys(*chunks):
    """A PNG of 2 bits, 8 x 4 pixels; the first two have the greys 0 and 85."""
    header = struct.pack(">IIBBBBB", 8, 4, 2, 0, 0, 0, 0)
    rows = b"\x1b\x1b", b"\xe4\x00", b"\xff\xaa", b"\x55\x93"
    content = zlib.compress(b"".join(b"\0" + row for row in rows))
    parts = [chunk(b"IHDR", header), *chunks, chunk(b"IDAT", content), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)
