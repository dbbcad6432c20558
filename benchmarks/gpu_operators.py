"""Shows which operators LiteRT's GPU accelerator takes, and whether it computes them rightly.

    python benchmarks/gpu_operators.py [WORD ...] > docs/results/gpu.md

It takes some 15 minutes on one core, needs Chromium, and no GPU.

The accelerator of ai-edge-litert (WebGPU on Vulkan) runs on SwiftShader, the software GPU that comes with
Chromium. Each row is a file of its own, made by TensorFlow's converter. `right` means that the GPU took all
operators and that its answer differs from the Interpreter's by less than 2e-3 of the largest value; `WRONG`,
that it took them and that the answer differs by more; `refused`, that operators stay on the CPU, with the
accelerator's own words; `fails`, that it does not run the file. An operator that is right here may be slow,
or refused by another accelerator.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "contract")]

import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
from every_model import OTHER_MODELS, VIT_OPTIONS, name_of, other_model, vit_with  # noqa: E402

from keras_vit.export.mobile import mobile_form  # noqa: E402
from keras_vit.export.tflite.graph import operators, read_graph  # noqa: E402

WORKER = ROOT / "benchmarks" / "workers" / "software_gpu.py"
LIMIT = 2e-3  # of the largest value
IMAGE, TOKENS, HEADS = (1, 4, 6, 8), (1, 17, 32), (1, 3, 5, 8)
FLOAT16 = "float16 weights"


def weights(*shape):
    return tf.constant(np.random.default_rng(0).normal(size=shape).astype("float32"))


def reshaped_sum(images):
    """A dense layer as a product of two axes, whose last reshape the converter leaves out."""
    rows = tf.matmul(tf.reshape(images, (-1, 8)), weights(8, 32))
    return tf.reshape(rows, (1, 24, 32)) + weights(1, 24, 32)


def rotated(x):
    """The start of attention with rotary positions, by splits."""
    query, key, value = tf.split(x, 3, axis=1)
    first, second = tf.split(query, 2, axis=-1)
    query = query * weights(1, 1, 5, 8) + tf.concat([second, first], -1) * weights(1, 1, 5, 8)
    return tf.matmul(tf.nn.softmax(tf.matmul(query, key, transpose_b=True)), value)


def output_and_mean(a, b, activation=tf.identity, of_output=tf.identity):
    """A sum that is an output of the file and is read by a mean."""
    y = activation(a + b)
    return tf.reduce_mean(y, 1), of_output(y)


def largest_logit(x):
    """As the calibrated models of runs have it."""
    return tf.reshape(tf.nn.max_pool1d(tf.reshape(x, (1, -1, 1)), x.shape[1], 1, "VALID"), (1, 1))


def prelu(x):
    return tf.nn.relu(x) + -weights(1, 1, 8) * tf.nn.relu(-x)  # as Keras and the converter have it


def layer_norm(x):
    x -= tf.reduce_mean(x, -1, keepdims=True)
    return x * tf.math.rsqrt(tf.reduce_mean(x * x, -1, keepdims=True) + 1e-6)


# What it is: the function, and the shapes of its inputs, or "int32" or "uint8" before them.
CASES = {
    "an input that is an output too": (lambda a: (a, 2.0 * a), IMAGE),
    "an input that is an output and is reduced": (lambda a: (a, tf.reduce_mean(a, 1)), TOKENS),
    "logits times a number of the image": (lambda a: a * (1 + 0.2 * largest_logit(a)), (1, 10)),
    "addition": (lambda a, b: a + b, IMAGE, IMAGE),
    "addition of a constant per channel": (lambda a: a + weights(8), IMAGE),
    "addition of an input of one axis": (lambda a, b: a + b, TOKENS, (32,)),
    "addition of one axis and a constant of three": (lambda a: a + weights(*TOKENS), (32,)),
    "addition of two axes, the first of which is 1, and a constant of four": (
        lambda a: a + weights(*IMAGE), (1, 8)
    ),
    "product of channels and images": (lambda a, b: a * b, (1, 8), IMAGE),
    "addition that is an output and is averaged": (output_and_mean, TOKENS, TOKENS),
    "addition that is an output, is averaged, and has a ReLU": (
        lambda a, b: output_and_mean(a, b, tf.nn.relu), TOKENS, TOKENS
    ),
    "addition that is averaged, and is an output in another form": (
        lambda a, b: output_and_mean(a, b, of_output=lambda y: tf.reshape(y, (1, -1))), TOKENS, TOKENS
    ),
    "addition of three": (lambda a, b, c: tf.add_n([a, b, c]), IMAGE, IMAGE, IMAGE),
    "addition of inputs of two axes and three": (lambda a, b: a + b, (17, 32), TOKENS),
    "addition of two axes and a constant of three": (lambda a: a + weights(*TOKENS), (17, 32)),
    "a dense layer of pixels as a product of two axes, then an addition": (reshaped_sum, IMAGE),
    "addition, five axes": (lambda a, b: a + b, (1, 2, 3, 4, 8), (1, 2, 3, 4, 8)),
    "product with one number per token": (lambda a, b: a * b, TOKENS, (1, 17, 1)),
    "product with a table of two axes": (lambda a: a * weights(5, 8), HEADS),
    "difference": (lambda a, b: a - b, IMAGE, IMAGE),
    "quotient": (lambda a: 1 / (a * a + 1), IMAGE),
    "maximum and minimum": (lambda a, b: tf.maximum(a, 0.5) * tf.minimum(a, b), IMAGE, IMAGE),
    "power": (lambda a: tf.pow(tf.abs(a), 2.5), IMAGE),
    "squared difference": (tf.math.squared_difference, IMAGE, IMAGE),
    "square root, and its inverse": (lambda a: tf.sqrt(a * a) + tf.math.rsqrt(a * a + 1), IMAGE),
    "exponential and logarithm": (lambda a: tf.exp(a) * tf.math.log(a * a + 1), IMAGE),
    "sine and cosine": (lambda a: tf.sin(a) + tf.cos(a), IMAGE),
    "absolute value, sign": (lambda a: tf.abs(a) + tf.sign(a), IMAGE),
    "negative, square": (lambda a: (-tf.exp(a), tf.square(a)), IMAGE),
    "rounding": (lambda a: tf.floor(a) + tf.round(a) + tf.math.ceil(a), IMAGE),
    "whole quotient, and rest": (lambda a: tf.math.floordiv(a, 0.3) + tf.math.floormod(a, 0.3), IMAGE),
    "GELU": (tf.nn.gelu, IMAGE),
    "GELU by tanh": (lambda a: tf.nn.gelu(a, approximate=True), IMAGE),
    "hard swish": (lambda a: a * tf.nn.relu6(a + 3.0) * (1 / 6), IMAGE),
    "swish": (tf.nn.silu, IMAGE),
    "ReLU, ReLU6, leaky, ELU": (lambda a: tf.nn.elu(tf.nn.leaky_relu(tf.nn.relu6(a) + a)), IMAGE),
    "ReLU to 1": (lambda a: tf.clip_by_value(a, -1.0, 1.0) + tf.nn.relu(a), IMAGE),
    "ReLU with a slope per channel": (prelu, IMAGE),
    "tanh": (tf.tanh, IMAGE),
    "softmax, two axes": (tf.nn.softmax, (6, 8)),
    "softmax, four axes": (tf.nn.softmax, (1, 3, 17, 17)),
    "logarithm of softmax": (tf.nn.log_softmax, IMAGE),
    "layer normalization": (layer_norm, TOKENS),
    "division by the norm": (lambda a: tf.nn.l2_normalize(a, -1), IMAGE),
    "mean over the image": (lambda a: tf.reduce_mean(a, (1, 2)), IMAGE),
    "mean over tokens": (lambda a: tf.reduce_mean(a, 1), TOKENS),
    "mean over channels": (lambda a: tf.reduce_mean(a, -1, keepdims=True), TOKENS),
    "sum": (lambda a: tf.reduce_sum(a, -1, keepdims=True), TOKENS),
    "greatest and least of an axis": (lambda a: tf.reduce_max(a, 1) + tf.reduce_min(a, 1), IMAGE),
    "product of an axis": (lambda a: tf.reduce_prod(a, -1), IMAGE),
    "running sum": (lambda a: tf.cumsum(a, 1), IMAGE),
    "number of the least": (lambda a: tf.argmin(a, -1, output_type=tf.int32), IMAGE),
    "number of the greatest": (lambda a: tf.argmax(a, -1, output_type=tf.int32), IMAGE),
    "the greatest two": (lambda a: tf.nn.top_k(a, 2)[0], (1, 8)),
    "dense, two axes": (lambda a: tf.matmul(a, weights(32, 48)) + weights(48), (17, 32)),
    "dense, three axes": (lambda a: tf.matmul(a, weights(32, 48)) + weights(48), TOKENS),
    "product of matrices": (tf.matmul, (1, 3, 5, 8), (1, 3, 8, 7)),
    "queries by keys": (lambda a, b: tf.matmul(a, b, transpose_b=True), HEADS, HEADS),
    "product of a tensor and itself": (lambda a: tf.matmul(a, a, transpose_b=True), HEADS),
    "product of a tensor and itself times 2": (lambda a: tf.matmul(a * 2, a, transpose_b=True) * 0.5, HEADS),
    "constant queries by keys": (lambda a: tf.matmul(weights(1, 3, 1, 8), a, transpose_b=True), HEADS),
    "product of matrices, batch of 2": (tf.matmul, (2, 3, 5, 8), (2, 3, 8, 7)),
    "convolution": (lambda a: tf.nn.conv2d(a, weights(3, 3, 8, 5), 1, "SAME"), IMAGE),
    "convolution, every second pixel": (lambda a: tf.nn.conv2d(a, weights(3, 3, 8, 5), 2, "SAME"), IMAGE),
    "convolution, dilated": (lambda a: tf.nn.conv2d(a, weights(3, 3, 8, 5), 1, "SAME", dilations=2), IMAGE),
    "convolution in groups": (lambda a: tf.nn.conv2d(a, weights(3, 3, 4, 6), 1, "SAME"), IMAGE),
    "depthwise convolution": (
        lambda a: tf.nn.depthwise_conv2d(a, weights(3, 3, 8, 2), (1, 1, 1, 1), "SAME"), IMAGE
    ),
    "transposed convolution": (
        lambda a: tf.nn.conv2d_transpose(a, weights(3, 3, 5, 8), (1, 8, 12, 5), 2), IMAGE
    ),
    "convolution in three dimensions": (
        lambda a: tf.nn.conv3d(a, weights(3, 3, 3, 8, 5), (1,) * 5, "SAME"), (1, 2, 4, 6, 8)
    ),
    "average of windows": (lambda a: tf.nn.avg_pool2d(a, 2, 2, "VALID"), IMAGE),
    "greatest of windows": (lambda a: tf.nn.max_pool2d(a, 2, 2, "SAME"), IMAGE),
    "border of zeros": (lambda a: tf.pad(a, [(0, 0), (1, 1), (0, 1), (0, 0)]), IMAGE),
    "border of zeros, three axes": (lambda a: tf.pad(a, [(0, 0), (1, 1), (0, 0)]), TOKENS),
    "border of a number": (lambda a: tf.pad(a, [(0, 0), (1, 1), (0, 1), (0, 0)], constant_values=2.0), IMAGE),
    "mirrored border": (lambda a: tf.pad(a, [(0, 0), (1, 1), (1, 1), (0, 0)], "REFLECT"), IMAGE),
    "resized, bilinear": (lambda a: tf.image.resize(a, (8, 12)), IMAGE),
    "resized, nearest": (lambda a: tf.image.resize(a, (8, 12), "nearest"), IMAGE),
    "pixels to channels and back": (
        lambda a: tf.nn.depth_to_space(tf.nn.space_to_depth(a, 2) + 1.0, 2), IMAGE
    ),
    "concatenation with a constant": (lambda a: tf.concat([weights(1, 1, 32), a], 1), TOKENS),
    "concatenation of channels": (lambda a, b: tf.concat([a, b], -1), IMAGE, (1, 4, 6, 3)),
    "stacked tensors": (lambda a, b: tf.stack([a, b], 1), TOKENS, TOKENS),
    "a tensor stacked with itself": (lambda a: tf.stack([a, a], 1), TOKENS),
    "unstacked tensors": (lambda a: tf.unstack(a, axis=1), (1, 3, 8)),
    "reshape": (lambda a: tf.reshape(a, (1, 24, 8)), IMAGE),
    "reshape of the batch": (lambda a: tf.reshape(a, (4, 6, 8)), IMAGE),
    "reshape to five axes": (lambda a: tf.reshape(a, (1, 2, 2, 6, 8)) * 2.0, IMAGE),
    "transposition": (lambda a: tf.transpose(a, (0, 2, 1, 3)), IMAGE),
    "transposition, five axes": (lambda a: tf.transpose(a, (2, 0, 3, 1, 4)), (1, 5, 3, 4, 8)),
    "transposition, six axes": (lambda a: tf.transpose(a, (0, 1, 3, 2, 4, 5)), (1, 2, 3, 4, 2, 3)),
    "slice": (lambda a: tf.slice(a, (0, 1, 0), (1, 3, 32)), TOKENS),
    "slice by Python": (lambda a: a[:, 1:4], TOKENS),
    "every second token": (lambda a: a[:, ::2], TOKENS),
    "one token by its number": (lambda a: a[:, 0], TOKENS),
    "split": (lambda a: tf.split(a, 2, axis=1), IMAGE),
    "split into parts that are not equal": (lambda a: tf.split(a, [1, 3], axis=1), IMAGE),
    "split, of which one part is not used": (
        lambda a: (lambda parts: parts[0] * weights(1, 1, 6, 8) + parts[1])(tf.split(a, 4, axis=1)), IMAGE
    ),
    "split, of which one part is split again": (rotated, (1, 9, 5, 8)),
    "choice by a constant": (
        lambda a, b: tf.where(tf.constant(np.arange(192).reshape(IMAGE) % 3 > 0), a, b), IMAGE, IMAGE
    ),
    "choice by a comparison": (lambda a: tf.where(a > 0.5, a, 0.0), IMAGE),
    "comparisons as numbers": (lambda a, b: tf.cast((a > b) & (a < 0.5), tf.float32), IMAGE, IMAGE),
    "other comparisons as numbers": (
        lambda a, b: tf.cast((a >= b) | (a <= 0.5), tf.float32) + tf.cast(a == b, tf.float32), IMAGE, IMAGE
    ),
    "any of an axis": (lambda a: tf.cast(tf.reduce_any(a != tf.nn.relu(a), 1), tf.float32), IMAGE),
    "broadcast": (lambda a: tf.raw_ops.BroadcastTo(input=a, shape=IMAGE), (1, 1, 6, 8)),
    "tiles": (lambda a: tf.tile(a, (1, 2, 1, 1)), IMAGE),
    "reversed": (lambda a: tf.reverse(a, [1]), IMAGE),
    "chosen tokens": (lambda a: tf.gather(a, [2, 0], axis=1), TOKENS),
    "chosen elements": (lambda a: tf.gather_nd(a, [[0, 1], [0, 2]]), TOKENS),
    "embeddings of numbers": (lambda a: tf.gather(weights(9, 8), a), "int32", (1, 6)),
    "one hot": (lambda a: tf.one_hot(a, 9), "int32", (1, 6)),
    "bytes as numbers": (lambda a: tf.cast(a, tf.float32) * 2.0, "uint8", IMAGE),
    "integers as numbers": (lambda a: tf.cast(a, tf.float32) * 2.0, "int32", IMAGE),
}  # fmt: skip
WITH_WEIGHTS = ("dense, two axes", "dense, three axes", "convolution", "depthwise convolution")


def main():
    words = arguments()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.tflite"
        operator_rows = [row for name in wanted(CASES, words) for row in rows_of_case(name, path)]
        built = models()
        model_rows = [row for name in wanted(built, words) for row in rows_of_model(name, built[name], path)]
    print(page(operator_rows, model_rows))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("words", nargs="*", metavar="WORD", help="only what contains one (default: all)")
    return parser.parse_args().words


def wanted(names, words):
    return [name for name in names if not words or any(word in name for word in words)]


def models():
    """Returns a dict from a model's name to the function that builds it."""
    vits = {f"vit {name_of(options)}": lambda options=options: vit_with(options) for options in VIT_OPTIONS}
    return vits | {name: lambda name=name: other_model(name) for name in OTHER_MODELS}


