"""LiteRT's `benchmark_model` for a phone: a given file, or the published one."""

import shutil
import urllib.error
import urllib.request
from pathlib import Path

from keras_vit.errors import InputError
from keras_vit.io.cache_root import cache_root
from keras_vit.io.files import atomic_path, what_lies_at
from keras_vit.io.progress import say

PUBLISHED = "https://storage.googleapis.com/tensorflow-nightly-public/prod/tensorflow/release/lite/tools/nightly/latest"
NAMES = {"arm64-v8a": "android_aarch64_benchmark_model", "armeabi-v7a": "android_arm_benchmark_model"}
TIME_LIMIT = 60  # seconds without a byte
_ELF = b"\x7fELF"


def find_tool(given: str | Path | None, abi: str, source: str = PUBLISHED) -> Path:
    """Returns the tool's file: `given`, or that for a phone's `abi`, which is downloaded once.

    Raises:
        InputError: the file is no program for phones, there is none for this `abi`, or it cannot be had.
    """
    if given is not None:
        return _checked(Path(given))
    if abi not in NAMES:
        raise InputError(
            f"There is no published tool for a phone of {abi}. Build it, and give it: --tool FILE"
        )
    path = cache_root() / NAMES[abi]
    if not path.exists():
        _download(f"{source}/{NAMES[abi]}", path)
    return _checked(path)


def _download(url, path):
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with urllib.request.urlopen(url, timeout=TIME_LIMIT) as answer, atomic_path(path) as temporary:
            length = answer.headers.get("Content-Length")
            words = f", {int(length) / 1e6:,.1f} MB," if length else ""
            say(f"downloading {url}{words} once, to {path}")
            with open(temporary, "wb") as file:
                shutil.copyfileobj(answer, file)
            if length is not None and int(length) != temporary.stat().st_size:
                raise InputError(f"{url} broke off in the middle. Run the command again, or add --tool FILE.")
    except (urllib.error.URLError, OSError) as error:
        reason = getattr(error, "reason", None) or error
        raise InputError(
            f"LiteRT's benchmark_model could not be downloaded from {url} ({reason}). Give a copy: "
            "--tool FILE"
        ) from error


def _checked(path):
    try:
        with open(path, "rb") as file:
            mark = file.read(4)
    except OSError as error:
        raise InputError(f"Expected the tool at {path}, found {what_lies_at(path)}.") from error
    if mark != _ELF:
        raise InputError(f"{path} is not LiteRT's benchmark_model for Android: it is no program for phones.")
    return path
