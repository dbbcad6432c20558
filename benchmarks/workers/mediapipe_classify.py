"""Classifies photographs with MediaPipe Tasks: `mediapipe_classify.py PHOTOS.npy OUT.json FILE.tflite...`.

Runs in an environment with mediapipe. Photographs are RGB, all of one size. Writes a list with one entry per
file: its `metadata` as MediaPipe's own schema reads it, and for each photograph `[label, index, score]` of
each class, the best first.
"""

import json
import sys

import mediapipe as mp
import numpy as np
from mediapipe.tasks.metadata import metadata_schema_py_generated as schema
from mediapipe.tasks.python import vision
from mediapipe.tasks.python.core.base_options import BaseOptions


def main():
    photos, out, *files = sys.argv[1:]
    photos = np.load(photos)
    answers = [{"metadata": metadata(file), "classes": classes(file, photos)} for file in files]
    with open(out, "w") as stream:
        json.dump(answers, stream)


def classes(file, photos):
    options = vision.ImageClassifierOptions(base_options=BaseOptions(model_asset_path=file))
    with vision.ImageClassifier.create_from_options(options) as classifier:
        return [in_order(classifier, mp.Image(mp.ImageFormat.SRGB, photo)) for photo in photos]


def in_order(classifier, image):
    (head,) = classifier.classify(image).classifications
    return [[found.category_name, found.index, found.score] for found in head.categories]


def text(entry):
    return (entry or b"").decode()


def metadata(file):
    with open(file, "rb") as stream:
        content = stream.read()
    found = schema.ModelMetadata.GetRootAs(content, content.index(b"M001") - 4)
    image = found.SubgraphMetadata(0).InputTensorMetadata(0)
    normalization = schema.NormalizationOptions()
    table = image.ProcessUnits(0).Options()
    normalization.Init(table.Bytes, table.Pos)
    return {
        "name": text(found.Name()),
        "description": text(found.Description()),
        "author": text(found.Author()),
        "license": text(found.License()),
        "mean": [normalization.Mean(0)],
        "std": [normalization.Std(0)],
        "labels": found.SubgraphMetadata(0).OutputTensorMetadata(0).AssociatedFiles(0).Name().decode(),
    }


if __name__ == "__main__":
    main()
