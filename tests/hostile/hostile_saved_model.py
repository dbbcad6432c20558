"""Bad SavedModels: damaged, or with operators that reach outside."""

import functools
import tempfile
from pathlib import Path

import numpy as np
from hostile_case import Case, cut, flipped

GRAPH = "saved_model.pb"
DATA = "variables/variables.data-00000-of-00001"
INDEX = "variables/variables.index"


def answers(result, good):
    """Rule of success: anything that returns probabilities is a model; `load_predictor` checks that."""
    return type(result).__name__ == "Predictor"


@functools.cache
def whole():
    """Returns the files of a good SavedModel, a dict from name to bytes."""
    import keras

    from keras_vit.export.model.function import model_function
    from keras_vit.export.saved_model.write import write_saved_model

    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(3)])
    with tempfile.TemporaryDirectory() as folder:
        names = ["a", "b", "c"]
        function, _ = model_function(model, np.zeros((1, 8, 8, 1)), "softmax")
        write_saved_model(function, f"{folder}/m", pixels=True, label_names=names, classes="probabilities")
        return _read(Path(folder, "m"))


def cases():
    for file in (GRAPH, DATA, INDEX):
        for share in (0.0, 0.01, 0.3, 0.8, -1):
            yield _damaged(f"{file} cut {share}", file, lambda c, s=share: cut(c, s), answers)
        for seed in range(10):
            yield _damaged(f"{file} flipped {seed}", file, lambda c, s=seed: flipped(c, s, 2), answers)
        yield _damaged(f"{file} text", file, lambda _: b"no model\n" * 99)
        yield _damaged(f"{file} noise", file, lambda _: np.random.default_rng(0).bytes(9000))
        yield _damaged(f"{file} missing", file, lambda _: None)
    yield _damaged("nan", DATA, lambda c: np.full(len(c) // 4, np.nan, "<f4").tobytes())
    for name in OPERATORS:
        for place in ("answer", "labels"):
            yield _case(f"{name} in its {place}", lambda p, n=name, w=place: _evil(p, n, w))
    yield _case("a table from a file", _table)
    yield _case("endless loop", lambda place: _evil(place, "loop", "answer"))


def _operators(sentinel):
    """Operations of a graph other than arithmetic, each as a function without arguments."""
    import tensorflow as tf

    def python():
        Path(sentinel).mkdir(exist_ok=True)
        return np.float32(0)

    def written():
        tf.io.write_file(sentinel, "x")

    def loop():
        tf.while_loop(lambda i: i < 2**62, lambda i: i + 1, [tf.constant(0, tf.int64)])

    return {
        "write_file": written,
        "read_file": lambda: tf.io.read_file("/etc/passwd"),
        "matching_files": lambda: tf.io.matching_files("/etc/*"),
        "py_function": lambda: tf.py_function(python, [], tf.float32),
        "numpy_function": lambda: tf.numpy_function(python, [], tf.float32),
        "save": lambda: tf.raw_ops.Save(filename=sentinel, tensor_names=["a"], data=[tf.zeros(3)]),
        "print": lambda: tf.print("a" * 99, output_stream=f"file://{sentinel}"),
        "dataset": lambda: tf.raw_ops.TextLineDataset(
            filenames="/etc/passwd", compression_type="", buffer_size=9
        ),
        "loop": loop,
    }


OPERATORS = (
    "write_file", "read_file", "matching_files", "py_function", "numpy_function", "save", "print", "dataset",
)  # fmt: skip


def _evil(place, name, where):
    """A SavedModel of the right signatures, one of whose functions also does something else."""
    import tensorflow as tf

    act = _operators(str(place.sentinel))[name]
    module = tf.Module()

    @tf.function(input_signature=[tf.TensorSpec((None, 8, 8, 1), tf.uint8, "images")])
    def serve(images):
        if where == "answer":
            act()
        return {"probabilities": tf.ones((tf.shape(images)[0], 3)) / 3}

    @tf.function(input_signature=[])
    def labels():
        if where == "labels":
            act()
        return tf.constant(["a", "b", "c"])

    module.serve, module.label_names = serve, labels
    return _saved(place, module, serve)


def _table(place):
    """A table is filled from its file when the model is loaded."""
    import tensorflow as tf

    module, path = tf.Module(), str(place.put("words.txt", b"a\nb\n"))
    rows = tf.lookup.TextFileInitializer(
        path, tf.string, tf.lookup.TextFileIndex.WHOLE_LINE, tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER
    )
    module.table = tf.lookup.StaticHashTable(rows, -1)

    @tf.function(input_signature=[tf.TensorSpec((None, 8, 8, 1), tf.uint8, "images")])
    def serve(images):
        place = tf.cast(module.table.lookup(tf.constant("b")), tf.float32)
        return {"probabilities": tf.ones((tf.shape(images)[0], 3)) / 3 + 0 * place}

    @tf.function(input_signature=[])
    def labels():
        return tf.constant(["a", "b", "c"])

    module.serve, module.label_names = serve, labels
    return _saved(place, module, serve)


def _saved(place, module, serve):
    import shutil

    import tensorflow as tf

    path = place.folder / "m"
    tf.saved_model.save(module, str(path), signatures={"serving_default": serve})
    if place.sentinel.is_dir():  # what tracing did is not what loading does
        shutil.rmtree(place.sentinel)
    place.sentinel.unlink(missing_ok=True)
    return path


def _damaged(name, file, damage, allowed=None):
    def write(place):
        for path, content in {**whole(), file: damage(whole()[file])}.items():
            if content is not None:
                place.put(f"m/{path}", content)
        return place.folder / "m"

    return _case(name, write, allowed)


def _case(name, write, allowed=None):
    rule = {"allowed": allowed} if allowed else {}
    return Case("SavedModel", f"SavedModel {name}", "saved model", write, **rule)


def _read(folder):
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}
