"""Installs LiteRT.js, the engine of the page, from npm."""

import shutil
import subprocess
import tempfile
from pathlib import Path

from keras_vit.errors import InputError
from keras_vit.io.progress import say

VERSION = "2.5.3"
TIME_LIMIT = 300  # seconds
FILES = {  # name on the page: file of the packages
    "core.js": "core/dist/index.js",
    "wasm-utils.js": "wasm-utils/dist/index.js",
    # With and without relaxed SIMD: the engine loads what the browser can run.
    "wasm/litert_wasm_internal.js": "core/wasm/litert_wasm_internal.js",
    "wasm/litert_wasm_internal.wasm": "core/wasm/litert_wasm_internal.wasm",
    "wasm/litert_wasm_compat_internal.js": "core/wasm/litert_wasm_compat_internal.js",
    "wasm/litert_wasm_compat_internal.wasm": "core/wasm/litert_wasm_compat_internal.wasm",
}


def check_litert_js(packages=None):
    """Raises InputError when `copy_litert_js` would, as far as this can be checked offline."""
    if packages is None and shutil.which("npm") is None:
        raise InputError(
            "The page needs LiteRT.js, which comes from npm, but npm is not installed. Install Node.js, or "
            "name a folder with --litert in which someone ran: npm install @litertjs/core"
        )
    for file in FILES.values() if packages is not None else ():
        if not (_source(packages) / file).is_file():
            raise InputError(
                f"Expected LiteRT.js in {_source(packages)}, but {file} is missing. Run in {packages}: npm "
                f"install @litertjs/core@{VERSION}"
            )


def copy_litert_js(folder, packages=None):
    """Copies the engine's files into a new folder.

    `packages` is a folder in which `npm install @litertjs/core` was run; without it, it is run in a temporary
    one.
    """
    check_litert_js(packages)
    with tempfile.TemporaryDirectory() as temporary:
        if packages is None:
            packages = temporary
            _install(temporary)
        for name, file in FILES.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(_source(packages) / file, folder / name)


def _source(packages):
    return Path(packages) / "node_modules" / "@litertjs"


def _install(folder):
    options = ("--no-audit", "--no-fund", "--ignore-scripts")
    say(f"installing LiteRT.js {VERSION} from npm; --litert DIR takes one that is installed")
    command = [shutil.which("npm"), "install", *options, f"@litertjs/core@{VERSION}"]
    try:
        result = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=TIME_LIMIT)
    except subprocess.TimeoutExpired as error:
        raise InputError(
            f"npm did not install LiteRT.js within {TIME_LIMIT} s. Try again, or use --litert."
        ) from error
    if result.returncode:
        line = next((x for x in result.stderr.splitlines() if "error" in x.lower()), "it reported nothing")
        raise InputError(
            f"npm could not install LiteRT.js: {line.strip()}. Check the network, or use --litert."
        )
