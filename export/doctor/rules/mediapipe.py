"""What the ImageClassifier of MediaPipe Tasks does not accept."""

from keras_vit.errors import counted
from keras_vit.export.doctor.finding import Finding

SCORES = ("softmax", "sigmoid")


def mediapipe(case):
    if case.is_step:
        return
    if case.channels is None:
        shapes = ", ".join(str((1, *tensor.shape)) for tensor in case.inputs)
        yield _finding(
            "input",
            f"takes exactly one image (1, height, width, 3), received {shapes}",
            "run the file with LiteRT itself, or make the image part a separate model",
        )
        return
    if case.channels != 3:
        yield _finding(
            "input",
            f"passes RGB images only, received an input of {counted(case.channels, 'channel')}",
            "export with --task classification: the file takes RGB and converts it to grey inside"
            if case.channels == 1
            else "run the file with LiteRT itself",
        )
    if len(case.outputs) != 1 or len(case.outputs[0].shape) != 1:
        shapes = ", ".join(str((1, *tensor.shape)) for tensor in case.outputs)
        yield _finding(
            _last(case),
            f"takes one row of classes, received {shapes}",
            "pool height and width and return the classes only, or run the file with LiteRT itself",
        )
    elif case.endings[0] not in SCORES:
        yield _finding(
            _last(case),
            "shows outputs unchanged as scores, and the model does not end in softmax or sigmoid",
            "if they are logits of classes, export with --task classification --activation softmax",
        )
    if case.graph is not None and len(case.graph.subgraphs) > 1:
        yield _finding(
            case.model.name, f"takes one subgraph, the file has {len(case.graph.subgraphs)}", "remove loops"
        )


def _last(case):
    return case.model.layers[-1].name if case.model.layers else case.model.name


def _finding(layer, reason, fix):
    return Finding("MediaPipe", layer, f"ImageClassifier {reason}", fix)
