"""Measures the answers of the page of `--web` in headless Chromium against LiteRT's interpreter in Python.

    python benchmarks/page_speed.py [--variant Ti/16] [--litert DIR] [--runs 20] [FILE.tflite ...]

Without files, a Vision Transformer with random weights is exported as dynamic_int8. Each file is put into a
page, which a browser loads. Measured is the CPU time of the one thread that runs it, so that other programs
count little: of the first answer after the page says that it is ready, and of one of `--runs` later ones. The
same is measured of the interpreter. Prints a table with the ratios.

Needs Chromium and `pip install playwright`, and npm, or `--litert`, where `npm install @litertjs/core` was
run.
"""

import argparse
import contextlib
import functools
import http.server
import os
import shutil
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
PROGRAM = """async (count) => {
  const { Tensor } = await import("@litertjs/core");
  const run = globalThis.measured ??= await (async () => {
    const { loadModel, warmUp } = await import("./litert.js");
    const [, model] = await loadModel();
    const { shape, dtype } = model.getInputDetails()[0];
    const size = shape.reduce((a, b) => a * b, 1);
    const kind = dtype === "uint8" ? Uint8Array : Float32Array;
    const numbers = kind.from({ length: size }, (_, i) => (i * 97) % 256);
    const run = async () => {
      const input = new Tensor(numbers, [...shape]);
      const outputs = await model.run([input]);
      for (const tensor of outputs) await tensor.data();
      for (const tensor of [input, ...outputs]) tensor.delete();
    };
    await warmUp(run);
    return run;
  })();
  for (let i = 0; i < count; i++) await run();
}"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("files", nargs="*", metavar="FILE.tflite")
    parser.add_argument("--variant", default="Ti/16")
    parser.add_argument("--litert", help="where `npm install @litertjs/core` was run")
    parser.add_argument("--runs", type=int, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(file) for file in options.files] or [exported(options.variant, Path(folder))]
        print("| file | first answer: page, interpreter | ratio | later ones: page, interpreter | ratio |")
        print("| --- | --- | --- | --- | --- |")
        for file in files:
            page = on_page(file, Path(folder, "page"), options)
            ours = in_python(file, options.runs)
            cells = [f"{a:.1f} and {b:.1f} ms | {a / b:.2f}" for a, b in zip(page, ours, strict=True)]
            print(f"| {file.name} | {' | '.join(cells)} |", flush=True)


def exported(variant, folder):
    """Exports a model with random weights; returns the file."""
    import keras

    from keras_vit.export import export_model
    from keras_vit.models import vit

    keras.utils.set_random_seed(0)
    model = vit(variant, image_size=224, num_classes=1000)
    images = np.random.default_rng(0).integers(0, 256, (2, 224, 224, 3)).astype("uint8")
    options = {"variants": "dynamic_int8", "max_drop": 100, "task": "classification", "activation": "softmax"}
    export_model(model, folder / "export", inputs=images, labels=np.arange(2), **options)
    return folder / "export" / "model_dynamic_int8.tflite"


def in_python(file, runs):
    """Milliseconds of CPU of the first answer after one that prepares, and of a later one."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(file), num_threads=1)
    interpreter.allocate_tensors()
    details = interpreter.get_input_details()[0]
    size = int(np.prod(details["shape"]))
    numbers = (np.arange(size) * 97 % 256).astype(details["dtype"]).reshape(details["shape"])

    def run(count):
        started = time.thread_time()
        for _ in range(count):
            interpreter.set_tensor(details["index"], numbers)
            interpreter.invoke()
            interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
        return 1000 * (time.thread_time() - started) / count

    run(1)
    return run(1), run(runs)


def on_page(file, folder, options):
    """The same two of the page."""
    from playwright.sync_api import sync_playwright

    write_page(file, folder, options.litert)
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        raise SystemExit("no Chromium is installed")
    with serve(folder) as address, sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        page = chromium.new_page()
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable", {"timeDomain": "threadTicks"})
        page.set_default_timeout(300_000)
        page.goto(address)

        def run(count):
            before = busy(session)
            page.evaluate(PROGRAM, count)
            return 1000 * (busy(session) - before) / max(count, 1)

        run(0)  # as the page does before it is ready
        found = run(1), run(options.runs)
        chromium.close()
    return found


def write_page(file, folder, packages):
    """A page without its script, which would run the model too, and with the file."""
    import dataclasses

    from keras_vit.export.web.page import write_page
    from keras_vit.io.preprocessing import Preprocessing

    prepare = dataclasses.asdict(Preprocessing.of("stretch", 224))
    row = {"variant": "measured", "file": file.name, "passed": True, "latency_ms": 1.0, "size": 1}
    description = {"name": "speed", "labels": [], "preprocessing": prepare}
    write_page([row], file.parent, folder, "images", description, packages)
    index = folder / "index.html"
    script = '<script type="module" src="app.js"></script>'
    text = index.read_text(encoding="utf-8")
    assert script in text
    index.write_text(text.replace(script, ""), encoding="utf-8")


def busy(session):
    """Seconds of CPU time of the page's thread."""
    found = {entry["name"]: entry["value"] for entry in session.send("Performance.getMetrics")["metrics"]}
    return found["TaskDuration"]


@contextlib.contextmanager
def serve(folder):
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


if __name__ == "__main__":
    main()
