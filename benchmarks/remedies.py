"""Measures remedies against the losses of quantization one by one, on a model with outliers or any other.

    python benchmarks/remedies.py outliers.keras --data fashion_mnist --data-dir TFDS

`outliers.keras` is from `outlier_model.py`. The first 1,000 test images; 256 training images for calibration.
Rotation and the two rows below it, which each add one remedy, are what an export has; each of the other rows
shows what else was tried. Cells: lost points of accuracy, and the agreement with the model's decisions.
"""

import argparse
import contextlib
import functools
import tempfile
from pathlib import Path

import keras
import numpy as np
from ai_edge_quantizer.algorithm_manager import AlgorithmName
from ai_edge_quantizer.quantizer import Quantizer

import keras_vit.layers  # noqa: F401  so that the model loads
from keras_vit.export.mobile import attention, normalization, rotation, transformer
from keras_vit.export.mobile.pending import Rotated
from keras_vit.export.model.function import model_function
from keras_vit.export.model.precision import in_float32
from keras_vit.export.model.verify import Expected, compare
from keras_vit.export.tasks import TASKS
from keras_vit.export.tflite.convert import write_tflite
from keras_vit.export.tflite.file_form import FileForm
from keras_vit.export.tflite.named import NamedInterpreter
from keras_vit.export.variants import VARIANTS
from keras_vit.export.workers import calibrate, quantize
from keras_vit.export.workers.corrected_biases import with_corrected_biases

VARIANT_NAMES = ("dynamic_int8", "mixed_int8", "full_int8", "int4")
TEST_IMAGES, CALIBRATION_IMAGES, GPTQ_IMAGES = 1000, 256, 32
ALPHA = 0.5  # of smoothing: how much of the spread goes from the activations into the weights
PERCENTILE = 1e-4  # of the values, cut off on either side
BINS, FEWEST_CHANNELS = 1024, 16  # narrower tensors, such as a token's variance, keep the full range
SHARES = np.linspace(0.3, 1, 15)  # of the full range


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path, help="a .keras file of a classifier of images")
    parser.add_argument(
        "--data", default="fashion_mnist", help="of tensorflow-datasets (default: %(default)s)"
    )
    parser.add_argument("--data-dir", help="where tensorflow-datasets keeps its data")
    parser.add_argument("--rows", type=int, default=99, help="only the first rows")
    options = parser.parse_args()
    (images, labels), (calibration, _) = (
        read(options, split, count) for split, count in (("test", TEST_IMAGES), ("train", CALIBRATION_IMAGES))
    )
    model = keras.models.load_model(options.model)
    print(f"| remedies | {' | '.join(VARIANT_NAMES)} |\n|{' --- |' * (1 + len(VARIANT_NAMES))}")
    with tempfile.TemporaryDirectory() as folder:
        files = functools.cache(lambda *remedies: File(model, remedies, calibration, Path(folder)))
        expected = None
        for title, remedies, change, names in ROWS[: options.rows]:
            file = files(*remedies)
            expected = file.answers(file.content, images) if expected is None else expected
            cells = []
            for name in VARIANT_NAMES:
                content = change(file, name) if name in names else None
                cells.append("" if content is None else cell(expected, file.answers(content, images), labels))
            print(f"| {title} | {' | '.join(cells)} |", flush=True)


def cell(expected, found, labels):
    value = Expected(expected, TASKS["classification"], labels)
    row = compare({"probabilities": value}, {"probabilities": found})
    return f"{row['drop']:+.1f}, {100 * row['agreement']:.1f} %"


def read(options, split, count):
    import tensorflow_datasets as tfds

    data = tfds.load(
        options.data, split=f"{split}[:{count}]", data_dir=options.data_dir, download=False, batch_size=-1
    )
    return data["image"].numpy(), data["label"].numpy()


