"""Which files are images: by their ending, otherwise by their first bytes."""

import functools
import os

IMAGE_SUFFIXES = (
    ".jpg", ".jpeg", ".jfif", ".jpe", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".avif"
)  # fmt: skip
"""Lower-case suffixes of image files that can be read without more packages."""

HEIF_SUFFIXES = (".heic", ".heif", ".hif")
RAW_SUFFIXES = (
    ".3fr", ".arw", ".cr2", ".cr3", ".crw", ".dcr", ".dng", ".erf", ".fff", ".iiq", ".kdc", ".mef", ".mos",
    ".mrw", ".nef", ".nrw", ".orf", ".pef", ".raf", ".raw", ".rw2", ".rwl", ".sr2", ".srf", ".srw", ".x3f",
)  # fmt: skip
"""Of raw photographs. Most begin like TIFF files, so that Pillow would read their small preview."""

HEIF_HINT = "read where pillow-heif is installed: pip install pillow-heif"
FORMAT_NAMES = "JPEG, PNG, WebP, BMP, GIF, TIFF, AVIF, or HEIC with `pip install pillow-heif`"
_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "AVIF")
_STARTS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a", b"II*\0", b"MM\0*")
_AVIF_BRANDS = (b"avif", b"avis")
_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_LONGEST = 14  # bytes that identify a format


@functools.cache
def formats() -> tuple[str, ...]:
    """Returns Pillow's names of the formats that can be read: HEIF where pillow-heif is installed."""
    try:
        import pillow_heif
    except ImportError:
        return _FORMATS
    pillow_heif.register_heif_opener()
    return (*_FORMATS, "HEIF")


def has_image_suffix(name: str) -> bool:
    """Returns whether the name of a file that is not hidden, without its folder, ends as that of an image.

    It is what `is_image_file` says first of most files, much faster.
    """
    return name[name.rfind(".") :].lower() in IMAGE_SUFFIXES


def is_image_file(path: str | os.PathLike) -> bool:
    """Returns whether a file is an image that can be read, by its ending or, of another one, its content."""
    suffix = os.path.splitext(path)[1].lower()
    if suffix in HEIF_SUFFIXES:
        return "HEIF" in formats()
    if suffix in RAW_SUFFIXES:
        return False
    return suffix in IMAGE_SUFFIXES or _has_image_content(path)


def _has_image_content(path):
    try:
        with open(path, "rb") as file:
            start = file.read(_LONGEST)
    except OSError:
        return False
    if start.startswith(_STARTS) or (start[:4], start[8:12]) == (b"RIFF", b"WEBP"):
        return True
    if start.startswith(b"BM") and start[6:10] == bytes(4):  # two reserved numbers that are 0
        return True
    brand = start[8:12] if start[4:8] == b"ftyp" else None
    return brand in _AVIF_BRANDS or brand in _HEIF_BRANDS and "HEIF" in formats()
