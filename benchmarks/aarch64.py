"""Runs exported files on an emulated ARM processor, and compares their answers with this machine's.

    python benchmarks/aarch64.py FOLDER [--sysroot DIR] [--threads 1 2 4] [--images 100] [--markdown FILE]
    python benchmarks/aarch64.py FOLDER --models cnn --variants fp32 full_int8

Needs Debian 12 with qemu-user (`apt-get install qemu-user-static`) and a network: DIR (default:
FOLDER/aarch64) gets Debian's arm64 Python and the aarch64 wheels of the installed versions of ai-edge-litert
and numpy, once. Nothing is installed on this machine. FOLDER gets the exported files: a Vision Transformer,
a CNN, a ResNet and a LeViT, trained shortly on pieces of photographs, in every variant.

The emulated Python reads an ARM /proc/cpuinfo: without it, XNNPACK takes the processor for another and
crashes. An emulator has the arithmetic of the instructions, not their speed: there are no times here.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import version
from pathlib import Path

import numpy as np

WORKER = Path(__file__).parent / "workers" / "litert_answers.py"
QEMU = ("qemu-aarch64-static", "qemu-aarch64")
DEBIAN = (
    "python3.11-minimal", "libpython3.11-minimal", "libpython3.11-stdlib", "libc6",
    "libstdc++6", "libgcc-s1", "zlib1g", "libexpat1", "libffi8", "libssl3",
    "liblzma5", "libbz2-1.0", "libcrypt1", "libuuid1",
)  # fmt: skip
WHEELS = ("ai-edge-litert", "numpy", "flatbuffers", "ml_dtypes", "protobuf", "tqdm", "typing_extensions")
PLATFORMS = (
    "manylinux_2_28_aarch64",
    "manylinux_2_27_aarch64",
    "manylinux_2_17_aarch64",
    "manylinux2014_aarch64",
)
CORE = """\
processor\t: {number}
BogoMIPS\t: 50.00
Features\t: fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x3
CPU part\t: 0xd0c
CPU revision\t: 1

"""
CORES = 4
BASIC = "neoverse-n1"  # has dot products of int8; "max" also SVE and products of int8 matrices
MODELS = {
    "vit": lambda models: models.vit("Pico/4", image_size=SIDE, num_classes=CLASSES),
    "cnn": lambda models: models.cnn(image_size=SIDE, num_classes=CLASSES, batch_norm=True),
    "resnet": lambda models: models.resnet("20", image_size=SIDE, num_classes=CLASSES),
    "levit": lambda models: models.levit("Pico", image_size=SIDE, num_classes=CLASSES),
}
SIDE, CLASSES = 32, 8  # pixels of a piece of a photograph; which quarter of which photograph it is from
TRAINED_ON, EPOCHS = 960, 4
VARIANTS = ("fp32", "fp16", "dynamic_int8", "mixed_int8", "full_int8", "int16x8", "int4")
FLOAT = ("fp32", "fp16")
LEAST_SAME = {True: 1.0, False: 0.99}  # by whether a variant computes in floats
NOTES = """\
Required: the same class in 100 % for float32 and float16 files, in 99 % for the others. An emulator has the
arithmetic of the instructions, not their speed: latency is to be measured on a phone.