class File:
    """The float32 file of a model with some remedies in its mobile form, and the ranges of its values."""

    def __init__(self, model, remedies, calibration, folder):
        self.calibration = calibration
        path = folder / f"{'_'.join(remedies) or 'none'}.tflite"
        with contextlib.ExitStack() as stack:
            if "rotation" not in remedies:
                stack.enter_context(without_rotation())
            if "balance" not in remedies:
                stack.enter_context(without_balance())
            if "smoothing" in remedies:
                stack.enter_context(
                    smoothing(model, largest_of_channels(folder / "none.tflite", calibration))
                )
            function, _ = model_function(in_float32(model), calibration[:1], "softmax")
            form = FileForm(function, input_dtype="float32")
            write_tflite(form, path, in_process=True)
        self.content, self.name = path.read_bytes(), form.inputs[0].name
        np.savez(folder / "items.npz", **{self.name: calibration})
        self.ranges, self.means = calibrate.run(path, folder / "items.npz")

    def other_ranges(self, function):
        """The ranges of values that have channels, by a function of values and how often each occurs."""
        opened = NamedInterpreter(self.content, preserve_all_tensors=True)
        arrays, counts = {self.name: self.calibration[::4]}, {}
        for key, values in calibrate._values(opened, arrays, len(self.calibration[::4])):
            (low, high, _), wide = self.ranges[key], values.ndim > 1 and values.shape[-1] >= FEWEST_CHANNELS
            if wide and high > low:
                counts[key] = counts.get(key, 0) + np.histogram(values, BINS, (low, high))[0]
        found = dict(self.ranges)
        for key, count in counts.items():
            low, high, rank = found[key]
            found[key] = [*map(float, function(np.linspace(low, high, BINS), count)), rank]
        return found

    def answers(self, content, images):
        (found,) = NamedInterpreter(content).run({self.name: images}).values()
        return found


@contextlib.contextmanager
def replaced(*changes):
    before = [(module, name, getattr(module, name)) for module, name, _ in changes]
    for module, name, value in changes:
        setattr(module, name, value)
    rotation.without_mean.cache_clear()
    try:
        yield
    finally:
        for module, name, value in before:
            setattr(module, name, value)
        rotation.without_mean.cache_clear()


def without_rotation():
    return replaced((rotation, "rotation", np.eye), (transformer, "rotation", np.eye))


def without_balance():
    def turned(kernel, bias, num_heads):
        """Values that are rotated and no more."""
        width = kernel.shape[0]
        matrix = rotation.rotation_of_heads(width, num_heads)
        weights = np.vstack([kernel, bias])
        weights[:, -width:] = weights[:, -width:] @ matrix
        return weights[:-1], weights[-1], functools.partial(Rotated, matrix=matrix.T, shift=np.zeros(width))

    return replaced(
        (attention, "balanced", lambda kernel, bias, *_, **__: (kernel, bias)),
        (attention, "with_changed_values", turned),
    )


def smoothing(model, largest):
    """Divides channels behind a norm and multiplies the rows of the next kernel instead (SmoothQuant)."""
    kernels = {}
    for block in model.get_layer("encoder").blocks:
        kernels[block.attention_norm.path] = np.array(block.attention.qkv.kernel)
        kernels[block.mlp_norm.path] = np.array(block.mlp.expansion.kernel)

    def smoothed(layer, x):
        y = normalization.rotated_layer_norm(layer, x, np.eye(x.shape[-1]))
        if layer.path not in kernels:
            return y
        weights = np.abs(np.diag(y.matrix)[:, None] * kernels[layer.path]).max(axis=1)
        activations = np.maximum(largest[layer.path], 1e-6)
        factor = np.maximum(weights, 1e-6) ** (1 - ALPHA) / activations**ALPHA
        return Rotated(y.x * factor.astype("float32"), y.matrix / factor[:, None], y.shift)

    return replaced((transformer, "_rotated_norm", smoothed))


def largest_of_channels(path, calibration):
    """The largest values of the channels that each norm returns, by the norm's path, in a float32 file."""
    opened = NamedInterpreter(path, preserve_all_tensors=True)
    (name,), found = opened.inputs, {}
    for key, values in calibrate._values(opened, {name: calibration[::4]}, len(calibration[::4])):
        if "norm/mul" in key:  # the last product of a norm is found last
            largest = np.abs(values).reshape(-1, values.shape[-1]).max(axis=0)
            layer = key.split(";")[0].rpartition("/")[0]
            before = found.get((layer, key), 0)
            found[layer, key] = np.maximum(before, largest)
    return {layer: largest for (layer, key), largest in sorted(found.items(), key=lambda item: item[0])}


