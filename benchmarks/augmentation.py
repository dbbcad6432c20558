"""Counts augmented images per second on one core: ours and the layers of Keras, interleaved.

    python benchmarks/augmentation.py

Both read the same 32 x 32 x 3 uint8 images in batches of 128 through the same tf.data pipeline, pinned to one
core, and do the same: flip, crop with 4 pixels of padding, RandAugment(2, 9), random erasing 0.25, and MixUp
0.8 or CutMix 1. Rounds go A B A B; reported are medians per second of CPU time of the process, and per
second of the clock. The peer draws once a batch for crop and RandAugment.
"""

import argparse
import json
import os
import statistics
import time
from pathlib import Path

BATCH_SIZE = 128
FASTER = {"keras_vit": 6, "keras layers": 1}  # so that rounds take about as long


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument(
        "--batches", type=int, default=30, help="of the peer in a round, six times as many of ours"
    )
    parser.add_argument("--core", type=int, default=0)
    parser.add_argument("--json", type=Path, help="also write the results there")
    options = parser.parse_args()

    use_one_core(options.core)
    datasets = {name: make() for name, make in {"keras_vit": ours, "keras layers": keras_layers}.items()}
    rates = {name: [] for name in datasets}
    for round_number in range(options.rounds + 1):
        for name, dataset in datasets.items():
            batches = options.batches * FASTER[name]
            rate = measure(dataset.take(batches), batches)
            if round_number:  # the first round warms up
                rates[name].append(rate)
    report(rates, options.json)


def use_one_core(core):
    os.environ["KERAS_BACKEND"] = "tensorflow"
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {core})
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)


def ours():
    from keras_vit.training.augmentation import Augmentation

    everything = Augmentation(
        flip=True,
        crop_padding=4,
        randaugment_layers=2,
        randaugment_magnitude=9,
        mixup_alpha=0.8,
        cutmix_alpha=1.0,
        erasing_rate=0.25,
    )
    return on_one_core(pipeline(everything))


def keras_layers():
    import keras
    import tensorflow as tf

    from keras_vit.training.augmentation import Augmentation

    image_layers = [
        keras.layers.RandomFlip("horizontal"),
        keras.layers.ZeroPadding2D(4),
        keras.layers.RandomCrop(32, 32),
        keras.layers.RandAugment(value_range=(0, 255), num_ops=2, factor=0.9),
        keras.layers.RandomErasing(factor=0.25, value_range=(0, 255)),
    ]
    mixup, cutmix = keras.layers.MixUp(0.8), keras.layers.CutMix(1.0)

    def change(images, labels):
        for layer in image_layers:
            images = layer(images, training=True)
        batch = {"images": images, "labels": labels}
        batch = tf.cond(
            tf.random.uniform(()) < 0.5,
            lambda: mixup(batch, training=True),
            lambda: cutmix(batch, training=True),
        )
        return batch["images"], batch["labels"]

    return on_one_core(pipeline(Augmentation()).map(change))


def pipeline(augmentation):
    import numpy as np

    from keras_vit.training.data.dataset import Split
    from keras_vit.training.data.streams import train_stream

    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (10_000, 32, 32, 3), dtype=np.uint8)
    split = Split(images, generator.integers(0, 10, len(images), dtype=np.int32))
    return train_stream(
        split, num_classes=10, batch_size=BATCH_SIZE, epochs=1_000, seed=0, augmentation=augmentation
    )


def on_one_core(dataset):
    """Two threads share it: a single one of tf.data's is idle a third of the time."""
    import tensorflow as tf

    options = tf.data.Options()
    options.threading.private_threadpool_size = 2
    options.threading.max_intra_op_parallelism = 1
    return dataset.with_options(options)


def measure(dataset, batches):
    # To the end of the data, so that nothing is prepared while the other is measured.
    processor, clock = time.process_time(), time.perf_counter()
    for _ in dataset:
        pass
    images = batches * BATCH_SIZE
    return images / (time.process_time() - processor), images / (time.perf_counter() - clock)


def report(rates, path):
    rows = {}
    for name, pairs in rates.items():
        processor, clock = zip(*pairs, strict=True)
        rows[name] = {
            "images_per_cpu_second": round(statistics.median(processor)),
            "images_per_cpu_second_range": [round(min(processor)), round(max(processor))],
            "images_per_second": round(statistics.median(clock)),
        }
        print(
            f"{name:14} {rows[name]['images_per_cpu_second']:7,} images per CPU second "
            f"({min(processor):,.0f} to {max(processor):,.0f})   "
            f"{rows[name]['images_per_second']:7,} images/s by the clock"
        )
    if path:
        path.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
