import pytest
import tensorflow as tf

from keras_vit.errors import InputError
from keras_vit.export.saved_model.check import check_saved_model


@pytest.fixture
def save(tmp_path):
    """Writes a SavedModel whose function does something and returns a number."""

    def write(act):
        module = tf.Module()
        module.weight = tf.Variable(2.0)
        module.act = tf.function(lambda: (act(), module.weight * 2)[1], input_signature=[])
        tf.saved_model.save(module, str(tmp_path / "m"), signatures={"serving_default": module.act})
        return tmp_path / "m"

    return write


def repeat():
    return tf.while_loop(lambda i: i < 9, lambda i: i + 1, [tf.constant(0)])


@pytest.mark.parametrize("act", [lambda: None, repeat], ids=["product", "loop"])
def test_a_graph_that_only_computes_is_right(save, act):
    check_saved_model(save(act))


@pytest.mark.parametrize(
    ("act", "operator"),
    [
        (lambda: tf.io.write_file("x", "x"), "WriteFile"),
        (lambda: tf.io.read_file("/etc/passwd"), "ReadFile"),
        (lambda: tf.numpy_function(lambda: 1.0, [], tf.float64), "PyFunc"),
        (lambda: tf.cond(tf.constant(True), lambda: tf.io.read_file("x"), lambda: ""), "ReadFile"),
    ],
)
def test_operators_that_reach_outside_are_refused_by_name(save, act, operator):
    with pytest.raises(InputError, match=f"cannot be trusted: its graph contains .*{operator}"):
        check_saved_model(save(act))


def test_loops_are_refused_where_none_is_needed(save):
    path = save(repeat)
    check_saved_model(path, loopless=("another",))
    with pytest.raises(InputError, match="While"):
        check_saved_model(path, loopless=("serving_default",))


@pytest.mark.parametrize("content", [b"", b"no graph", None])
def test_a_file_that_is_not_a_graph_is_refused(save, content):
    file = save(lambda: None) / "saved_model.pb"
    file.write_bytes(file.read_bytes()[:-9] if content is None else content)
    with pytest.raises(InputError, match="saved_model.pb is damaged|not a SavedModel"):
        check_saved_model(file.parent)
