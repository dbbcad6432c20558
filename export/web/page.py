"""Writes a static web page that runs an exported model in the browser."""

import hashlib
import json
import shutil
from pathlib import Path

from keras_vit.errors import InputError
from keras_vit.export.verification.choose import fastest
from keras_vit.export.web.litert_js import check_litert_js, copy_litert_js
from keras_vit.io.files import atomic_path, check_replaceable
from keras_vit.io.html_page import frame

PAGE = Path(__file__).with_name("page")
MARK = "keras-vit.json"
TEXTS = {  # kind: title before the model is loaded, note on privacy
    "images": ("Photo classifier", "Photos stay on this device."),
    "text": ("Text writer", "The text is written on this device."),
}
HEAD = """\
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<link rel="stylesheet" href="style.css">
<link rel="stylesheet" href="{kind}.css">
<script type="importmap">
{{"imports": {{"@litertjs/core": "./litert/core.js", "@litertjs/wasm-utils": "./litert/wasm-utils.js"}}}}
</script>"""
BODY = """\
<main>
  <h1 id="name">{title}</h1>
  <p id="status" role="status">Loading the model …</p>
  <p id="error" role="alert" hidden></p>
{content}  <footer>{privacy} <span id="model"></span> Runs on LiteRT.js (Apache-2.0).</footer>
</main>
<script src="file.js"></script>
<script type="module" src="app.js"></script>"""


def check_page(path, packages=None):
    """Raises InputError before an export if the folder has other content, or LiteRT.js is not available."""
    check_litert_js(packages)
    path = Path(path)
    if path.is_file():
        raise InputError(
            f"Expected a new or empty folder for the page, but {path} is neither. Choose another."
        )
    check_replaceable(path, MARK)


def write_page(
    rows: list[dict], folder: Path, path: str | Path, kind: str, description: dict, packages=None
) -> None:
    """Writes a page with the fastest TFLite file of an export.

    Serve the folder over HTTPS (or from localhost): `python -m http.server --directory PATH`. Once loaded it
    works without a network.

    Args:
        rows: as returned by `export_model`, of the export in `folder`.
        path: the page's folder; an earlier page is replaced.
        kind: `"images"` or `"text"`.
        description: dict with `name`, the page's title. For images also `labels`, one per class, label or
            number; `task`, by default classification; `thresholds` of labels, or None; `noneBelow`, the
            least probability of a class that is an answer, or None; `attention`, `(rows,
            columns)` of the map that the files return, or None; and `preprocessing`, the fields of the
            `Preprocessing` of photos. For text also `characters` and `unknown` of the vocabulary, `lines`,
            and `max_length` of a text.
        packages: as in `copy_litert_js`.
    """
    check_page(path, packages)
    row = fastest([r for r in rows if r["file"].endswith(".tflite") and (folder / r["file"]).is_file()])
    if row is None:
        raise InputError("Expected a TFLite file for the page: add --variant dynamic_int8 or fp32.")
    description = {**description, "file": "model.tflite", "variant": row["variant"], "bytes": row["size"]}
    with atomic_path(path, mark=MARK) as temporary:
        for part in ("shared", kind):
            shutil.copytree(PAGE / part, temporary, dirs_exist_ok=True)
        _write_index(temporary, kind)
        copy_litert_js(temporary / "litert", packages)
        shutil.copyfile(folder / row["file"], temporary / "model.tflite")
        (temporary / MARK).write_text(json.dumps(description, indent=2), encoding="utf-8")
        _write_worker(temporary)


def _write_index(page, kind):
    title, privacy = TEXTS[kind]
    content = (page / "body.html").read_text(encoding="utf-8")
    (page / "body.html").unlink()
    body = BODY.format(title=title, content=content, privacy=privacy)
    (page / "index.html").write_text(frame(title, HEAD.format(kind=kind), body), encoding="utf-8")


def _write_worker(page):
    """Lists in the service worker the files to load in advance, and its version, a hash of all files."""
    files = sorted(file for file in page.rglob("*") if file.is_file())
    loaded = [file for file in files if file.suffix in (".js", ".css") and file.name != "sw.js"]
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]
    early = ["./", *(f.relative_to(page).as_posix() for f in loaded if f.parent.name != "wasm")]
    worker = (page / "sw.js").read_text(encoding="utf-8")
    worker = worker.replace('VERSION = "0"', f'VERSION = "{digest}"')
    worker = worker.replace('EARLY = ["./"]', f"EARLY = {json.dumps(early)}")
    (page / "sw.js").write_text(worker, encoding="utf-8")
