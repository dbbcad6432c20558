"""Writes a static page on which a person uses an exported model."""

import hashlib
import json
import shutil
from pathlib import Path

from keras_vit.errors import InputError
from keras_vit.export.verification.choose import fastest
from keras_vit.export.web.litert_js import check_litert_js, copy_litert_js
from keras_vit.io.files import atomic_path, check_replaceable

PAGE = Path(__file__).with_name("page")
MARK = "keras-vit.json"


def check_page(path, packages=None):
    """Checks what can be known before an export that a page shall be made of.

    Args:
        path, packages: as in `write_page`.

    Raises:
        InputError: the folder holds something else than an earlier page, or LiteRT.js cannot be had.
    """
    check_litert_js(packages)
    path = Path(path)
    if path.is_file():
        raise InputError(
            f"Expected a new or empty folder for the page, but {path} is neither. Choose another."
        )
    check_replaceable(path, MARK)


def write_page(rows, folder, path, kind, description, packages=None):
    """Writes a page with the fastest TFLite file of an export.

    Serve the folder over HTTPS (or from localhost): `python -m http.server --directory PATH`. Once loaded it
    works without a network.

    Args:
        rows: list of dicts, as `export_model` gives them.
        folder: Path of the export, which holds the files of the rows.
        path: str or Path of the page's folder; an earlier page is replaced.
        kind: `"images"` or `"text"`.
        description: dict of what the page is to know besides: `name`, its title. Of images `labels`, one per
            class, and `attention`, `(rows, columns)` of the map that the files give, or None. Of text
            `characters` and `unknown` of the vocabulary, `lines`, and `max_length` of a text.
        packages: as in `copy_litert_js`.

    Raises:
        InputError: no row of a TFLite file that passed, a folder with something else in it, or no LiteRT.js.
    """
    check_page(path, packages)
    row = fastest([r for r in rows if r["file"].endswith(".tflite") and (folder / r["file"]).is_file()])
    if row is None:
        raise InputError("Expected a TFLite file for the page: add --variant dynamic_int8 or fp32.")
    description = {
        **description,
        "file": "model.tflite",
        "variant": row["variant"],
        "bytes": row["size"],
    }
    with atomic_path(path, mark=MARK) as temporary:
        for part in ("shared", kind):
            shutil.copytree(PAGE / part, temporary, dirs_exist_ok=True)
        copy_litert_js(temporary / "litert", packages)
        shutil.copyfile(folder / row["file"], temporary / "model.tflite")
        (temporary / MARK).write_text(json.dumps(description, indent=2), encoding="utf-8")
        _write_worker(temporary)


def _write_worker(page):
    """Tells the service worker what is loaded before it is there, and marks it by the page's content."""
    files = sorted(file for file in page.rglob("*") if file.is_file())
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]
    early = ["./", *(file.relative_to(page).as_posix() for file in files if _is_early(file))]
    worker = (page / "sw.js").read_text(encoding="utf-8")
    worker = worker.replace('VERSION = "0"', f'VERSION = "{digest}"')
    worker = worker.replace('EARLY = ["./"]', f"EARLY = {json.dumps(early)}")
    (page / "sw.js").write_text(worker, encoding="utf-8")


def _is_early(file):
    return file.suffix in (".js", ".css") and file.name != "sw.js" and file.parent.name != "wasm"
