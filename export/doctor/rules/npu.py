"""What NPUs do not run, by the lists of their makers' compilers for LiteRT.

The compilers themselves come from the makers' own servers, by ai-edge-litert-sdk-qualcomm, -mediatek and
-google-tensor, for Linux on x86 alone: nothing was compiled. The lists are those of google-ai-edge/LiteRT in
November 2026: `litert/vendors/qualcomm/compiler/Qualcomm_QNN_Compiler.md`,
`litert/vendors/mediatek/compiler/MediaTek_Neuro_Compiler.md` (what they take) and
`litert/vendors/google_tensor/compiler/compiler_plugin.cc` (what it does not). A maker's compiler may still
refuse a form of an operator that it lists.
"""

from keras_vit.errors import listed
from keras_vit.export.doctor.finding import counted

QUALCOMM = {
    "ABS", "ADD", "ARG_MAX", "ARG_MIN", "AVERAGE_POOL_2D", "BATCH_MATMUL", "BROADCAST_TO", "CAST", "CEIL",
    "CONCATENATION", "CONV_2D", "CONV_3D", "COS", "CUMSUM", "DEPTH_TO_SPACE", "DEPTHWISE_CONV_2D",
    "DEQUANTIZE", "DIV", "DYNAMIC_UPDATE_SLICE", "ELU", "EMBEDDING_LOOKUP", "EQUAL", "EXP", "FLOOR",
    "FLOOR_DIV", "FULLY_CONNECTED", "GATHER", "GATHER_ND", "GELU", "GREATER", "GREATER_EQUAL", "HARD_SWISH",
    "L2_NORMALIZATION", "L2_POOL_2D", "LEAKY_RELU", "LESS", "LESS_EQUAL", "LOG", "LOGICAL_AND", "LOGICAL_NOT",
    "LOGICAL_OR", "LOGISTIC", "MAXIMUM", "MAX_POOL_2D", "MEAN", "MINIMUM", "MIRROR_PAD", "MUL", "NEG",
    "NOT_EQUAL", "PACK", "PAD", "PADV2", "POW", "PRELU", "QUANTIZE", "REDUCE_ALL", "REDUCE_ANY", "REDUCE_MAX",
    "REDUCE_MIN", "RELU", "RELU6", "RELU_0_TO_1", "RELU_N1_TO_1", "RESHAPE", "RESIZE_BILINEAR",
    "RESIZE_NEAREST_NEIGHBOR", "REVERSE_V2", "ROUND", "RSQRT", "SELECT", "SELECT_V2", "SIGN", "SIN", "SLICE",
    "SOFTMAX", "SPACE_TO_DEPTH", "SPLIT", "SQRT", "SQUARE", "SQUARED_DIFFERENCE", "STRIDED_SLICE", "SUB",
    "SUM", "TANH", "TILE", "TOPK_V2", "TRANSPOSE", "TRANSPOSE_CONV", "UNPACK",
}  # fmt: skip
MEDIATEK = {
    "ABS", "ADD", "AVERAGE_POOL_2D", "BATCH_MATMUL", "CAST", "CONCATENATION", "CONV_2D", "DEPTHWISE_CONV_2D",
    "DEQUANTIZE", "DIV", "FULLY_CONNECTED", "GELU", "GREATER", "HARD_SWISH", "L2_NORMALIZATION", "LEAKY_RELU",
    "LESS", "LOGISTIC", "MAXIMUM", "MAX_POOL_2D", "MEAN", "MINIMUM", "MUL", "PAD", "PADV2", "PRELU",
    "QUANTIZE", "REDUCE_MAX", "RELU", "RESHAPE", "RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR", "RSQRT",
    "SLICE", "SOFTMAX", "SPLIT", "SQRT", "SQUARED_DIFFERENCE", "STRIDED_SLICE", "SUB", "SUM", "TANH", "TILE",
    "TRANSPOSE", "TRANSPOSE_CONV", "UNPACK",
}  # fmt: skip
NOT_GOOGLE_TENSOR = {
    "ASSIGN_VARIABLE", "BIDIRECTIONAL_SEQUENCE_LSTM", "BROADCAST_ARGS", "BUCKETIZE", "CALL_ONCE",
    "COMPLEX_ABS", "CONV_3D", "CONV_3D_TRANSPOSE", "DENSIFY", "FAKE_QUANT", "HASHTABLE", "HASHTABLE_FIND",
    "HASHTABLE_IMPORT", "HASHTABLE_SIZE", "IMAG", "LOCAL_RESPONSE_NORMALIZATION", "MATRIX_DIAG",
    "MATRIX_SET_DIAG", "MULTINOMIAL", "NON_MAX_SUPPRESSION_V4", "NON_MAX_SUPPRESSION_V5",
    "RANDOM_STANDARD_NORMAL", "RANDOM_UNIFORM", "RANK", "READ_VARIABLE", "REAL", "REDUCE_PROD",
    "REVERSE_SEQUENCE", "RFFT2D", "SEGMENT_SUM", "SHAPE", "SPARSE_TO_DENSE", "SVDF",
    "UNIDIRECTIONAL_SEQUENCE_RNN", "UNIQUE", "UNSORTED_SEGMENT_MAX", "UNSORTED_SEGMENT_MIN",
    "UNSORTED_SEGMENT_PROD", "UNSORTED_SEGMENT_SUM", "VAR_HANDLE", "WHERE",
}  # fmt: skip
MAKERS = {  # name: whether its compiler leaves a kind of operator to the CPU
    "Qualcomm": lambda kind: kind not in QUALCOMM,
    "MediaTek": lambda kind: kind not in MEDIATEK,
    "Google Tensor": lambda kind: kind in NOT_GOOGLE_TENSOR,
}
CONTROL_FLOW = {
    "WHILE", "IF", "CALL_ONCE", "VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE", "HASHTABLE_FIND",
}  # fmt: skip
WIDE_TYPES = {"INT64", "FLOAT64", "COMPLEX64", "STRING"}


def npu(case):
    control = [operator for operator in case.operators if operator.kind in CONTROL_FLOW]
    if control:  # the compilers need a straight graph of known sizes
        reason = f"{counted(control)}: control flow and variables are not compiled for an NPU"
        yield case.finding("NPU", control, reason, "export one step, with the state as input and output")
    wide = [operator for operator in case.operators if operator.types & WIDE_TYPES]
    if wide:
        types = ", ".join(sorted(set().union(*(operator.types for operator in wide)) & WIDE_TYPES))
        reason = f"{counted(wide)}: NPUs do not compute with {types}"
        yield case.finding("NPU", wide, reason, "use int32 and float32")
    yield from _left_to_the_cpu(case)


def _left_to_the_cpu(case):
    by_makers = {}
    for operator in case.operators:
        makers = tuple(name for name, refuses in MAKERS.items() if refuses(operator.kind))
        if makers and operator.kind not in CONTROL_FLOW and not operator.is_custom:
            by_makers.setdefault(makers, []).append(operator)
    for makers, operators in by_makers.items():
        reason = (
            f"{counted(operators)}: not on the list of {listed(makers)}, whose NPUs leave them to the CPU"
        )
        others = [name for name in MAKERS if name not in makers]
        fix = "write it with operations that they list"
        yield case.finding("NPU", operators, reason, f"{fix}, or use {listed(others)}" if others else fix)
