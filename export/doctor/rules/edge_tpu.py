"""What the Edge TPU's compiler leaves to the CPU.

After the table of operations in https://coral.ai/docs/edgetpu/models-intro. It takes a file in full int8
only, and the graph up to the first operation that it does not take.
"""

from keras_vit.export.doctor.finding import Finding, names

TAKEN = {
    "ADD", "AVERAGE_POOL_2D", "CONCATENATION", "CONV_2D", "DEPTHWISE_CONV_2D", "DEQUANTIZE", "EXPAND_DIMS",
    "FULLY_CONNECTED", "L2_NORMALIZATION", "LOGISTIC", "MAXIMUM", "MAX_POOL_2D", "MEAN", "MINIMUM", "MUL",
    "PACK", "PAD", "PRELU", "QUANTIZE", "REDUCE_MAX", "REDUCE_MIN", "RELU", "RELU6", "RELU_N1_TO_1",
    "RESHAPE", "RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR", "RSQRT", "SLICE", "SOFTMAX", "SPACE_TO_DEPTH",
    "SPLIT", "SQUARED_DIFFERENCE", "SQUEEZE", "STRIDED_SLICE", "SUB", "SUM", "TANH", "TRANSPOSE",
    "TRANSPOSE_CONV", "UNIDIRECTIONAL_SEQUENCE_LSTM",
}  # fmt: skip


def edge_tpu(case):
    refused = [operator for operator in case.operators if operator.kind not in TAKEN]
    if refused:
        kinds = dict.fromkeys(operator.kind for operator in refused)
        yield Finding(
            "EdgeTPU",
            names(case.layers(refused)),
            f"{', '.join(kinds)}: nothing for the Edge TPU's compiler, which leaves the rest to the CPU",
            "take a convolutional network with ReLU for this device",
        )
