"""Layers that compute in 16 bits."""

from keras_vit.export.doctor.finding import Finding, names

LOW = ("float16", "bfloat16")


def precision(case):
    everything = [layer for layer in case.model._flatten_layers() if layer.weights]
    layers = [layer for layer in everything if layer is not case.model and layer.compute_dtype in LOW]
    if layers:
        yield Finding(
            "precision",
            names(layer.path for layer in layers),
            f"computes in {layers[0].compute_dtype}, for which LiteRT has few kernels: TensorFlow's "
            "converter refuses some layers and casts around others",
            "keras-vit export builds it anew in float32"
            if case.as_exported
            else "build the model under the policy float32 and load the same weights",
        )
