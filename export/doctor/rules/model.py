"""Open sizes, 16-bit layers, and layers that are code rather than configuration."""

from keras_vit.export.doctor.finding import Finding, names
from keras_vit.export.model.precision import OTHER_PRECISION
from keras_vit.keras_internals import all_layers

CODE = ("Lambda", "TFSMLayer", "JaxLayer", "FlaxLayer", "TorchModuleWrapper")


def shapes(case):
    open_inputs = [tensor for tensor in case.inputs if None in tensor.shape]
    for tensor in () if case.as_exported else open_inputs:
        yield Finding(
            "shapes",
            "input",
            f"the input {(None, *tensor.shape)} has open sizes: the file runs at size 1 until the app "
            "resizes it, and delegates run fixed sizes only",
            "export it with data of the size that the app provides: the file has that size (examine it with "
            "--data or --shape), or build the model with keras.Input of that size",
        )
    inside = _open_inside(case)
    if inside and (case.as_exported or not open_inputs):
        yield case.finding(
            "shapes",
            inside,
            "the size of its result depends on the input's values, not on its size",
            "keep a fixed size, by a mask instead of a selection",
        )


def _open_inside(case):
    if case.graph is None:
        return []
    tensors = case.graph.subgraphs[0].tensors
    open_sizes = {i for i, t in enumerate(tensors) if t.shapeSignature is not None and -1 in t.shapeSignature}
    return [operator for operator in case.operators if open_sizes.intersection(operator.outputs)]


def precision(case):
    layers = [layer for layer in all_layers(case.model)[1:] if layer.weights]
    layers = [layer for layer in layers if layer.compute_dtype in OTHER_PRECISION]
    if layers:
        yield Finding(
            "precision",
            names(layer.path for layer in layers),
            f"computes in {layers[0].compute_dtype}, for which LiteRT has few kernels: TensorFlow's "
            "converter refuses some layers and inserts casts around others",
            "keras-vit export rebuilds it in float32"
            if case.as_exported
            else "build the model under the policy float32 and load the same weights",
        )


def code(case):
    found = [layer for layer in all_layers(case.model) if type(layer).__name__ in CODE]
    if found:
        yield Finding(
            "saving",
            names(layer.path for layer in found),
            f"is a {type(found[0]).__name__}, whose code is not in the .keras file, which therefore does not "
            "load elsewhere",
            "write a keras.layers.Layer and register it by keras.saving.register_keras_serializable",
        )
