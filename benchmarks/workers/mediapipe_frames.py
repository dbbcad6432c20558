"""Classifies camera frames by the Python lines of `app.md`, and asks MediaPipe what it does by itself.

    mediapipe_frames.py FOLDER FRAMES.npz OUT.json
    mediapipe_frames.py FOLDER FILES... OUT.json --refused

Runs in an environment with mediapipe. FOLDER has `app.md` and its file. FRAMES has an array for each frame,
uint8 with 1, 3 or 4 channels, and `rotations`, the degrees by which each has to be turned clockwise. Writes
for each frame the scores in the order of the labels: by the lines; of the frame as it is; and of its centre
square by MediaPipe's region and rotation. With --refused it writes what MediaPipe says to image files, each
in a classifier of its own: the error of reading, of classifying, and of classifying an RGB image afterwards,
or null.
"""

import json
import os
import re
import sys
from pathlib import Path

import mediapipe as mp
import numpy as np
from mediapipe.tasks.python import vision
from mediapipe.tasks.python.components.containers.rect import RectF
from mediapipe.tasks.python.vision.core.image_processing_options import ImageProcessingOptions
from PIL import Image


def main():
    folder, *given, out = [name for name in sys.argv[1:] if name != "--refused"]
    lines = re.findall(r"```python\n(.*?)```", Path(folder, "app.md").read_text(), re.DOTALL)
    file = re.search(r'create_from_model_path\("(.*?)"\)', lines[1])[1]
    if "--refused" in sys.argv:
        answers = {Path(name).name: refusals(str(Path(folder, file)), name) for name in given}
    else:
        app = {}
        exec(lines[0], app)
        answers = classified(str(Path(folder, file)), app["for_model"], np.load(given[0]))
    Path(out).write_text(json.dumps(answers))
    os._exit(0)  # a graph with an error may not end


def classified(file, for_model, frames):
    rotations = frames["rotations"].tolist()
    arrays = [frames[str(number)] for number in range(len(rotations))]
    with vision.ImageClassifier.create_from_model_path(file) as classifier:
        return [
            {
                "lines": scores(classifier, for_model(upright(frame, rotation))),
                "as_it_is": scores(classifier, rgb(frame)),
                "region": scores(classifier, rgb(frame), square(frame, rotation)),
            }
            for frame, rotation in zip(arrays, rotations, strict=True)
        ]


def upright(frame, rotation):
    """A frame as a Pillow image, turned clockwise as the camera says."""
    return Image.fromarray(np.squeeze(frame)).rotate(-rotation, expand=True)


def rgb(frame):
    return np.asarray(Image.fromarray(np.squeeze(frame)).convert("RGB"))


def square(frame, rotation):
    height, width = frame.shape[:2]
    x, y = (min(height, width) / side / 2 for side in (width, height))
    return ImageProcessingOptions(RectF(0.5 - x, 0.5 - y, 0.5 + x, 0.5 + y), rotation)


def scores(classifier, image, options=None):
    (head,) = classifier.classify(mp.Image(mp.ImageFormat.SRGB, image), options).classifications
    return [one.score for one in sorted(head.categories, key=lambda one: one.index)]


def refusals(model, name):
    classifier, errors = vision.ImageClassifier.create_from_model_path(model), {}
    try:
        image = mp.Image.create_from_file(name)
    except (RuntimeError, ValueError) as error:
        return {"read": str(error)}
    errors["size"] = [image.width, image.height]
    for step, given in (
        ("classify", image),
        ("afterwards", mp.Image(mp.ImageFormat.SRGB, np.zeros((9, 9, 3), "uint8"))),
    ):
        try:
            classifier.classify(given)
            errors[step] = None
        except (RuntimeError, ValueError) as error:
            errors[step] = str(error)
    return errors


if __name__ == "__main__":
    main()