def rows_of_case(name, path):
    function, *inputs = CASES[name]
    dtype = inputs.pop(0) if isinstance(inputs[0], str) else "float32"
    specs = [tf.TensorSpec(shape, dtype) for shape in inputs]
    for suffix, half in (("", False), (f", {FLOAT16}", True)):
        if not half or name in WITH_WEIGHTS:
            write(lambda *tensors: function(*tensors), specs, path, half)
            yield row_of(name + suffix, path)


def rows_of_model(name, build, path):
    model = build()
    form, specs = mobile_form(model), [tf.TensorSpec((1, *model.input_shape[1:]))]
    for suffix, half in (("fp32", False), ("fp16", True)):
        write(form, specs, path, half)
        yield row_of(f"{name}, {suffix}", path)


def write(function, specs, path, half):
    traced = tf.function(function, input_signature=specs).get_concrete_function()
    converter = tf.lite.TFLiteConverter.from_concrete_functions([traced])
    if half:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16]
    path.write_bytes(converter.convert())


def row_of(name, path):
    kinds = dict.fromkeys(operator.kind for operator in operators(read_graph(path.read_bytes())))
    result = measured(path)
    print(name, result, file=sys.stderr, flush=True)
    return name, ", ".join(kinds), result


def measured(path):
    """Returns what the worker prints about a file; of one that ends it, how it ended."""
    done = subprocess.run([sys.executable, WORKER, path], capture_output=True, text=True, timeout=600)
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    return json.loads(lines[0]) if lines else {"failure": "it ends the process"}