`neoverse-n1` has the dot products of int8 that phones have since 2018, `max,sme=off` also SVE and the
products of int8 matrices (i8mm). With `max`, which adds SME, the dynamic int8 file of the Vision Transformer
gave other answers under qemu 7.2: the class of x86 for 17 of 100 pieces. Whether the emulator or XNNPACK's
kernels for SME are wrong is not known: try the files themselves on phones with SME, which there are since
2024."""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sysroot", type=Path)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--cpus", nargs="+", default=[BASIC, "max,sme=off"], help="processors of qemu")
    parser.add_argument("--images", type=int, default=100)
    parser.add_argument("--models", nargs="+", default=list(MODELS), choices=MODELS)
    parser.add_argument("--variants", nargs="+", default=VARIANTS, choices=VARIANTS)
    parser.add_argument("--markdown", type=Path, help="where the table is written, too")
    options = parser.parse_args()
    missing = why_not()
    if missing:
        parser.exit(2, f"{parser.prog}: {missing}\n")
    options.folder.mkdir(parents=True, exist_ok=True)
    sysroot = prepare(options.sysroot or options.folder / "aarch64")
    rows = []
    for name in options.models:
        files, images = exported(name, options.folder / name, options.images)
        files = {variant: file for variant, file in files.items() if variant in options.variants}
        for cpu in options.cpus:
            rows += compared(name, files, images, sysroot, cpu, options.threads)
    text = table(rows, options)
    print(text)
    if options.markdown:
        options.markdown.write_text(text)
    return 1 if any(not row["passed"] for row in rows) else 0


def why_not():
    """What is missing for an emulated ARM, as one line, or None."""
    if platform.machine() != "x86_64":
        return f"expected an x86-64 machine to compare with, this one is {platform.machine()}"
    if not any(map(shutil.which, QEMU)):
        return "qemu-aarch64 is missing: apt-get install qemu-user-static"
    if not all(map(shutil.which, ("apt-get", "dpkg-deb"))):
        return "apt-get and dpkg-deb are missing, which bring Debian's arm64 Python"
    if "VERSION_CODENAME=bookworm" not in Path("/etc/os-release").read_text():
        return "expected Debian 12 (bookworm), whose packages are Python 3.11"
    return None


def prepare(root):
    """Fills a folder with an arm64 Debian's Python and wheels, unless it is there; returns it."""
    root = root.resolve()
    if (root / "complete").exists():
        return root
    shutil.rmtree(root, ignore_errors=True)
    (root / "packages").mkdir(parents=True)
    for part in ("lists/partial", "cache/archives/partial"):
        (root / "apt" / part).mkdir(parents=True)
    (root / "apt" / "status").touch()
    settings = {
        "APT::Architecture": "arm64",
        "APT::Architectures": "arm64",
        "APT::Sandbox::User": "",
        "Dir::State::Lists": root / "apt/lists",
        "Dir::State::status": root / "apt/status",
        "Dir::Cache": root / "apt/cache",
        "Debug::NoLocking": "1",
    }
    apt = ["apt-get", "-q", *(word for pair in settings.items() for word in ("-o", "=".join(map(str, pair))))]
    quiet = {"check": True, "stdout": subprocess.DEVNULL}
    subprocess.run([*apt, "update"], **quiet)
    subprocess.run([*apt, "download", *DEBIAN], cwd=root / "packages", **quiet)
    for package in (root / "packages").glob("*.deb"):
        subprocess.run(["dpkg-deb", "-x", package, root], check=True)
    wheels = [f"{name}=={version(name)}" for name in WHEELS]
    platforms = [word for name in PLATFORMS for word in ("--platform", name)]
    pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:", *platforms]
    target = ["--python-version", "3.11", "--dest", root / "packages"]
    subprocess.run([*pip, *target, *wheels, "backports.strenum"], check=True)
    for wheel in (root / "packages").glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(root / "site")
    (root / "proc").mkdir()
    (root / "proc/cpuinfo").write_text("".join(CORE.format(number=number) for number in range(CORES)))
    (root / "complete").touch()
    return root


def emulated(root, cpu, *words, timeout=3600):
    """Runs the arm64 Python on one of qemu's processors; paths that are in `root` are read there."""
    qemu = next(filter(None, map(shutil.which, QEMU)))
    settings = {"PYTHONHOME": root / "usr", "PYTHONPATH": root / "site"}
    given = [word for pair in settings.items() for word in ("-E", "=".join(map(str, pair)))]
    python = root / "usr/bin/python3.11"
    return subprocess.run(
        [qemu, "-cpu", cpu, "-L", root, *given, python, *words],
        timeout=timeout,
        capture_output=True,
        text=True,
        check=False,
    )


