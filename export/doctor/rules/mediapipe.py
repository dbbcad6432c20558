"""What the ImageClassifier of MediaPipe Tasks refuses."""

import keras

from keras_vit.export.app_input import PHOTOS
from keras_vit.export.doctor.finding import Finding


def mediapipe(case):
    inputs, outputs = case.model.inputs, case.model.outputs
    if case.as_exported and (len(inputs[0].shape) != 4 or inputs[0].shape[-1] in PHOTOS):
        return  # of photos: grey is made of RGB, and softmax is at the end
    if len(inputs) != 1 or len(inputs[0].shape) != 4:
        shapes = ", ".join(str(tuple(tensor.shape)) for tensor in inputs)
        yield _finding(
            "input",
            f"takes exactly one image (1, height, width, 3), here is {shapes}",
            "run such a file by LiteRT itself, or put the images' part into a model of its own",
        )
        return
    channels = inputs[0].shape[-1]
    if channels != 3:
        yield _finding(
            "input",
            f"gives RGB images only, here are {channels} channels",
            "let keras-vit export write the file, which takes RGB and makes it grey inside"
            if channels == 1
            else "run the file by LiteRT itself",
        )
    if case.as_exported:
        return
    if len(outputs) != 1 or len(outputs[0].shape) != 2:
        shapes = ", ".join(str(tuple(tensor.shape)) for tensor in outputs)
        yield _finding(
            case.model.layers[-1].name,
            f"takes one row of classes, here is {shapes}",
            "pool what is left of height and width, and keep the classes alone",
        )
    elif not _ends_in_softmax(case.model):
        yield _finding(
            case.model.layers[-1].name,
            "shows scores as they come, here is no softmax at the end",
            "let keras-vit export write the file, which adds it",
        )
    if case.graph is not None and len(case.graph.subgraphs) > 1:
        yield _finding(
            case.model.name, f"takes one subgraph, the file has {len(case.graph.subgraphs)}", "take loops out"
        )


def _ends_in_softmax(model):
    last = model.layers[-1]
    return (
        isinstance(last, keras.layers.Softmax)
        or getattr(last, "activation", None) is keras.activations.softmax
    )


def _finding(layer, reason, mend):
    return Finding("MediaPipe", layer, f"ImageClassifier {reason}", mend)
