"""Runs TFLite files on LiteRT's GPU accelerator, on a GPU that is a program, and in the Interpreter.

    python benchmarks/workers/software_gpu.py [--icd FILE] [--float32] FILE.tflite ...

Prints one line of JSON for each file: `operators`, their number; `taken`, how many of them the accelerator
took; `message`, what it says of the others; `error`, the largest difference between its outputs and the
Interpreter's, relative to the largest value; or `failure`. Random inputs: pixels of 0 to 255, normal
distributed numbers for other inputs, small integers for integers.

The accelerator of ai-edge-litert computes with WebGPU on Vulkan. The Vulkan driver is SwiftShader, which
comes with Chromium, or the one in `--icd`, such as Mesa's lavapipe. Where the driver has float16 it is
computed with, unless `--float32` is given. The process must not import TensorFlow, whose LLVM breaks
lavapipe's.
"""

import argparse
import contextlib
import ctypes
import json
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
FOLDERS = ("/usr/lib/chromium", "/usr/lib64/chromium", "/usr/lib/chromium-browser", "/opt/google/chrome")
SOFTWARE = "vk_swiftshader_icd.json"


def main():
    options = parsed()
    sys.path.insert(0, str(Path(__file__).parents[2]))
    loaded = load_driver(options.icd or software_driver())
    for file in options.files:
        print(json.dumps(tried(file, options.float32) if loaded else {"failure": "no Vulkan"}), flush=True)


def parsed():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="+")
    parser.add_argument("--icd", help="JSON file of a Vulkan driver")
    parser.add_argument("--float32", action="store_true", help="no float16 arithmetic")
    return parser.parse_args()


def software_driver():
    """Returns the path of the JSON file of SwiftShader that a Chromium brings, or None."""
    found = (shutil.which(name) for name in BROWSERS)
    folders = [*FOLDERS, *(Path(path).resolve().parent for path in found if path)]
    return next((str(f) for f in (Path(folder) / SOFTWARE for folder in folders) if f.is_file()), None)


def load_driver(icd):
    """Makes a driver the only one, loads Vulkan's loader, and returns whether that worked."""
    if icd is None:
        return False
    os.environ["VK_ICD_FILENAMES"] = icd
    for loader in (Path(software_driver() or icd).parent / "libvulkan.so.1", "libvulkan.so.1"):
        with contextlib.suppress(OSError):
            ctypes.CDLL(str(loader), ctypes.RTLD_GLOBAL)
            return True
    return False


def tried(file, in_float32):
    from keras_vit.export.tflite.graph import operators, read_graph

    number = len(operators(read_graph(Path(file).read_bytes())))
    inputs, expected = interpreted(file)
    with tempfile.TemporaryFile("w+") as log:
        try:
            with logged(log):
                full, found = accelerated(file, inputs, in_float32)
        except RuntimeError as error:
            return {"operators": number, "failure": reason_in(read(log)) or str(error).splitlines()[-1]}
        text = read(log)
    taken = number if full else number_taken(text)
    return {
        "operators": number,
        "taken": taken,
        "message": refusals_in(text),
        "error": max(map(difference, expected, found)),
    }


def interpreted(file):
    """Returns random inputs, and the outputs of LiteRT's Interpreter for them."""
    import numpy as np
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(file, num_threads=1)
    interpreter.allocate_tensors()
    rng, inputs = np.random.default_rng(1), []
    for detail in interpreter.get_input_details():
        shape, dtype = detail["shape"], np.dtype(detail["dtype"])
        is_image = len(shape) == 4 and shape[-1] in (1, 3)
        values = rng.integers(0, 8, shape) if dtype.kind in "iu" else rng.normal(size=shape)
        inputs.append((rng.uniform(0, 255, shape) if is_image else values).astype(dtype))
        interpreter.set_tensor(detail["index"], inputs[-1])
    interpreter.invoke()
    return inputs, [interpreter.get_tensor(d["index"]) for d in interpreter.get_output_details()]


def accelerated(file, inputs, in_float32):
    """Returns whether the GPU took all operators, and the outputs; others run on the CPU."""
    import numpy as np
    from ai_edge_litert.compiled_model import CompiledModel
    from ai_edge_litert.hardware_accelerator import HardwareAccelerator
    from ai_edge_litert.options import CpuOptions, GpuOptions, Options

    options = Options(
        hardware_accelerators=HardwareAccelerator.GPU | HardwareAccelerator.CPU,
        cpu_options=CpuOptions(num_threads=1),
        gpu_options=GpuOptions(enforce_f32=in_float32),
    )
    model = CompiledModel.from_file(file, options=options)
    sources, targets = model.create_input_buffers(0), model.create_output_buffers(0)
    for buffer, value in zip(sources, inputs, strict=True):
        buffer.write(np.ascontiguousarray(value))
    model.run_by_index(0, sources, targets)
    (signature,) = model.get_signature_list()
    details = model.get_output_tensor_details(signature).values()
    outputs = [
        buffer.read(int(np.prod(detail["shape"])), np.dtype(detail["dtype"]).type).reshape(detail["shape"])
        for buffer, detail in zip(targets, details, strict=True)
    ]
    return model.is_fully_accelerated(), outputs


def difference(expected, found):
    import numpy as np

    expected, found = (np.asarray(value, "float64") for value in (expected, found))
    error = np.abs(expected - found).max() / max(np.abs(expected).max(), 1e-9)
    return float(error) if np.isfinite(error) else float("inf")


@contextlib.contextmanager
def logged(log):
    """Sends what LiteRT's libraries print as errors to a file."""
    kept = os.dup(2)
    os.dup2(log.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def read(log):
    log.seek(0)
    return log.read()


def number_taken(text):
    """The number in "12 operations will run on the GPU", or 0 for "No operations"."""
    found = re.search(r"(\d+|No) operations will run on the GPU", text)
    return int(found[1]) if found and found[1] != "No" else 0


def refusals_in(text):
    """The lines between the delegate's heading and its count, such as "BROADCAST_TO: Operation is ..."."""
    _, _, rest = text.partition("operations are not supported by GPU delegate:\n")
    return [line.strip() for line in rest.partition("operations will run")[0].splitlines()[:-1]]


def reason_in(text):
    found = re.search(r"Failed to create [^\n]*: [A-Z_]+: ([^\n]+)", text)
    return found[1].strip() if found else ""


if __name__ == "__main__":
    main()
