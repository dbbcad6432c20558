"""Times a GRU that reads 128 characters: our `step` one at a time, and the loop that Keras's export writes.

    python benchmarks/char_latency.py

Both are TFLite files of one model, 2 layers of 256, 27 characters, with random weights, on which the time
does not depend. Keras's file reads all 128 characters by one call, in a WHILE loop inside the graph, in
float32: its conversion to int8 crashes the process. Ours is called 128 times with character and state; the
cost of passing them in Python is part of its time. One thread, pinned to one core; interleaved rounds; the
report contains the median CPU time of the calling thread and its ratio to Keras's file. The files' last
logits are compared first.
"""

import functools
import string
import tempfile
from pathlib import Path

import numpy as np
from interleaved import median_times, parser, pin, report, write_rows

CHARACTERS = 128
SIZES = {"hidden_dim": 256, "num_layers": 2}
KERAS = "Keras loop fp32"
TOLERANCE = {"fp32": 1e-5, "dynamic_int8": 2e-2}  # of the largest logit


def main():
    options = parser(__doc__, rounds=30).parse_args()
    pin(options.core)
    with tempfile.TemporaryDirectory() as folder:
        readers, sizes = write_files(Path(folder))
    tokens = np.random.default_rng(0).integers(0, len(string.ascii_lowercase) + 1, CHARACTERS, "int32")
    check(readers, tokens)
    calls = {name: functools.partial(read, tokens) for name, read in readers.items()}
    medians = median_times(calls, options.rounds)
    write_rows(options.json, report(f"GRU 2x256, {CHARACTERS} characters", medians, sizes, KERAS))


def write_files(folder):
    """Returns functions by name, from tokens to the last logits, and the sizes of the files."""
    from keras_vit.export.text.description import TextDescription
    from keras_vit.export.text.write import write_text_model
    from keras_vit.models import char_rnn
    from keras_vit.text import Vocabulary

    vocabulary = Vocabulary("\n" + string.ascii_lowercase)
    model = char_rnn("gru", vocabulary_size=len(vocabulary), **SIZES)
    files = {KERAS: folder / "keras.tflite"}
    write_loop(model, files[KERAS])
    for variant in TOLERANCE:
        files[variant] = folder / f"{variant}.tflite"
        description = TextDescription(vocabulary, window=32, lines=True)
        write_text_model(model, description, 1, variant, files[variant])
    readers = {
        name: loop_reader(path) if name == KERAS else step_reader(path) for name, path in files.items()
    }
    return readers, {name: path.stat().st_size for name, path in files.items()}


def write_loop(model, path):
    """Writes the file of Keras's own export, with a batch of one."""
    import keras

    signature = [keras.InputSpec(shape=(1, CHARACTERS), dtype="int32")]
    model = keras.Model(model.inputs[0], model.outputs[0])
    model.export(str(path), format="litert", input_signature=signature, verbose=False)


def loop_reader(path):
    interpreter = open_interpreter(path.read_bytes())
    (given,), (output,) = interpreter.get_input_details(), interpreter.get_output_details()

    def read(tokens):
        interpreter.set_tensor(given["index"], tokens[None])
        interpreter.invoke()
        return interpreter.get_tensor(output["index"])[0, -1]

    return read


def step_reader(path):
    """Runs the subgraph of `step` directly, without the overhead of Python's signature runner."""
    from keras_vit.export.benchmarking.signature import with_first

    content = with_first(path.read_bytes(), "step", path)
    runner, interpreter = open_interpreter(content).get_signature_runner("step"), open_interpreter(content)
    inputs = {name: tensor["index"] for name, tensor in runner.get_input_details().items()}
    outputs = {name: tensor["index"] for name, tensor in runner.get_output_details().items()}
    logits, token = outputs.pop("logits"), inputs.pop("token")
    states = [(outputs[name], index) for name, index in inputs.items()]

    def read(tokens):
        for _, index in states:
            interpreter.set_tensor(index, np.zeros((1, SIZES["hidden_dim"]), "float32"))
        for one in tokens:
            interpreter.set_tensor(token, one[None])
            interpreter.invoke()
            for after, before in states:
                interpreter.set_tensor(before, interpreter.get_tensor(after))
        return interpreter.get_tensor(logits)[0]

    return read


def open_interpreter(content):
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=content, num_threads=1)
    interpreter.allocate_tensors()
    return interpreter


def check(readers, tokens):
    expected = readers[KERAS](tokens)
    for name, tolerance in TOLERANCE.items():
        difference = np.abs(readers[name](tokens) - expected).max() / np.abs(expected).max()
        if difference > tolerance:
            raise SystemExit(f"{name} differs from Keras's file by {difference:.1e} of the largest logit")


if __name__ == "__main__":
    main()
