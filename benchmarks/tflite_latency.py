"""Times single images in TFLite files: our variants, the model as trained, and KerasHub's files, interleaved.

    python benchmarks/tflite_latency.py --peer-python PEERS/bin/python

`PEERS` is an environment with `pip install keras-hub tensorflow`. One thread, pinned to one core; interleaved
rounds; the report contains the median CPU time of the calling thread, its ratio to KerasHub's float32 file
with a batch of one (without it: to our own model converted as it was trained), and the size. Weights are
random: time does not depend on them. The CNN has two blocks of convolution, batch normalization and ReLU.
"""

import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from interleaved import median_times, parser, pin, report, write_rows

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
    arguments = parser(__doc__, rounds=30)
    arguments.add_argument("--peer-python", help="Python of an environment with keras-hub")
    options = arguments.parse_args()
    pin(options.core)
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        for title, write in models().items():
            model_folder = Path(folder) / title.replace("/", "_")
            model_folder.mkdir()
            files = write(model_folder, options.peer_python)
            medians = median_times({name: invoker(path) for name, path in files.items()}, options.rounds)
            sizes = {name: path.stat().st_size for name, path in files.items()}
            results[title] = report(title, medians, sizes, PEER if PEER in files else AS_TRAINED)
    write_rows(options.json, results)


def models():
    """Functions by title: from a folder and the peers' Python to a dict of the TFLite files written there."""
    return {
        "ViT-Ti/16 224, 1000 classes": lambda folder, peer: vit_files(folder, peer, 1000, TINY),
        "CIFAR ViT d192, 12 heads": lambda folder, peer: vit_files(folder, peer, 10, CIFAR),
        "CNN with batch normalization": lambda folder, peer: cnn_files(folder),
    }


def vit_files(folder, peer, num_classes, sizes):
    from keras_vit.models import vit

    files = our_files(vit(num_classes=num_classes, **sizes), VIT_VARIANTS, folder)
    if peer:
        theirs = {PEER: folder / "peer_fp32.tflite", PEER_INT8: folder / "peer_int8.tflite"}
        job = json.dumps({**sizes, "num_classes": num_classes})
        subprocess.run(
            [peer, str(WORKER), job, *map(str, theirs.values())], check=True, stdout=subprocess.DEVNULL
        )
        files = {**theirs, **files}
    return files


def cnn_files(folder):
    import keras

    layers, stack = keras.layers, [keras.Input((32, 32, 3)), keras.layers.Rescaling(1 / 255)]
    for filters in (32, 64):
        for _ in range(2):
            stack += [layers.Conv2D(filters, 3, padding="same"), layers.BatchNormalization(), layers.ReLU()]
        stack.append(layers.MaxPooling2D())
    stack += [layers.Flatten(), layers.Dense(128, activation="relu"), layers.Dense(10)]
    return our_files(keras.Sequential(stack), ("fp32", "dynamic_int8", "full_int8"), folder)


def our_files(model, variants, folder):
    """Writes a model's variants and the model as it was trained, with a batch of one."""
    from keras_vit.export.model.function import model_function
    from keras_vit.export.model.precision import in_float32
    from keras_vit.export.tflite.convert import write_tflite
    from keras_vit.export.tflite.file_form import FileForm
    from keras_vit.export.tflite.writer import TfliteWriter

    class AsTrained(FileForm):
        def _outputs(self, tensors):
            return self.function(tensors)

    images = np.random.default_rng(0).integers(0, 256, (8, *model.input_shape[1:])).astype("uint8")
    function, _ = model_function(in_float32(model), images, "softmax")
    form = FileForm(function, rgb=True)
    files = {name: folder / f"{name}.tflite" for name in (AS_TRAINED, *variants)}
    write_tflite(AsTrained(function), files[AS_TRAINED])
    with TfliteWriter(form, {form.inputs[0].name: images}, folder) as writer:
        for variant in variants:
            writer.write(variant, files[variant])
    return files


def invoker(path):
    """Returns a function that runs a TFLite file on a random image."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(path), num_threads=1)
    interpreter.allocate_tensors()
    (given,) = interpreter.get_input_details()
    image = np.random.default_rng(0).integers(0, 256, given["shape"])
    interpreter.set_tensor(given["index"], image.astype("float32"))
    return interpreter.invoke


if __name__ == "__main__":
    main()
