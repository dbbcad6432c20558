"""Times a GRU that reads 128 characters: our `step` one at a time, and the loop that Keras's export gives.

    python benchmarks/char_latency.py

Both are TFLite files of one model, 2 layers of 256, 27 characters, with random weights, on which the time
does not depend. Keras's file reads all 128 characters by one call, in a WHILE loop inside the graph, in
float32: in int8 the conversion ends the process. Ours is called 128 times with character and state; what
it costs to hand them over in Python is part of its time. One thread, pinned to one core; rounds go A B C A
B C; reported are the median CPU time of the calling thread and its ratio to Keras's file. The files' last
logits are compared first.
"""

import argparse
import json
import os
import statistics
import string
import tempfile
import time
from pathlib import Path

import numpy as np

CHARACTERS = 128
SIZES = {"hidden_dim": 256, "num_layers": 2}
KERAS = "Keras loop fp32"
TOLERANCE = {"fp32": 1e-5, "dynamic_int8": 2e-2}  # of the largest logit
WARM_UP = 3


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--core", type=int, default=0)
    parser.add_argument("--json", type=Path, help="also write the results there")
    options = parser.parse_args()

    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {options.core})
    with tempfile.TemporaryDirectory() as folder:
        readers, sizes = write_files(Path(folder))
    tokens = np.random.default_rng(0).integers(0, len(string.ascii_lowercase) + 1, CHARACTERS, "int32")
    check(readers, tokens)
    rows = report(measure(readers, tokens, options.rounds), sizes)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n")


def write_files(folder):
    """Returns by name what reads tokens and returns the last logits, and the sizes of the files."""
    from keras_vit.export.text.description import TextDescription
    from keras_vit.export.text.write import write_tflite
    from keras_vit.models import char_rnn
    from keras_vit.text import Vocabulary

    vocabulary = Vocabulary("\n" + string.ascii_lowercase)
    model = char_rnn("gru", vocabulary_size=len(vocabulary), **SIZES)
    files = {KERAS: folder / "keras.tflite"}
    write_loop(model, files[KERAS])
    for variant in TOLERANCE:
        files[variant] = folder / f"{variant}.tflite"
        description = TextDescription(vocabulary, window=32, lines=True)
        write_tflite(model, description, 1, variant, files[variant])
    readers = {
        name: loop_reader(path) if name == KERAS else step_reader(path) for name, path in files.items()
    }
    return readers, {name: path.stat().st_size for name, path in files.items()}


def write_loop(model, path):
    """The file of Keras's own export, with a batch of one."""
    import keras

    signature = [keras.InputSpec(shape=(1, CHARACTERS), dtype="int32")]
    model = keras.Model(model.inputs[0], model.outputs[0])
    model.export(str(path), format="litert", input_signature=signature, verbose=False)


def loop_reader(path):
    interpreter = opened(path.read_bytes())
    (inside,), (outside,) = interpreter.get_input_details(), interpreter.get_output_details()

    def read(tokens):
        interpreter.set_tensor(inside["index"], tokens[None])
        interpreter.invoke()
        return interpreter.get_tensor(outside["index"])[0, -1]

    return read


def step_reader(path):
    """Runs the subgraph of `step` itself, without what Python's signature runner adds to every call."""
    from keras_vit.export.benchmarking.signature import with_first

    content = with_first(path.read_bytes(), "step", path)
    runner, interpreter = opened(content).get_signature_runner("step"), opened(content)
    inputs = {name: tensor["index"] for name, tensor in runner.get_input_details().items()}
    outputs = {name: tensor["index"] for name, tensor in runner.get_output_details().items()}
    logits, token = outputs.pop("logits"), inputs.pop("token")
    moves = [(outputs[name], index) for name, index in inputs.items()]

    def read(tokens):
        for _, index in moves:
            interpreter.set_tensor(index, np.zeros((1, SIZES["hidden_dim"]), "float32"))
        for one in tokens:
            interpreter.set_tensor(token, one[None])
            interpreter.invoke()
            for outside, inside in moves:
                interpreter.set_tensor(inside, interpreter.get_tensor(outside))
        return interpreter.get_tensor(logits)[0]

    return read


def opened(content):
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


def measure(readers, tokens, rounds):
    """Returns a dict from a reader's name to the median of its times in milliseconds."""
    times = {name: [] for name in readers}
    for number in range(WARM_UP + rounds):
        for name, read in readers.items():
            started = time.thread_time()
            read(tokens)
            if number >= WARM_UP:
                times[name].append(1000 * (time.thread_time() - started))
    return {name: statistics.median(measured) for name, measured in times.items()}


def report(medians, sizes):
    rows = {}
    print(f"GRU 2x256, {CHARACTERS} characters")
    for name, median in medians.items():
        ratio = median / medians[KERAS]
        rows[name] = {"median_ms": round(median, 3), "ratio": round(ratio, 3), "bytes": sizes[name]}
        print(f"  {name:18} {median:8.3f} ms  {ratio:6.3f}  {sizes[name] / 1e6:7.2f} MB", flush=True)
    return rows


if __name__ == "__main__":
    main()
