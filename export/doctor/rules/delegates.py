"""What accelerators do not run: XNNPACK as measured here, the others as their makers document.

GPU: `tensorflow/lite/tools/versioning/gpu_compatibility.cc`, by which the delegate itself decides.
Edge TPU: the table in https://coral.ai/docs/edgetpu/models-intro; its compiler accepts a file in full int8
only, up to the first operation that it does not support.
"""

from keras_vit.export.doctor.finding import by_fix, counted

GPU_OPERATORS = {
    "ABS", "ADD", "ADD_N", "AVERAGE_POOL_2D", "BATCH_MATMUL", "CAST", "CONCATENATION", "CONV_2D", "COS",
    "CUMSUM", "DENSIFY", "DEPTHWISE_CONV_2D", "DEPTH_TO_SPACE", "DEQUANTIZE", "DIV", "ELU", "EQUAL", "EXP",
    "FLOOR", "FLOOR_DIV", "FLOOR_MOD", "FULLY_CONNECTED", "GATHER", "GELU", "GREATER", "GREATER_EQUAL",
    "HARD_SWISH", "LEAKY_RELU", "LESS", "LESS_EQUAL", "LOG", "LOGICAL_AND", "LOGISTIC", "LSTM", "MAXIMUM",
    "MAX_POOL_2D", "MEAN", "MINIMUM", "MIRROR_PAD", "MUL", "NEG", "NOT_EQUAL", "ONE_HOT", "PACK", "PAD",
    "PADV2", "POW", "PRELU", "QUANTIZE", "REDUCE_MAX", "REDUCE_MIN", "REDUCE_PROD", "RELU", "RELU6",
    "RELU_N1_TO_1", "RESHAPE", "RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR", "RSQRT", "SELECT", "SELECT_V2",
    "SIGN", "SIN", "SLICE", "SOFTMAX", "SPACE_TO_DEPTH", "SPLIT", "SPLIT_V", "SQRT", "SQUARE",
    "SQUARED_DIFFERENCE", "STRIDED_SLICE", "SUB", "SUM", "TANH", "TILE", "TRANSPOSE", "TRANSPOSE_CONV",
}  # fmt: skip
EDGE_TPU_OPERATORS = {
    "ADD", "AVERAGE_POOL_2D", "CONCATENATION", "CONV_2D", "DEPTHWISE_CONV_2D", "DEQUANTIZE", "EXPAND_DIMS",
    "FULLY_CONNECTED", "L2_NORMALIZATION", "LOGISTIC", "MAXIMUM", "MAX_POOL_2D", "MEAN", "MINIMUM", "MUL",
    "PACK", "PAD", "PRELU", "QUANTIZE", "REDUCE_MAX", "REDUCE_MIN", "RELU", "RELU6", "RELU_N1_TO_1",
    "RESHAPE", "RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR", "RSQRT", "SLICE", "SOFTMAX", "SPACE_TO_DEPTH",
    "SPLIT", "SQUARED_DIFFERENCE", "SQUEEZE", "STRIDED_SLICE", "SUB", "SUM", "TANH", "TRANSPOSE",
    "TRANSPOSE_CONV", "UNIDIRECTIONAL_SEQUENCE_LSTM",
}  # fmt: skip
CONTROL_FLOW = {
    "WHILE", "IF", "CALL_ONCE", "VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE", "HASHTABLE_FIND",
}  # fmt: skip
WIDE_TYPES = {"INT64", "FLOAT64", "COMPLEX64", "STRING"}

XNNPACK_FIXES = {
    "UNPACK": "use keras.ops.split and no indexing along that axis",
    "STRIDED_SLICE": "use keras.ops.slice, which keeps the axis",
    "GATHER": "none for token ids, which need it; otherwise use keras.ops.slice",
    "PACK": "use keras.ops.concatenate",
    "WHILE": "export one step, with the state as input and output",
    "RESIZE_NEAREST_NEIGHBOR": 'use interpolation="bilinear"',
    "CONV_3D": "none; two-dimensional convolutions run in the delegate",
}
OTHER_XNNPACK_FIX = "none needed if keras-vit benchmark shows that it takes little time"


REFUSED = (  # target, which operators it refuses, why, fix
    (
        "GPU",
        lambda operator: operator.kind not in GPU_OPERATORS and not operator.is_custom,
        "the GPU delegate does not run them, everything from there on stays on the CPU",
        "write it with operations that it runs, or run this model on the CPU",
    ),
    (
        "NPU",  # whose compilers need a straight graph of known sizes
        lambda operator: operator.kind in CONTROL_FLOW,
        "control flow and variables are not compiled for an NPU",
        "export one step, with the state as input and output",
    ),
    (
        "NPU",
        lambda operator: bool(operator.types & WIDE_TYPES),
        "NPUs do not compute with {wide_types}",
        "use int32 and float32",
    ),
    (
        "EdgeTPU",
        lambda operator: operator.kind not in EDGE_TPU_OPERATORS,
        "the Edge TPU's compiler does not support them and leaves the rest to the CPU",
        "use a convolutional network with ReLU for this device",
    ),
)


def xnnpack(case):
    for fix, operators in by_fix(case.outside, XNNPACK_FIXES, OTHER_XNNPACK_FIX):
        where = f"on {_types_of(operators)} in TFLite's own kernels"
        reason = f"{counted(operators)} {where}, which cuts the graph"
        yield case.finding("XNNPACK", operators, reason, fix)


def accelerators(case):
    for target, is_refused, reason, fix in REFUSED:
        operators = list(filter(is_refused, case.operators))
        if operators:
            reason = reason.format(wide_types=_types_of(operators, WIDE_TYPES))
            yield case.finding(target, operators, f"{counted(operators)}: {reason}", fix)


def _types_of(operators, wanted=None):
    types = set().union(*(operator.types for operator in operators))
    return ", ".join(sorted(types & wanted if wanted else types))
