"""What GPUs do not run, or run wrongly.

Seen with ai-edge-litert 2.3.0, whose GPU accelerator (ML Drift on WebGPU) ran on two software GPUs,
SwiftShader and Mesa's lavapipe: docs/results/gpu.md, written by benchmarks/gpu_operators.py. `PUBLISHED` was
not tried; it is what `tensorflow/lite/tools/versioning/gpu_compatibility.cc` names besides.

Where public rules say something: BROADCAST_TO is refused here too (google-ai-edge/LiteRT#9191), and inputs of
different numbers of axes are computed wrongly here too (#8980). Tensors of five axes and SPLIT are refused
elsewhere (#2540, tensorflow#44124) and taken here. SPLIT gave wrong results in some graphs.
"""

import collections

from keras_vit.export.doctor.finding import counted
from keras_vit.export.tflite.graph import is_constant

TAKEN = {
    "ABS", "ADD", "ARG_MAX", "AVERAGE_POOL_2D", "BATCH_MATMUL", "CAST", "CONCATENATION", "CONV_2D", "COS",
    "CUMSUM", "DEPTHWISE_CONV_2D", "DEPTH_TO_SPACE", "DEQUANTIZE", "DIV", "ELU", "EXP", "FLOOR",
    "FULLY_CONNECTED", "GATHER", "GELU", "GREATER", "HARD_SWISH", "LEAKY_RELU", "LESS", "LOG", "LOGICAL_AND",
    "LOGISTIC", "MAXIMUM", "MAX_POOL_2D", "MEAN", "MINIMUM", "MIRROR_PAD", "MUL", "ONE_HOT", "PACK",
    "PAD", "PADV2", "POW", "REDUCE_MAX", "REDUCE_PROD", "RELU6", "RESHAPE", "RESIZE_BILINEAR",
    "RESIZE_NEAREST_NEIGHBOR", "REVERSE_V2", "ROUND", "RSQRT", "SELECT", "SELECT_V2", "SIGN", "SIN", "SLICE",
    "SOFTMAX", "SPACE_TO_DEPTH", "SPLIT", "SPLIT_V", "SQRT", "SQUARED_DIFFERENCE", "STRIDED_SLICE",
    "SUB", "SUM", "TANH", "TILE", "TOPK_V2", "TRANSPOSE", "TRANSPOSE_CONV", "UNPACK",
}  # fmt: skip
PUBLISHED = {
    "ADD_N", "DENSIFY", "EQUAL", "FLOOR_DIV", "FLOOR_MOD", "GREATER_EQUAL", "LESS_EQUAL", "LSTM", "NEG",
    "NOT_EQUAL", "PRELU", "QUANTIZE", "REDUCE_MIN", "RELU", "RELU_N1_TO_1", "SQUARE",
}  # fmt: skip
OF_TWO = {
    "ADD", "DIV", "EQUAL", "FLOOR_DIV", "FLOOR_MOD", "GREATER", "GREATER_EQUAL", "LESS", "LESS_EQUAL",
    "LOGICAL_AND", "MAXIMUM", "MINIMUM", "MUL", "NOT_EQUAL", "POW", "SQUARED_DIFFERENCE", "SUB",
}  # fmt: skip
AXES = 4  # that a GPU's tensors have at most: batch, height, width, channels


def gpu(case):
    if case.graph is None:
        return
    graph = _Graph(case.graph)
    known = [operator for operator in case.operators if not operator.is_custom]
    pairs = list(zip(case.operators, case.graph.subgraphs[0].operators, strict=True))
    for is_found, reason, fix in RULES:
        found = [
            operator
            for operator, written in pairs
            if operator in known and is_found(graph, operator, written)
        ]
        if found:
            yield case.finding("GPU", found, f"{counted(found)}: {reason}", fix)


class _Graph:
    """The tensors of a file, and how often each is read."""

    def __init__(self, model):
        self.model = model
        graph = model.subgraphs[0]
        self.tensors = graph.tensors
        read = [number for operator in graph.operators for number in operator.inputs]
        self.readers = collections.Counter(map(int, [*read, *graph.outputs]))

    def shape(self, number):
        shape = self.tensors[number].shape
        return () if shape is None else tuple(map(int, shape))

    def is_constant(self, number):
        return is_constant(self.model, self.tensors[number])


def _is_refused(graph, operator, written):
    return operator.kind not in TAKEN | PUBLISHED


def _removes_an_axis(graph, operator, written):
    return operator.kind == "STRIDED_SLICE" and bool(written.builtinOptions.shrinkAxisMask)


def _gathers_by_a_table(graph, operator, written):
    return operator.kind == "GATHER" and len(graph.shape(operator.inputs[1])) > 1


def _is_grouped(graph, operator, written):
    if operator.kind != "CONV_2D":
        return False
    images, kernel = map(graph.shape, operator.inputs[:2])
    return images[-1] != kernel[-1]


def _is_split_unevenly(graph, operator, written):
    """Splits of which each part is read once, as in recurrent cells, were right."""
    is_split = operator.kind in ("SPLIT", "SPLIT_V")
    return is_split and any(graph.readers[number] != 1 for number in operator.outputs)


def _mixes_numbers_of_axes(graph, operator, written):
    if operator.kind not in OF_TWO or len(operator.inputs) != 2:
        return False
    shorter, longer = sorted(operator.inputs, key=lambda number: len(graph.shape(number)))
    is_mixed = 1 < len(graph.shape(shorter)) < len(graph.shape(longer))
    return is_mixed and not graph.is_constant(shorter)


def _has_many_axes(graph, operator, written):
    return any(len(graph.shape(number)) > AXES for number in operator.inputs + operator.outputs)


RULES = (
    (
        _is_refused,
        "the GPU does not run them, everything from there on stays on the CPU",
        "write it with operations that it runs, or run this model on the CPU",
    ),
    (
        _removes_an_axis,
        "an index that removes an axis stays on the CPU",
        "use keras.ops.slice, which keeps the axis, and a reshape",
    ),
    (_gathers_by_a_table, "indices of more than one axis stay on the CPU", "pass ids of one axis"),
    (
        _is_grouped,
        "the GPU computes convolutions in groups wrongly",
        "use a depthwise convolution, or one convolution for each group",
    ),
    (
        _is_split_unevenly,
        "a part of it is read by no operator or by several, of which the GPU computed wrong parts",
        "use one keras.ops.slice for each part",
    ),
    (
        _mixes_numbers_of_axes,
        "the GPU aligns inputs of different numbers of axes wrongly",
        "give both the same number of axes",
    ),
    (
        _has_many_axes,
        f"most GPUs take no tensors of more than {AXES} axes",
        f"reshape to {AXES} axes or fewer",
    ),
)
