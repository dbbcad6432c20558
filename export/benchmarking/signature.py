"""Selects the signature of a file that is measured."""

from keras_vit.errors import InputError
from keras_vit.export.tflite.graph import operators, read_graph, write_graph

NUMBERED = {"WHILE", "IF", "CALL_ONCE"}  # operators that refer to subgraphs by index


def signature_names(model):
    """Returns the names of a `ModelT`'s signatures, in the order of their subgraphs."""
    signatures = sorted(model.signatureDefs or (), key=lambda signature: signature.subgraphIndex)
    return [signature.signatureKey.decode() for signature in signatures]


def with_first(content, name, path):
    """Returns the bytes of a file, which errors call `path`, with a signature's subgraph in the first place.

    That one runs by itself. Loops, which refer to subgraphs by index, do not allow it.
    """
    model = read_graph(content)
    names = signature_names(model)
    if name not in names:
        raise InputError(f"{path} has no signature {name!r}. Expected one of: {', '.join(names) or 'none'}.")
    (place,) = (s.subgraphIndex for s in model.signatureDefs if s.signatureKey.decode() == name)
    if place == 0:
        return content
    kinds = {operator.kind for i in range(len(model.subgraphs)) for operator in operators(model, i)}
    if kinds & NUMBERED:
        raise InputError(
            f"{path} holds {', '.join(sorted(kinds & NUMBERED))}: only its first signature can be measured, "
            f"{names[0]!r}."
        )
    _swap(model, place)
    return write_graph(model)


def _swap(model, place):
    graphs = model.subgraphs
    graphs[0], graphs[place] = graphs[place], graphs[0]
    places = {0: place, place: 0}
    for signature in model.signatureDefs:
        signature.subgraphIndex = places.get(signature.subgraphIndex, signature.subgraphIndex)
