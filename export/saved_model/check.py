"""Checks a SavedModel's graph before TensorFlow runs any of it, and loads it."""

import contextlib
from pathlib import Path

from keras_vit.errors import InputError, first_line
from keras_vit.export.variants import SAVED_MODEL_MARK

LARGEST_GRAPH = 2**30  # bytes
KINDS = {  # of objects: neither assets nor resources, which are filled while loading
    "user_object", "function", "bare_concrete_function", "variable", "constant", "captured_tensor",
}  # fmt: skip
STATEFUL = {  # for TensorFlow, although they only compute
    "Assert", "Case", "CudnnRNN", "CudnnRNNV2", "CudnnRNNV3", "If", "ReadVariableOp",
    "ResourceGather", "StatefulPartitionedCall", "VarHandleOp",
}  # fmt: skip
LOOPS = {"For", "StatelessWhile", "While"}
OUTSIDE = {  # operators on files and Python that TensorFlow does not mark as stateful
    "DebugIdentity", "DebugNanCount", "DebugNumericSummary", "DecodeProtoV2", "EncodeProto",
    "GenerateVocabRemapping", "ImmutableConst", "InitializeTableFromTextFile", "MatchingFiles",
    "PyFuncStateless", "ReadFile", "XlaCallModule",
}  # fmt: skip


@contextlib.contextmanager
def loaded_saved_model(path):
    """Checks a SavedModel's graph and yields what TensorFlow loads; read its signatures inside the block.

    Whatever is missing there is one InputError.
    """
    import tensorflow as tf

    check_saved_model(path)
    try:
        yield tf.saved_model.load(str(path))
    except Exception as error:  # TensorFlow's errors for an unreadable folder have nearly every type
        raise InputError(
            f"{path} is not a SavedModel written by keras_vit that can be loaded: {first_line(error)}"
        ) from error


def check_saved_model(path, loopless=()):
    """Raises InputError if a SavedModel does anything else than compute: a graph can write files.

    `loopless` names functions that need no loop, which might never end. Returns whether `serving_default`
    has one.
    """
    graph = _read(Path(path))
    objects = graph.object_graph_def
    if not objects.nodes:
        raise InputError(f"{path} is not a SavedModel of keras_vit: TensorFlow 1 wrote it. Export again.")
    for node in objects.nodes:
        kind = node.WhichOneof("kind")
        if kind not in KINDS or node.saveable_objects or node.registered_saver:
            raise InputError(
                f"{path} cannot be trusted: it contains a {kind} with its own loading code, which is no part "
                "of an exported model."
            )
    functions = {function.signature.name: function for function in graph.graph_def.library.function}
    unfit = {name for name in _operators(objects.concrete_functions, functions) if not _computes(name)}
    unfit |= _operators(_functions_of(objects, loopless), functions) & LOOPS
    if unfit:
        raise InputError(
            f"{path} cannot be trusted: its graph contains {', '.join(sorted(unfit))}, which no exported "
            "model needs."
        )
    return bool(_operators(_functions_of(objects, ("serving_default",)), functions) & LOOPS)


def _read(path):
    from google.protobuf.message import DecodeError
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

    file = path / SAVED_MODEL_MARK
    try:
        if file.stat().st_size > LARGEST_GRAPH:
            raise InputError(f"Expected a SavedModel's graph at {file}, found {file.stat().st_size:,} bytes.")
        parsed = SavedModel.FromString(file.read_bytes())
        (graph,) = parsed.meta_graphs
    except (OSError, DecodeError, ValueError) as error:
        raise InputError(f"{file} is damaged or no SavedModel: it cannot be read. Export again.") from error
    return graph


def _functions_of(objects, names):
    """The functions that the loaded object, or its `signatures`, have under these names."""
    children = [(child.local_name, child.node_id) for child in objects.nodes[0].children]
    for name, number in list(children):
        if name == "signatures":
            children += [(child.local_name, child.node_id) for child in objects.nodes[number].children]
    nodes = [objects.nodes[number] for name, number in children if name in names]
    return [
        name
        for node in nodes
        for name in (*node.function.concrete_functions, node.bare_concrete_function.concrete_function_name)
    ]


def _operators(roots, functions):
    """The operators in functions and in all that these call."""
    waiting, seen, operators = list(roots), set(), set()
    while waiting:
        name = waiting.pop()
        if name in functions and name not in seen:
            seen.add(name)
            nodes = functions[name].node_def
            operators |= {node.op for node in nodes} - functions.keys()
            values = [value for node in nodes for value in node.attr.values()]
            waiting += [node.op for node in nodes] + [value.func.name for value in values]
            waiting += [called.name for value in values for called in value.list.func]
    return operators


def _computes(name):
    from tensorflow.python.framework import op_def_registry

    definition = op_def_registry.get(name)
    harmless = definition is not None and (not definition.is_stateful or name in STATEFUL | LOOPS)
    return harmless and name not in OUTSIDE and "Dataset" not in name
