"""Selects the signature of a file that is measured."""

from keras_vit.errors import InputError
from keras_vit.export.tflite.graph import read_graph, write_graph


def signature_names(model):
    """Returns the names of a `ModelT`'s signatures, in the order of their subgraphs."""
    signatures = sorted(model.signatureDefs or (), key=lambda signature: signature.subgraphIndex)
    return [signature.signatureKey.decode() for signature in signatures]


def with_first(content, name, path):
    """Returns the bytes of a file, which errors call `path`, with a signature's subgraph in the first place.

    That one runs by itself.
    """
    model = read_graph(content)
    names = signature_names(model)
    if name not in names:
        raise InputError(f"{path} has no signature {name!r}. Expected one of: {', '.join(names) or 'none'}.")
    (place,) = (s.subgraphIndex for s in model.signatureDefs if s.signatureKey.decode() == name)
    if place == 0:
        return content
    _swap(model, place)
    return write_graph(model)


def _swap(model, place):
    graphs = model.subgraphs
    graphs[0], graphs[place] = graphs[place], graphs[0]
    places = {0: place, place: 0}
    for signature in model.signatureDefs:
        signature.subgraphIndex = places.get(signature.subgraphIndex, signature.subgraphIndex)
    for operator in (operator for graph in graphs for operator in graph.operators):
        for options in filter(None, (operator.builtinOptions, operator.builtinOptions2)):
            _renumber(vars(options), places)


def _renumber(options, places):
    """Changes the numbers of the subgraphs that a loop, a condition or a call refers to."""
    for name, value in options.items():
        if name == "subgraph" or name.endswith("SubgraphIndex"):
            options[name] = places.get(value, value)
