"""Sizes that are not fixed."""

from keras_vit.export.doctor.finding import Finding, names


def shapes(case):
    inputs = [tensor for tensor in case.model.inputs if None in tensor.shape[1:]]
    if inputs and case.as_exported:  # of a character model one step, whatever the length
        return
    for tensor in inputs:
        yield Finding(
            "shapes",
            "input",
            f"the input {tuple(tensor.shape)} has open sizes: the file runs at size 1 until the app "
            "resizes it, and delegates take fixed sizes only",
            "build the model with keras.Input of the size that the app gives, and load the weights",
        )
    inside = _open_inside(case)
    if inside and not inputs:
        yield Finding(
            "shapes",
            names(case.layers(inside)),
            "the size of its result depends on the input's values, not on its size",
            "keep a fixed size, by a mask instead of a selection",
        )


def _open_inside(case):
    if case.graph is None:
        return []
    tensors = case.graph.subgraphs[0].tensors
    open_sizes = [i for i, t in enumerate(tensors) if t.shapeSignature is not None and -1 in t.shapeSignature]
    return [operator for operator in case.operators if set(operator.outputs) & set(open_sizes)]
