"""Answers of TFLite files: `litert_answers.py IMAGES.npy OUT.npz THREADS... -- FILE.tflite...`.

Needs numpy and ai-edge-litert only. Images are uint8 `(n, height, width, channels)`. OUT gets the first
output of each file for each number of threads as `FILE THREADS`, FILE being its place; for others than the
first number of a quarter of the images.
"""

import sys

import numpy as np
from ai_edge_litert.interpreter import Interpreter


def main():
    divider = sys.argv.index("--")
    images, out, *threads = sys.argv[1:divider]
    images = np.load(images)
    few = images[: -(-len(images) // 4)]
    found = {}
    for place, file in enumerate(sys.argv[divider + 1 :]):
        for count in threads:
            given = images if count == threads[0] else few
            found[f"{place} {count}"] = answers(file, given, int(count))
    np.savez(out, **found)


def answers(file, images, num_threads):
    interpreter = Interpreter(file, num_threads=num_threads)
    interpreter.allocate_tensors()
    (given,), returned = interpreter.get_input_details(), interpreter.get_output_details()[0]
    rows = []
    for image in images:
        interpreter.set_tensor(given["index"], image[None].astype(given["dtype"]))
        interpreter.invoke()
        rows.append(interpreter.get_tensor(returned["index"])[0].copy())
    return np.stack(rows)


if __name__ == "__main__":
    main()
