import numpy as np
import pytest

from keras_vit.export.benchmarking.parts import only
from keras_vit.export.tflite.graph import is_constant, operators, read_graph, write_graph
from keras_vit.export.tflite.interpreter import open_interpreter


def answers(content):
    interpreter = open_interpreter(content)
    interpreter.invoke()
    return [interpreter.get_tensor(detail["index"]) for detail in interpreter.get_output_details()]


def kinds(content):
    return [operator.kind for operator in operators(read_graph(content))]


@pytest.mark.parametrize("name", ["plain", "half", "cut"])
def test_all_kinds_together_are_the_file_itself(name, request):
    content = request.getfixturevalue(name)
    everything = only(read_graph(content), set(kinds(content)))
    assert kinds(everything) == kinds(content)
    # What nobody reads is an output too, but the last operator's is the last.
    np.testing.assert_array_equal(answers(everything)[-1], answers(content)[-1])


def test_one_kind_has_its_operators_and_nothing_else(plain):
    products = only(read_graph(plain), {"FULLY_CONNECTED"})
    assert kinds(products) == ["FULLY_CONNECTED"] * 3
    assert kinds(only(read_graph(plain), {"SOFTMAX"})) == ["SOFTMAX"]
    assert all(np.isfinite(answer).all() for answer in answers(products))


def test_a_product_reads_what_the_last_one_wrote_as_in_the_whole_file(plain):
    interpreter = open_interpreter(only(read_graph(plain), {"FULLY_CONNECTED"}))
    assert len(interpreter.get_input_details()) == len(interpreter.get_output_details()) == 1


def test_weights_that_are_widened_first_come_along_and_others_stay_behind(half):
    products = only(read_graph(half), {"FULLY_CONNECTED"})
    assert set(kinds(products)) == {"FULLY_CONNECTED", "DEQUANTIZE"}
    assert len(only(read_graph(half), {"SOFTMAX"})) < 2000 < len(products)


def test_a_file_that_is_written_again_is_the_same_and_aligned(half):
    again = write_graph(read_graph(half))
    for one, other in zip(answers(half), answers(again), strict=True):
        np.testing.assert_array_equal(one, other)
    model = read_graph(again)
    for tensor in model.subgraphs[0].tensors:
        if is_constant(model, tensor):
            data = model.buffers[tensor.buffer].data.tobytes()
            assert len(data) < 64 or again.index(data) % 16 == 0
