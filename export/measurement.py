"""What is measured of an exported file: its size and how long one image takes."""

import os
import statistics
import time

RUNS = 30


def latency_ms(predictor, image):
    """Returns the median wall time of single images, in milliseconds.

    Args:
        predictor: `export.predictor.Predictor`.
        image: uint8 array `(height, width, channels)`.
    """
    times = []
    for _ in range(RUNS):
        started = time.perf_counter()
        predictor.probabilities(image[None])
        times.append(1000 * (time.perf_counter() - started))
    return statistics.median(times)


def num_threads(variant):
    """Returns how many threads a variant's latency is measured with: TFLite's one, or all of TensorFlow's."""
    import tensorflow as tf

    if variant != "savedmodel":
        return 1
    return tf.config.threading.get_intra_op_parallelism_threads() or os.cpu_count()


def size_bytes(path):
    """Returns the bytes of a file, or of all files in a folder."""
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return sum(file.stat().st_size for file in files)
