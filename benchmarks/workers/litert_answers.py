"""Answers of a TFLite file: `litert_answers.py FILE.tflite IMAGES.npy OUT.npz THREADS...`.

Needs numpy and ai-edge-litert only. Images are uint8 `(n, height, width, channels)`. OUT gets the first
output for each number of threads, for others than the first of a quarter of the images.
"""

import sys

import numpy as np
from ai_edge_litert.interpreter import Interpreter


def main():
    file, images, out, *threads = sys.argv[1:]
    images = np.load(images)
    few = images[: -(-len(images) // 4)]
    taken = {count: images if count == threads[0] else few for count in threads}
    np.savez(out, **{count: answers(file, given, int(count)) for count, given in taken.items()})


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
