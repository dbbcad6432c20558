"""Times single images in TFLite files: our variants, the form as trained, and KerasHub's files, in turn.

    python benchmarks/tflite_latency.py --peer-python PEERS/bin/python

`PEERS` is an environment with `pip install keras-hub tensorflow`. One thread, pinned to one core; rounds go
A B C A B C; reported are the median CPU time of the calling thread, its ratio to KerasHub's float32 file
with a batch of one (without it: to our own model converted as it was trained), and the size. Weights are
random: time does not depend on them. The CNN has two blocks of convolution, batch normalisation and ReLU.
"""

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np

WORKER = Path(__file__).parent / "workers" / "keras_hub_tflite.py"
VIT_VARIANTS = ("fp32", "fp16", "dynamic_int8", "mixed_int8")
AS_TRAINED, PEER, PEER_INT8 = "as trained fp32", "KerasHub fp32", "KerasHub dynamic"
CIFAR = {
    "hidden_dim": 192,
    "num_layers": 9,
    "num_heads": 12,
    "mlp_dim": 768,
    "patch_size": 4,
    "image_size": 32,
}
TINY = {
    "hidden_dim": 192,
    "num_layers": 12,
    "num_heads": 3,
    "mlp_dim": 768,
    "patch_size": 16,
    "image_size": 224,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--peer-python", help="Python of an environment with keras-hub")
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--core", type=int, default=0)
    parser.add_argument("--json", type=Path, help="also write the results there")
    options = parser.parse_args()

    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {options.core})
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        for work, make in works().items():
            place = Path(folder) / work.replace("/", "_")
            place.mkdir()
            results[work] = report(work, measure(make(place, options.peer_python), options.rounds))
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n")


def works():
    return {
        "ViT-Ti/16 224, 1000 classes": lambda place, peer: vit_files(place, peer, 1000, TINY),
        "CIFAR ViT d192, 12 heads": lambda place, peer: vit_files(place, peer, 10, CIFAR),
        "CNN with batch normalisation": lambda place, peer: cnn_files(place),
    }


def vit_files(place, peer, num_classes, sizes):
    from keras_vit.models import vit

    files = our_files(vit(num_classes=num_classes, **sizes), VIT_VARIANTS, place)
    if peer:
        theirs = {PEER: place / "peer_fp32.tflite", PEER_INT8: place / "peer_int8.tflite"}
        job = json.dumps({**sizes, "num_classes": num_classes})
        subprocess.run(
            [peer, str(WORKER), job, *map(str, theirs.values())], check=True, stdout=subprocess.DEVNULL
        )
        files = {**theirs, **files}
    return files


def cnn_files(place):
    import keras

    layers, stack = keras.layers, [keras.Input((32, 32, 3)), keras.layers.Rescaling(1 / 255)]
    for filters in (32, 64):
        for _ in range(2):
            stack += [layers.Conv2D(filters, 3, padding="same"), layers.BatchNormalization(), layers.ReLU()]
        stack.append(layers.MaxPooling2D())
    stack += [layers.Flatten(), layers.Dense(128, activation="relu"), layers.Dense(10)]
    return our_files(keras.Sequential(stack), ("fp32", "dynamic_int8", "full_int8"), place)


def our_files(model, variants, place):
    """Writes a model's variants, and the model as it was trained, with a batch of one."""
    from keras_vit.export.images.inference_model import inference_model
    from keras_vit.export.mobile import MobileForm
    from keras_vit.export.tflite.convert import write_tflite
    from keras_vit.export.tflite.writer import TfliteWriter

    class AsTrained(MobileForm):
        def __call__(self, images):
            return self.model(images, training=False)

    shipped = inference_model(model)
    images = np.random.default_rng(0).integers(0, 256, (8, *model.input_shape[1:])).astype("uint8")
    files = {name: place / f"{name}.tflite" for name in (AS_TRAINED, *variants)}
    write_tflite(AsTrained(shipped, 1), files[AS_TRAINED])
    with TfliteWriter(shipped, images, place) as writer:
        for variant in variants:
            writer.write(variant, files[variant])
    return files


def measure(files, rounds):
    """Returns a dict from a file's name to its times in milliseconds, and to its size in bytes."""
    from ai_edge_litert.interpreter import Interpreter

    interpreters = {name: Interpreter(str(path), num_threads=1) for name, path in files.items()}
    for interpreter in interpreters.values():
        interpreter.allocate_tensors()
        (inside,) = interpreter.get_input_details()
        image = np.random.default_rng(0).integers(0, 256, inside["shape"])
        interpreter.set_tensor(inside["index"], image.astype("float32"))
    times = {name: [] for name in files}
    for number in range(rounds + 3):  # the first three warm up
        for name, interpreter in interpreters.items():
            started = time.thread_time()
            interpreter.invoke()
            if number >= 3:
                times[name].append(1000 * (time.thread_time() - started))
    return {name: (statistics.median(times[name]), path.stat().st_size) for name, path in files.items()}


def report(work, measured):
    base, _ = measured.get(PEER, measured[AS_TRAINED])
    rows = {}
    print(f"\n{work}")
    for name, (median, size) in measured.items():
        rows[name] = {"median_ms": round(median, 3), "ratio": round(median / base, 3), "bytes": size}
        print(f"  {name:18} {median:8.3f} ms  {median / base:6.3f}  {size / 1e6:7.2f} MB", flush=True)
    return rows


if __name__ == "__main__":
    main()
