"""Models that TensorFlow's converter or LiteRT rejects, or that need operators that LiteRT does not have."""

from keras_vit.export.doctor.finding import Finding, by_fix, counted

FLEX_FIXES = {
    "FlexResizeBicubic": 'use interpolation="bilinear", or resize in the app',
    "FlexResizeArea": 'use interpolation="bilinear", or resize in the app',
    "FlexErf": 'use keras.activations.gelu with approximate=True, or "relu"',
    "FlexTensorListReserve": "fix batch and length, or make the state an input and an output of one step",
}
OTHER_FLEX_FIX = "write it with keras.ops that have a builtin TFLite operator, or leave it to the app"


def converter(case):
    if case.graph is None:
        yield Finding(
            "converter",
            case.model.name,
            case.refusal,
            "replace the named operation by those of keras.ops that have a builtin TFLite operator",
        )
    if case.failure:
        yield Finding(
            "runtime",
            case.model.name,
            f"LiteRT does not run the file: {case.failure}",
            "fix all sizes except the batch, and remove the named operation from the model",
        )


def flex(case):
    custom = [operator for operator in case.operators if operator.is_custom]
    for fix, operators in by_fix(custom, FLEX_FIXES, OTHER_FLEX_FIX):
        yield case.finding(
            "Flex",
            operators,
            f"needs {counted(operators)}, which LiteRT does not contain: the app must link TensorFlow's own "
            "kernels, some megabytes, and no delegate runs them",
            fix,
        )


def loops(case):
    found = [operator for operator in case.operators if operator.kind == "WHILE"]
    if found:  # a recurrent layer of Keras
        yield case.finding(
            "int8",
            found,
            "is a WHILE loop over the steps: its full int8 quantization crashes the process, and no delegate "
            "runs it",
            "export one step, with the state as input and output, and run the loop in the app",
        )
