"""Runs training steps of our CIFAR Vision Transformer on request: `keras_vit_step.py PRECISION CORE`."""

import json
import os
import resource
import sys
import time

precision, core = sys.argv[1], int(sys.argv[2])
os.sched_setaffinity(0, {core})

import keras  # noqa: E402  after the affinity is set
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

from keras_vit.models import vit  # noqa: E402

BATCH = 128


def main():
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    keras.utils.set_random_seed(0)
    model = vit("Micro/4", num_classes=10, pooling="gap", dtype=precision)
    model.compile(keras.optimizers.AdamW(1e-3), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    rng = np.random.default_rng(0)
    images = tf.constant(rng.integers(0, 256, (BATCH, 32, 32, 3)), tf.float32)
    labels = tf.constant(rng.integers(0, 10, BATCH))
    for line in sys.stdin:
        if line.strip() == "memory":
            answer = {"peak_gigabytes": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, 2)}
        else:
            started = time.process_time()
            model.train_on_batch(images, labels)
            answer = {"cpu_seconds": time.process_time() - started}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