def verdict(result):
    if "failure" in result:
        return "fails", result["failure"]
    if result["taken"] < result["operators"]:
        return "refused", "; ".join(result["message"])
    return ("right" if result["error"] < LIMIT else "WRONG"), f"{result['error']:.1e}"


def page(operator_rows, model_rows):
    text = __doc__.partition("It takes")[0].splitlines()[0], __doc__.partition("\n\nThe accelerator")[2]
    lines = [
        "# Operators on the GPU",
        "",
        text[0],
        "",
        f"The accelerator{text[1]}".rstrip(),
        "",
        f"ai-edge-litert {version('ai-edge-litert')}, TensorFlow {tf.__version__}. "
        "`python benchmarks/gpu_operators.py > docs/results/gpu.md` writes this page.",
        "",
        "| what | operators | GPU | difference, or what the accelerator says |",
        "| --- | --- | --- | --- |",
    ]
    for name, kinds, result in operator_rows:
        lines.append(f"| {name} | {kinds} | {' | '.join(verdict(result))} |")
    taken = sum(result.get("taken", 0) for *_, result in model_rows)
    total = sum(result["operators"] for *_, result in model_rows)
    lines += [
        "",
        "## Models in their mobile form",
        "",
        f"Of the {total} operators of these files the GPU takes {taken}.",
        "",
        "| model | operators | taken | GPU | difference, or what the accelerator says |",
        "| --- | ---: | ---: | --- | --- |",
    ]
    for name, _, result in model_rows:
        counts = f"{result['operators']} | {result.get('taken', 0)}"
        lines.append(f"| {name} | {counts} | {' | '.join(verdict(result))} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
