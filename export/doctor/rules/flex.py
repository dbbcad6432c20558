"""Operators of TensorFlow that LiteRT does not have."""

from keras_vit.export.doctor.finding import Finding, names

MENDS = {
    "FlexResizeBicubic": 'use interpolation="bilinear", or resize in the app',
    "FlexResizeArea": 'use interpolation="bilinear", or resize in the app',
    "FlexErf": 'use keras.activations.gelu with approximate=True, or "relu"',
    "FlexTensorListReserve": "fix the batch and the length, or give the state in and out, one step at a time",
}


def flex(case):
    foreign = [operator for operator in case.operators if operator.is_custom]
    for kind in sorted({operator.kind for operator in foreign}):
        these = [operator for operator in foreign if operator.kind == kind]
        yield Finding(
            "Flex",
            names(case.layers(these)),
            f"needs {kind}, which LiteRT does not bring: the app must link TensorFlow's own kernels, some "
            "megabytes, and no delegate takes it",
            MENDS.get(
                kind, "write it with keras.ops that have a builtin TFLite operator, or leave it to the app"
            ),
        )
