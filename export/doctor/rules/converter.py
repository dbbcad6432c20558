"""What TensorFlow's converter refuses altogether, and what LiteRT refuses of its work."""

from keras_vit.export.doctor.finding import Finding


def converter(case):
    if case.graph is None:
        yield Finding(
            "converter",
            case.model.name,
            case.refusal,
            "replace the operation that is named by those of keras.ops that have a builtin TFLite operator",
        )
    if case.failure:
        yield Finding(
            "runtime",
            case.model.name,
            f"LiteRT does not run the file as it is: {case.failure}",
            "fix all sizes but the batch, and take the operation that is named out of the model",
        )