def usual(file, name, ranges=None):
    return quantize.quantized(file.content, VARIANTS[name].rules, ranges or file.ranges)


def corrected(file, name, ranges=None):
    content = with_corrected_biases(file.content, usual(file, name, ranges), file.means)
    return quantize.quantized(content, VARIANTS[name].rules, ranges or file.ranges)


def percentile_ranges(file, name):
    """Without the rarest values on either side."""

    def of(centers, counts):
        share = np.cumsum(counts) / np.sum(counts)
        kept = centers[(share > PERCENTILE) & (share - counts / np.sum(counts) < 1 - PERCENTILE)]
        return kept.min(), kept.max()

    return corrected(file, name, file.other_ranges(of))


def best_ranges(file, name):
    """With the smallest mean square error in 256 steps."""

    def of(centers, counts):
        smallest = (np.inf, centers[0], centers[-1])
        for low in SHARES * min(centers[0], 0):
            for high in SHARES * max(centers[-1], 0):
                cut = centers - np.clip(centers, low, high)
                error = np.sum(counts * np.where(cut == 0, ((high - low) / 255) ** 2 / 12, cut**2))
                smallest = min(smallest, (error, low, high))
        return smallest[1:]

    return corrected(file, name, file.other_ranges(of))


def by_algorithm(algorithm):
    """Kernels of dense layers by another algorithm of ai-edge-quantizer."""

    def change(file, name):
        def add(quantizer, kind, bits, activation_bits, names):
            chosen = algorithm if kind == "FULLY_CONNECTED" and bits else AlgorithmName.MIN_MAX_UNIFORM_QUANT
            if not bits:
                quantizer.update_quantization_recipe(names, kind, algorithm_key=AlgorithmName.NO_QUANTIZE)
            else:
                quantizer.add_dynamic_config(names, kind, bits, algorithm_key=chosen)

        try:
            with replaced((quantize, "_add_rule", add)):
                return usual(file, name)
        except Exception as error:
            print(algorithm, name, error)

    return change


def gptq(file, name):
    quantizer = Quantizer(bytearray(file.content))
    for kind, bits, _, names in VARIANTS[name].rules:
        if bits:
            chosen = AlgorithmName.GPTQ if kind == "FULLY_CONNECTED" else AlgorithmName.MIN_MAX_UNIFORM_QUANT
            quantizer.add_dynamic_config(names, kind, bits, algorithm_key=chosen)
        else:
            quantizer.update_quantization_recipe(names, kind, algorithm_key=AlgorithmName.NO_QUANTIZE)
    items = [{file.name: image[None].astype("float32")} for image in file.calibration[:GPTQ_IMAGES]]
    try:
        return bytes(quantizer.quantize(quantizer.calibrate({"serve": items})).quantized_model)
    except Exception as error:
        print("GPTQ", name, error)


ALL, STATIC, INT4 = VARIANT_NAMES, ("mixed_int8", "full_int8"), ("int4",)
FORM = ("rotation", "balance")
ROWS = (
    ("none", (), usual, ALL),
    ("smoothing behind norms", ("smoothing",), usual, ALL),
    ("rotation of channels", ("rotation",), usual, ALL),
    ("+ queries, keys and values equally large", FORM, usual, ALL),
    ("+ bias correction", FORM, corrected, ALL),
    ("and ranges of the smallest error", FORM, best_ranges, STATIC),
    ("and ranges without the outer 0.01 %", FORM, percentile_ranges, STATIC),
    ("OCTAV instead of bias correction", FORM, by_algorithm(AlgorithmName.OCTAV), INT4),
    ("MSE of kernels instead of it", FORM, by_algorithm(AlgorithmName.MSE), INT4),
    ("GPTQ instead of it", FORM, gptq, INT4),
)

if __name__ == "__main__":
    main()
