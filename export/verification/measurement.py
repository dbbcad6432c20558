"""What is measured of an exported file: its size and how long one image takes."""

import os
import statistics
import time

RUNS = 30
WARM_UP = 3


def latencies_ms(predictors, batches, runs=RUNS):
    """Returns the median CPU time of some images at once in milliseconds, one number per predictor.

    Rounds go A B C A B C, so that what else the machine does meets all of them alike, and it is the calling
    thread's time that counts, so that other programs do not. For files that run on one thread.

    Args:
        predictors: sequence of `keras_vit.export.prediction.predictor.Predictor`.
        batches: sequence of uint8 arrays `(n, height, width, channels)`, one per predictor.
        runs: int.
    """
    times = [[] for _ in predictors]
    for number in range(WARM_UP + runs):
        for predictor, images, measured in zip(predictors, batches, times, strict=True):
            started = time.thread_time()
            predictor.probabilities(images)
            if number >= WARM_UP:
                measured.append(1000 * (time.thread_time() - started))
    return [statistics.median(measured) for measured in times]


def latency_ms(predictor, images):
    """Returns the median wall time of some images at once, in milliseconds.

    Args:
        predictor: `keras_vit.export.prediction.predictor.Predictor`.
        images: uint8 array `(n, height, width, channels)`.
    """
    times = []
    for _ in range(RUNS):
        started = time.perf_counter()
        predictor.probabilities(images)
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
