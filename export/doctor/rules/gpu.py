"""What GPUs do not run, or run wrongly.

Seen with ai-edge-litert 2.3.0, whose GPU accelerator (ML Drift on WebGPU) ran on two software GPUs,
SwiftShader and Mesa's lavapipe: docs/results/gpu.md, written by benchmarks/gpu_operators.py. `PUBLISHED` was
not tried; it is what `tensorflow/lite/tools/versioning/gpu_compatibility.cc` names besides.

Where public rules say something: BROADCAST_TO is refused here too (google-ai-edge/LiteRT#9191), and a sum
that is an output and is reduced is wrong here too (#8599). Inputs of different numbers of axes are computed
wrongly elsewhere (#8980), and here where the longer one is constant; if the first axis of the shorter one is
1, both are aligned rightly. Tensors of five axes and SPLIT are refused elsewhere (#2540, tensorflow#44124)
and taken here. SPLIT gave wrong results in some graphs.
"""

import collections

from keras_vit.export.doctor.finding import Finding, counted
from keras_vit.export.tflite.graph import end_names, is_constant

TAKEN = {
    "ABS", "ADD", "ARG_MAX", "AVERAGE_POOL_2D", "BATCH_MATMUL", "CAST", "CEIL", "CONCATENATION", "CONV_2D",
    "COS", "CUMSUM", "DEPTHWISE_CONV_2D", "DEPTH_TO_SPACE", "DEQUANTIZE", "DIV", "ELU", "EQUAL", "EXP",
    "FLOOR", "FLOOR_DIV", "FLOOR_MOD", "FULLY_CONNECTED", "GATHER", "GELU", "GREATER", "GREATER_EQUAL",
    "HARD_SWISH", "LEAKY_RELU", "LESS", "LESS_EQUAL", "LOG", "LOGICAL_AND", "LOGICAL_OR", "LOGISTIC",
    "MAXIMUM", "MAX_POOL_2D", "MEAN", "MINIMUM", "MIRROR_PAD", "MUL", "NEG", "NOT_EQUAL", "ONE_HOT", "PACK",
    "PAD", "PADV2", "POW", "PRELU", "REDUCE_ANY", "REDUCE_MAX", "REDUCE_MIN", "REDUCE_PROD", "RELU", "RELU6",
    "RELU_N1_TO_1", "RESHAPE", "RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR", "REVERSE_V2", "ROUND", "RSQRT",
    "SELECT", "SELECT_V2", "SIGN", "SIN", "SLICE", "SOFTMAX", "SPACE_TO_DEPTH", "SPLIT", "SPLIT_V", "SQRT",
    "SQUARE", "SQUARED_DIFFERENCE", "STRIDED_SLICE", "SUB", "SUM", "TANH", "TILE", "TOPK_V2", "TRANSPOSE",
    "TRANSPOSE_CONV", "UNPACK",
}  # fmt: skip
PUBLISHED = {"DENSIFY", "LSTM", "QUANTIZE"}
OF_TWO = {
    "ADD", "DIV", "EQUAL", "FLOOR_DIV", "FLOOR_MOD", "GREATER", "GREATER_EQUAL", "LESS", "LESS_EQUAL",
    "LOGICAL_AND", "MAXIMUM", "MINIMUM", "MUL", "NOT_EQUAL", "POW", "SQUARED_DIFFERENCE", "SUB",
}  # fmt: skip
READ_TWICE = {"BATCH_MATMUL", "FULLY_CONNECTED", "PACK"}
REDUCTIONS = {"MEAN", "REDUCE_MAX", "REDUCE_MIN", "REDUCE_PROD", "SUM"}
AXES = 4  # that a GPU's tensors have at most: batch, height, width, channels


def gpu(case):
    if case.graph is None:
        return
    graph = _Graph(case.graph, case.operators)
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
    yield from _passed_through(case)


def _passed_through(case):
    """Outputs that are inputs, whatever else reads these."""
    ends = case.graph.subgraphs[0]
    inputs, outputs = end_names(case.graph)
    given = dict(zip(map(int, ends.inputs), inputs, strict=True))
    for number, output in zip(map(int, ends.outputs), outputs, strict=True):
        if number in given:
            reason = f"the output {output} is the input {given[number]}, which the GPU does not return"
            yield Finding("GPU", case.model.name, reason, "leave this output out: the app has it")


class _Graph:
    """The tensors of a file, and what reads each: kinds of operators, or None for an output of the file."""

    def __init__(self, model, operators):
        self.model = model
        self.tensors = model.subgraphs[0].tensors
        self.readers = collections.defaultdict(list, {int(i): [None] for i in model.subgraphs[0].outputs})
        for operator in operators:
            for number in operator.inputs:
                self.readers[number].append(operator.kind)

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
    return is_split and any(len(graph.readers[number]) != 1 for number in operator.outputs)


def _mixes_numbers_of_axes(graph, operator, written):
    if operator.kind not in OF_TWO or len(operator.inputs) != 2:
        return False
    shorter, longer = sorted(operator.inputs, key=lambda number: len(graph.shape(number)))
    is_mixed = 0 < len(graph.shape(shorter)) < len(graph.shape(longer))
    return is_mixed and graph.shape(shorter)[0] != 1 and not graph.is_constant(shorter)


def _reads_one_twice(graph, operator, written):
    return operator.kind in READ_TWICE and len(set(operator.inputs)) < len(operator.inputs)


def _is_output_and_reduced(graph, operator, written):
    """Sums that something else reads too, or with an activation, or of one constant, were right."""
    if operator.kind != "ADD" or written.builtinOptions.fusedActivationFunction:
        return False
    readers = graph.readers[operator.outputs[0]]
    is_of_two = len(set(operator.inputs)) == 2 and not any(map(graph.is_constant, operator.inputs))
    return is_of_two and len(readers) == 2 and None in readers and bool(REDUCTIONS.intersection(readers))


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
    (
        _gathers_by_a_table,
        "indices of more than one axis stay on the CPU",
        "flatten the ids by keras.ops.reshape, and give their vectors the axes back",
    ),
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
        "keep the batch as an axis of its own in what leads there: the converter leaves out a reshape just "
        "before it",
    ),
    (
        _reads_one_twice,
        "one tensor is both inputs, which ends the process when the GPU opens the file",
        "multiply one of the two by 2 and the result by 0.5; use keras.ops.concatenate for a stack",
    ),
    (
        _is_output_and_reduced,
        "is an output of the model, in whose place the GPU returns what was added to it",
        "return it in another form, such as flat",
    ),
    (
        _has_many_axes,
        f"most GPUs take no tensors of more than {AXES} axes",
        f"reshape to {AXES} axes or fewer",
    ),
)
