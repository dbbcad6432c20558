"""Adds metadata, labels and the description to a TFLite file."""

from pathlib import Path

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from keras_vit.errors import counted
from keras_vit.export.metadata.tables import RGB, UNKNOWN, Card, Tables
from keras_vit.export.model.description import NAME as DESCRIPTION
from keras_vit.export.model.description import Description
from keras_vit.export.tflite.archive import attach_files
from keras_vit.export.tflite.graph import end_names, read_graph, write_graph

NAME = "TFLITE_METADATA"  # under which libraries look for it
LABELS = "labels.txt"


def attach(path: Path, card: Card, description: Description) -> None:
    """Rewrites a TFLite file with metadata, for images of pixels as MediaPipe Tasks reads it.

    Weights stored behind the flatbuffer are moved into it, and the labels and the description are appended.
    """
    model = read_graph(path.read_bytes())
    content = _metadata(model, card, description)
    model.buffers.append(schema.BufferT(data=np.frombuffer(content, "uint8")))
    entry = schema.MetadataT(name=NAME.encode(), buffer=len(model.buffers) - 1)
    model.metadata = [*(model.metadata or ()), entry]
    path.write_bytes(write_graph(model))
    files = {DESCRIPTION: description.to_bytes()}
    if description.label_names:
        files[LABELS] = "".join(f"{name}\n" for name in description.label_names).encode()
    attach_files(path, files)


def _metadata(model, card, description):
    graph, tables = model.subgraphs[0], Tables()
    inputs = {tensor.name: tensor for tensor in description.inputs}
    outputs = {tensor.name: tensor for tensor in description.outputs}
    how = description.preprocessing
    given, returned = end_names(model)
    written = [
        _input(tables, graph.tensors[index], name, inputs[name], how)
        for index, name in zip(graph.inputs, given, strict=True)
    ]
    found = [_output(tables, name, outputs.get(name), description) for name in returned]
    return tables.finished(tables.model(card, written, found))


def _input(tables, tensor, name, facts, preprocessing):
    if not facts.pixels:
        return tables.tensor(name, _values(facts) + _numbers(facts))
    _, height, width, channels = tensor.shape
    kind = "RGB" if channels == 3 else counted(channels, "channel")
    photo = "" if preprocessing is None else f". Of a photo: {preprocessing.words}"
    return tables.tensor(
        name,
        f"{kind}, each value from 0 to 255{_numbers(facts)}{photo}",
        content=tables.image(height, width, color_space=RGB if channels == 3 else UNKNOWN),
        process_units=tables.no_normalization(),
        stats=tables.range_of_pixels(),
    )


def _values(facts):
    if facts.low is None:
        return "as the model takes them"
    return f"values from {facts.low:g} to {facts.high:g} in the items that it was verified with"


def _numbers(facts):
    if facts.scale is None:
        return ""
    return f", given as {facts.dtype}: value = (number - {facts.zero_point}) * {facts.scale:.9g}"


def _output(tables, name, facts, description):
    if facts is None:
        return tables.tensor(name, "what each part of the image counted for")
    words = (facts.task or "of the model") + _thresholds(facts, description) + _numbers(facts)
    if facts is description.named:
        return tables.tensor(name, words, associated_files=tables.labels(LABELS))
    return tables.tensor(name, words)


def _thresholds(facts, description):
    if facts.none_below is not None:
        return f"; none of these where no value is at least {facts.none_below:.4g}"
    if facts.thresholds is None:
        return ""
    names = description.label_names or range(len(facts.thresholds))
    pairs = (f"{name} from {least:.4g}" for name, least in zip(names, facts.thresholds, strict=True))
    return f"; a label holds from its threshold on: {', '.join(pairs)}"
