"""Files with only some operators of another file."""

from ai_edge_litert import schema_py_generated as schema

from keras_vit.export.tflite.graph import is_constant, operators, type_name, write_graph

WHOLE_NUMBERS = {"BOOL", "INT32", "INT64", "UINT32", "UINT64"}  # types of sizes, indices and conditions


def only(model, kinds):
    """Returns the bytes of a file with only the operators of these kinds, on tensors of the same sizes.

    What they read from an operator that is left out, they read from the last kept one with a result of the
    same shape and type, as they would find it in the cache, or from an input; whole numbers, which may be
    sizes or indices, always from an input of their own. Tensors keep their numbers. Results have no meaning.
    The model, a `ModelT`, is not changed.
    """
    graph = model.subgraphs[0]
    everything = operators(model)
    prepared = _prepared(model, everything)
    kept = [index for index, operator in enumerate(everything) if operator.kind in kinds]
    needed = {tensor for index in kept for tensor in everything[index].inputs}
    kept = [index for index in range(len(everything)) if index in kept or needed & prepared.get(index, set())]
    rewired = _Rewired(model, {tensor for tensors in prepared.values() for tensor in tensors})
    chosen = [rewired.add(graph.operators[index]) for index in kept]
    return write_graph(rewired.model(chosen))


class _Rewired:
    """A sequence of operators, each reading the tensors that exist."""

    def __init__(self, model, prepared):
        self.original = model
        self.tensors = model.subgraphs[0].tensors
        self.prepared = prepared
        self.latest = {}  # by shape, type and quantisation
        self.inputs, self.produced, self.read = [], [], set()

    def add(self, operator):
        changed = _shallow(operator)
        changed.inputs = [self._available(tensor) for tensor in operator.inputs]
        for tensor in operator.outputs:
            self.produced.append(tensor)
            self.latest[self._signature(tensor)] = tensor
        self.read.update(changed.inputs)
        return changed

    def model(self, chosen):
        graph = _shallow(self.original.subgraphs[0])
        graph.operators, graph.inputs = chosen, self.inputs
        graph.outputs = [tensor for tensor in self.produced if tensor not in self.read]
        model = _shallow(self.original)
        model.subgraphs = [graph, *model.subgraphs[1:]]
        model.signatureDefs, model.metadata, model.metadataBuffer = [], [], []
        used = {self.tensors[tensor].buffer for tensor in self.read if tensor >= 0}
        model.buffers = [b if i in used else schema.BufferT() for i, b in enumerate(model.buffers)]
        return model

    def _available(self, tensor):
        if tensor < 0 or tensor in self.produced or is_constant(self.original, self.tensors[tensor]):
            return tensor
        if tensor in self.prepared or type_name(self.tensors[tensor]) in WHOLE_NUMBERS:
            if tensor not in self.inputs:
                self.inputs.append(tensor)
            return tensor
        signature = self._signature(tensor)
        if signature not in self.latest:
            self.latest[signature] = tensor
            self.inputs.append(tensor)
        return self.latest[signature]

    def _signature(self, tensor):
        tensor = self.tensors[tensor]
        quantization = tensor.quantization
        scales = () if quantization is None or quantization.scale is None else tuple(quantization.scale)
        zeros = () if quantization is None or quantization.zeroPoint is None else quantization.zeroPoint
        return tuple(tensor.shape), tensor.type, scales, tuple(zeros)


def _prepared(model, everything):
    """The operators, by index, that read only constants, such as one that converts float16 weights."""
    tensors, found, known = model.subgraphs[0].tensors, {}, set()
    for index, operator in enumerate(everything):
        if operator.inputs and all(t in known or is_constant(model, tensors[t]) for t in operator.inputs):
            found[index] = set(operator.outputs)
            known |= found[index]
    return found


def _shallow(thing):
    """A copy of one of the schema's objects that shares its members, which may be a model's weights."""
    copy = type(thing)()
    vars(copy).update(vars(thing))
    return copy
