"""What XNNPACK does not run, as measured here, and the Edge TPU, as its maker documents.

Edge TPU: the table in https://coral.ai/docs/edgetpu/models-intro; its compiler accepts a file in full int8
only, up to the first operation that it does not support.
"""

from keras_vit.export.doctor.finding import by_fix, counted

EDGE_TPU_OPERATORS = {
    "ADD", "AVERAGE_POOL_2D", "CONCATENATION", "CONV_2D", "DEPTHWISE_CONV_2D", "DEQUANTIZE", "EXPAND_DIMS",
    "FULLY_CONNECTED", "L2_NORMALIZATION", "LOGISTIC", "MAXIMUM", "MAX_POOL_2D", "MEAN", "MINIMUM", "MUL",
    "PACK", "PAD", "PRELU", "QUANTIZE", "REDUCE_MAX", "REDUCE_MIN", "RELU", "RELU6", "RELU_N1_TO_1",
    "RESHAPE", "RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR", "RSQRT", "SLICE", "SOFTMAX", "SPACE_TO_DEPTH",
    "SPLIT", "SQUARED_DIFFERENCE", "SQUEEZE", "STRIDED_SLICE", "SUB", "SUM", "TANH", "TRANSPOSE",
    "TRANSPOSE_CONV", "UNIDIRECTIONAL_SEQUENCE_LSTM",
}  # fmt: skip
XNNPACK_FIXES = {
    "UNPACK": "use one keras.ops.slice for each part and no indexing along that axis",
    "STRIDED_SLICE": "use keras.ops.slice, which keeps the axis",
    "GATHER": "none for token ids, which need it; otherwise use keras.ops.slice",
    "PACK": "use keras.ops.concatenate",
    "WHILE": "export one step, with the state as input and output",
    "RESIZE_NEAREST_NEIGHBOR": 'use interpolation="bilinear"',
    "CONV_3D": "none; two-dimensional convolutions run in the delegate",
}
OTHER_XNNPACK_FIX = "none needed if keras-vit benchmark shows that it takes little time"


def xnnpack(case):
    for fix, operators in by_fix(case.outside, XNNPACK_FIXES, OTHER_XNNPACK_FIX):
        where = f"on {_types_of(operators)} in TFLite's own kernels"
        reason = f"{counted(operators)} {where}, which cuts the graph"
        yield case.finding("XNNPACK", operators, reason, fix)


def edge_tpu(case):
    operators = [operator for operator in case.operators if operator.kind not in EDGE_TPU_OPERATORS]
    if operators:
        reason = "the Edge TPU's compiler does not support them and leaves the rest to the CPU"
        fix = "use a convolutional network with ReLU for this device"
        yield case.finding("EdgeTPU", operators, f"{counted(operators)}: {reason}", fix)


def _types_of(operators):
    return ", ".join(sorted(set().union(*(operator.types for operator in operators))))
