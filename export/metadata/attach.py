"""Adds metadata and labels to a TFLite file."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from keras_vit.export.metadata.card import Card
from keras_vit.export.metadata.tables import RGB, UNKNOWN, Tables
from keras_vit.export.tflite.archive import attach_files, attached_file
from keras_vit.export.tflite.graph import read_graph, write_graph

NAME = "TFLITE_METADATA"  # under which libraries look for it
LABELS = "labels.txt"
TRAINED_ON = "trained_on.txt"  # only of models that were trained on grey images


def attach(path: Path, card: Card, label_names: Sequence[str], grey: bool = False) -> None:
    """Rewrites the TFLite file of an image classifier with metadata as MediaPipe Tasks reads it.

    Weights stored behind the flatbuffer are moved into it, and the labels are appended. `grey` marks a file
    that takes RGB but whose model was trained on grey images.
    """
    model = read_graph(path.read_bytes())
    model.buffers.append(schema.BufferT(data=np.frombuffer(_metadata(model, card), "uint8")))
    entry = schema.MetadataT(name=NAME.encode(), buffer=len(model.buffers) - 1)
    model.metadata = [*(model.metadata or ()), entry]
    path.write_bytes(write_graph(model))
    files = {LABELS: "".join(f"{name}\n" for name in label_names).encode()}
    attach_files(path, files | ({TRAINED_ON: b"grey\n"} if grey else {}))


def was_trained_on_grey(path):
    """Returns whether the model in a TFLite file, which takes RGB, was trained on grey images."""
    return attached_file(path, TRAINED_ON) == b"grey\n"


def _metadata(model, card):
    graph, tables = model.subgraphs[0], Tables()
    image = graph.tensors[graph.inputs[0]]
    _, height, width, channels = image.shape
    kind = "RGB" if channels == 3 else f"{channels} channels"
    pixels = tables.tensor(
        "image",
        f"{kind}, each value from 0 to 255",
        content=tables.image(height, width, color_space=RGB if channels == 3 else UNKNOWN),
        process_units=tables.no_normalization(),
        stats=tables.range_of_pixels(),
    )
    outputs = [_output(tables, graph.tensors[index]) for index in graph.outputs]
    return tables.finished(tables.model(card, [pixels], outputs))


def _output(tables, tensor):
    if len(tensor.shape) == 2:
        return tables.tensor("probabilities", "of each class", associated_files=tables.labels(LABELS))
    return tables.tensor("attention", "what each part of the image counted for")
