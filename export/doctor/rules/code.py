"""Layers that are code rather than configuration."""

from keras_vit.export.doctor.finding import Finding, names

CODE = ("Lambda", "TFSMLayer", "JaxLayer", "FlaxLayer", "TorchModuleWrapper")


def code(case):
    found = [layer for layer in case.model._flatten_layers() if type(layer).__name__ in CODE]
    if found:
        yield Finding(
            "saving",
            names(layer.path for layer in found),
            f"is a {type(found[0]).__name__}, whose code is not in the .keras file, which therefore does not "
            "load elsewhere",
            "write a keras.layers.Layer and register it by keras.saving.register_keras_serializable",
        )
