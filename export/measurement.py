"""Measures a file: its size, and the time of one call in interleaved rounds."""

import os
import statistics
import time

from keras_vit.export.variants import VARIANTS

WARM_UP = 3
RUNS = 30  # of images


def interleaved_ms(runs, rounds=RUNS, clock=time.thread_time, refill_caches=False):
    """Times functions in rounds A B C A B C, so that other load of the machine affects all equally.

    Returns a list of milliseconds per function. The default clock, the CPU time of the calling thread, does
    not count what other programs do; it serves for what runs on one thread. `refill_caches` calls each
    function once untimed before each timed call, as the others have displaced its data from the caches.
    """
    times = [[] for _ in runs]
    for number in range(WARM_UP + rounds):
        for run, measured in zip(runs, times, strict=True):
            if refill_caches:
                run()
            started = clock()
            run()
            if number >= WARM_UP:
                measured.append(1000 * (clock() - started))
    return times


def median_ms(runs, rounds=RUNS, clock=time.thread_time):
    """Returns the median time of each function in milliseconds; arguments as in `interleaved_ms`."""
    return [statistics.median(times) for times in interleaved_ms(runs, rounds, clock)]


def num_threads(variant):
    """Returns how many threads a variant's latency is measured with: TFLite's one, or all of TensorFlow's."""
    if VARIANTS[variant].is_tflite:
        return 1
    import tensorflow as tf

    return tf.config.threading.get_intra_op_parallelism_threads() or os.cpu_count()


def size_bytes(path):
    """Returns the bytes of a file, or of all files in a folder."""
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return sum(file.stat().st_size for file in files)
