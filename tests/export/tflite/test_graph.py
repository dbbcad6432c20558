import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from keras_vit.export.tflite.graph import integer_share


def test_the_share_of_integers_is_that_of_the_weights_in_a_file():
    model, graph = schema.ModelT(), schema.SubGraphT()
    model.subgraphs, model.buffers, graph.tensors = [graph], [schema.BufferT()], []
    kinds = schema.TensorType
    for kind, shape, is_constant in (
        (kinds.INT8, (30, 10), True),
        (kinds.FLOAT32, (10, 10), True),
        (kinds.INT32, (1000,), True),  # a bias
        (kinds.FLOAT32, (1, 50, 50), False),  # an activation
    ):
        tensor, buffer = schema.TensorT(), schema.BufferT()
        tensor.type, tensor.shape, tensor.buffer = kind, list(shape), len(model.buffers)
        buffer.data = np.zeros(np.prod(shape), "uint8") if is_constant else None
        graph.tensors.append(tensor)
        model.buffers.append(buffer)
    assert integer_share(model) == pytest.approx(0.75)
    graph.tensors = []
    assert integer_share(model) == 0