def pieces(count, seed):
    """Pieces of scikit-learn's two photographs, `(count, SIDE, SIDE, 3)`, and the quarters they are from."""
    from sklearn.datasets import load_sample_images

    photographs, rng, found = load_sample_images().images, np.random.default_rng(seed), []
    for number in range(count):
        quarter = number % CLASSES
        photograph = photographs[quarter // 4][::2, ::2]
        height, width = (side // 2 for side in photograph.shape[:2])
        top = quarter // 2 % 2 * height + rng.integers(height - SIDE)
        left = quarter % 2 * width + rng.integers(width - SIDE)
        found.append(photograph[top : top + SIDE, left : left + SIDE])
    return np.stack(found), np.arange(count) % CLASSES


def exported(name, folder, count):
    """Trains and exports a model, unless it is there: its files by variant, and the images of the test."""
    import keras

    from keras_vit import models
    from keras_vit.export import export_model
    from keras_vit.export.variants import FILES

    images, labels = pieces(count, seed=1)
    if not (folder / "export.json").exists():
        keras.utils.set_random_seed(0)
        model = MODELS[name](models)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.AdamW(2e-3), loss, metrics=["accuracy"])
        given, known = pieces(TRAINED_ON, seed=0)
        model.fit(given, known, batch_size=64, epochs=EPOCHS, verbose=0)
        meaning = {"task": "classification", "activation": "softmax", "max_drop": 100.0}
        options = {"variants": VARIANTS, "calibration": given[:200], "inputs": images, "labels": labels}
        export_model(model, folder, **options, **meaning)
    files = {variant: folder / FILES[variant] for variant in VARIANTS}
    return {variant: file for variant, file in files.items() if file.exists()}, images


def compared(name, files, images, root, cpu, threads):
    """Rows of a model's files: how ARM's answers differ from this machine's."""
    if cpu != BASIC:  # which differ in their instructions for int8
        files = {variant: file for variant, file in files.items() if variant not in (*FLOAT, "int16x8")}
    np.save(root / "images.npy", images)
    words = [root / "images.npy", root / "answers.npz", *map(str, threads), "--", *files.values()]
    subprocess.run([sys.executable, WORKER, *words], check=True, capture_output=True)
    expected = dict(np.load(root / "answers.npz"))
    run = emulated(root, cpu, WORKER, *words)
    if run.returncode:
        raise SystemExit(f"{name} ended with {run.returncode} on {cpu}: {run.stderr.strip()[-300:]}")
    found = dict(np.load(root / "answers.npz"))
    rows = []
    for place, variant in enumerate(files):
        here, there = (answers[f"{place} {threads[0]}"] for answers in (expected, found))
        others = [found[f"{place} {count}"] for count in threads[1:]]
        same = float(np.mean(here.argmax(axis=1) == there.argmax(axis=1)))
        differences = np.abs(here - there).max(axis=1)
        rows.append(
            {
                "model": name,
                "variant": variant,
                "processor": cpu,
                "same": same,
                "median": float(np.median(differences)),
                "largest": float(differences.max()),
                "threads_equal": all(np.array_equal(there[: len(other)], other) for other in others),
                "passed": same >= LEAST_SAME[variant in FLOAT],
            }
        )
        print(json.dumps(rows[-1]), flush=True)
    return rows


def lines_of(rows):
    """The rows as lines of Markdown."""
    lines = ["| model | variant | processor | same class | median difference | largest | threads bit-equal |"]
    lines.append("| --- | --- | --- | --- | --- | --- | --- |")
    for row in rows:
        cells = (
            row["model"],
            row["variant"],
            f"`{row['processor']}`",
            f"{100 * row['same']:.1f} %",
            f"{row['median']:.1e}",
            f"{row['largest']:.1e}",
            "yes" if row["threads_equal"] else "no",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def table(rows, options):
    qemu = next(filter(None, map(shutil.which, QEMU)))
    emulator = subprocess.run([qemu, "--version"], capture_output=True, text=True).stdout.split("\n")[0]
    threads = ", ".join(map(str, options.threads))
    return "\n".join(
        [
            "# ARM",
            "",
            f"Every variant on {options.images} pieces of photographs: on an emulated 64-bit ARM processor, "
            "with Debian's Python and the aarch64 wheel of ai-edge-litert, against the same file on x86-64. "
            "`benchmarks/aarch64.py` makes this table. The models were trained shortly. A difference is the "
            f"largest of an image's probabilities. ai-edge-litert {version('ai-edge-litert')}, {emulator}; "
            f"threads: {threads}, of which others than the first ran on a quarter of the pieces.",
            "",
            *lines_of(rows),
            "",
            NOTES,
            "",
        ]
    )


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.exit(main())
