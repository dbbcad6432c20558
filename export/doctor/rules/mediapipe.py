"""What the ImageClassifier of MediaPipe Tasks does not accept."""

import keras

from keras_vit.export.doctor.finding import Finding
from keras_vit.export.images.app_input import PHOTOS


def mediapipe(case):
    inputs, outputs = case.model.inputs, case.model.outputs
    if case.as_exported and (len(inputs[0].shape) != 4 or inputs[0].shape[-1] in PHOTOS):
        return  # the file takes RGB, converts it to grey if necessary, and ends in softmax
    if len(inputs) != 1 or len(inputs[0].shape) != 4:
        shapes = ", ".join(str(tuple(tensor.shape)) for tensor in inputs)
        yield _finding(
            "input",
            f"takes exactly one image (1, height, width, 3), received {shapes}",
            "run the file with LiteRT itself, or make the image part a separate model",
        )
        return
    channels = inputs[0].shape[-1]
    if channels != 3:
        yield _finding(
            "input",
            f"passes RGB images only, received an input of {channels} channels",
            "write the file with keras-vit export, which takes RGB and converts it to grey inside"
            if channels == 1
            else "run the file with LiteRT itself",
        )
    if case.as_exported:
        return
    if len(outputs) != 1 or len(outputs[0].shape) != 2:
        shapes = ", ".join(str(tuple(tensor.shape)) for tensor in outputs)
        yield _finding(
            case.model.layers[-1].name,
            f"takes one row of classes, received {shapes}",
            "pool height and width, and return the classes only",
        )
    elif not _ends_in_softmax(case.model):
        yield _finding(
            case.model.layers[-1].name,
            "shows scores unchanged, and the model does not end in softmax",
            "write the file with keras-vit export, which adds it",
        )
    if case.graph is not None and len(case.graph.subgraphs) > 1:
        yield _finding(
            case.model.name, f"takes one subgraph, the file has {len(case.graph.subgraphs)}", "remove loops"
        )


def _ends_in_softmax(model):
    last = model.layers[-1]
    return (
        isinstance(last, keras.layers.Softmax)
        or getattr(last, "activation", None) is keras.activations.softmax
    )


def _finding(layer, reason, fix):
    return Finding("MediaPipe", layer, f"ImageClassifier {reason}", fix)
