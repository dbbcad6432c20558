"""The inputs of a TFLite file: their names, their types, and the sizes that they leave open."""

from collections.abc import Mapping

from ai_edge_litert import schema_py_generated as schema

from keras_vit.errors import InputError, listed
from keras_vit.export.tflite.graph import end_names, read_graph, type_name, write_graph

STRINGS = schema.TensorType.STRING


def describe_inputs(model):
    """Returns a list of dicts with `name`, `dtype` and `shape` of the inputs of a `ModelT`'s first subgraph.

    Names are those of its signature where it has one.
    """
    tensors = model.subgraphs[0].tensors
    return [
        {"name": name, "dtype": type_name(tensors[index]), "shape": [int(s) for s in _shape(tensors[index])]}
        for name, index in _named(model).items()
    ]


def check_numbers(model, path):
    """Raises InputError for a file, which errors call `path`, that takes strings."""
    tensors = model.subgraphs[0].tensors
    strings = [name for name, index in _named(model).items() if tensors[index].type == STRINGS]
    if strings:
        raise InputError(
            f"{path} takes strings ({listed(strings)}); only files that take numbers are measured. Measure a "
            "file of the part behind the layer that makes numbers of the strings."
        )


def with_sizes(content: bytes, shapes: Mapping[str, tuple], path) -> bytes:
    """Returns the bytes of a file, which errors call `path`, whose open inputs have these shapes.

    `shapes` has them by input, or under `""` for the only open one. A batch that is open remains 1.

    Raises:
        InputError: open sizes without a shape, or a shape that does not fit the input.
    """
    model = read_graph(content)
    tensors = model.subgraphs[0].tensors
    found = {name: tensors[index] for name, index in _named(model).items() if _open(tensors[index])}
    for name, tensor in found.items():
        shape = shapes.get(name, shapes.get("") if len(found) == 1 else None)
        if shape is None:
            _check_known(name, tensor, path)
            continue
        _check_fits(name, tensor, shape, path)
        tensor.shape, tensor.shapeSignature = list(shape), None
    return write_graph(model) if found else content


def open_inputs(model):
    """Returns the names of the inputs of a `ModelT` with an open size."""
    tensors = model.subgraphs[0].tensors
    return [name for name, index in _named(model).items() if _open(tensors[index])]


def _named(model):
    """Indices of the inputs by name; a file without signatures has the names of its tensors."""
    names, _ = end_names(model)
    return dict(zip(names, map(int, model.subgraphs[0].inputs), strict=True))


def _shape(tensor):
    return () if tensor.shape is None else tensor.shape


def _signature(tensor):
    """The shape with -1 for open sizes."""
    given = tensor.shapeSignature
    return tuple(map(int, _shape(tensor) if given is None or not len(given) else given))


def _open(tensor):
    return -1 in _signature(tensor)


def _check_known(name, tensor, path):
    signature = _signature(tensor)
    if -1 in signature[1:]:
        example = ",".join("1" if i == 0 else "64" if s == -1 else str(s) for i, s in enumerate(signature))
        raise InputError(
            f"{path} leaves sizes of {name!r} open: {_shown(signature)}. Give the shape to measure it with, "
            f"such as --shape {name}={example}."
        )


def _check_fits(name, tensor, shape, path):
    signature = _signature(tensor)
    fits = len(shape) == len(signature) and all(
        wanted in (-1, size) for size, wanted in zip(shape, signature, strict=True)
    )
    if not fits:
        raise InputError(f"Expected {name!r} of {path} as {_shown(signature)}, received {tuple(shape)}.")


def _shown(signature):
    return f"({', '.join('?' if size == -1 else str(size) for size in signature)})"
