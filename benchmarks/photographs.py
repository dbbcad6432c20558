"""Measures how photographs are read: the start, images per second, CPU time of large ones, memory.

    python benchmarks/photographs.py FOLDER [--counts 1000 20000 200000]

FOLDER gets generated JPEGs: 400 photographs of 640 x 480 pixels, copied to as many files as asked for, each
with another number of bytes after the image. Each measurement is a process of its own.

- start: seconds from the imports to the first batch of 32 at 224 pixels, those of all cores together (CPU),
  and the memory that the process has then above the imports; ours and
  `keras.utils.image_dataset_from_directory`.
- rate: images per second of random crop and flip at 224 pixels, of 2,000 files: ours, and a tf.data pipeline
  by hand with `decode_and_crop_jpeg`, interleaved; the medians. Then ours from the cache of decoded images,
  from shards of `keras-vit pack --image-size 256`, and from the cache of these.
- cpu: microseconds of CPU of an image of the same batches from files and from the cache, in turn in one
  process; the medians, and the median of the ratios. A busy machine disturbs these less.
- train: images per second of `model.fit` on the same two, of the smallest LeViT (0.6 billion operations).
- large: CPU milliseconds of a photograph of 12 megapixels, read for 224 pixels; and with Pillow alone.
- memory: of two epochs of the largest number of files, in steps of a quarter.
"""

import argparse
import io
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

SIZE, BATCH = 224, 32
DIFFERENT = 400  # photographs
RATED = 2000  # files of which the rate is measured
TURN, TURNS = 4, 5  # batches of a turn, and turns of a round, in which CPU is measured
WARM, TRAINED = 4, 30  # batches of a training before it is measured, and that are
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--counts", type=int, nargs="+", default=[1000, 20_000, 200_000])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", default=[*MEASUREMENTS])
    parser.add_argument("--worker", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        name, *arguments = options.worker
        print(json.dumps(WORKERS[name](*arguments)))
        return
    folders = {count: generate(options.folder, count) for count in sorted({*options.counts, RATED})}
    for name in options.only:
        MEASUREMENTS[name](options, folders)


def generate(folder, count):
    """Writes the photographs, unless they are there."""
    target = folder / f"{count}"
    if target.exists():
        return target
    photos = [photograph(640, 480, seed) for seed in range(DIFFERENT)]
    with tempfile.TemporaryDirectory(dir=folder.mkdir(parents=True, exist_ok=True) or folder) as temporary:
        whole = Path(temporary, "whole")
        classes = [whole / f"class{number:02}" for number in range(20)]
        for path in classes:
            path.mkdir(parents=True)
        for number in range(count):
            content = photos[number % DIFFERENT] + bytes(number // DIFFERENT)
            (classes[number % 20] / f"{number:07}.jpg").write_bytes(content)
        whole.rename(target)
    return target


def photograph(width, height, seed):
    """A JPEG of smooth colours with the noise of a camera, of a photograph's size in bytes."""
    generator = np.random.default_rng(seed)
    low = generator.integers(0, 256, (height // 16, width // 16, 3), dtype="uint8")
    smooth = np.asarray(Image.fromarray(low).resize((width, height), Image.Resampling.BICUBIC), "int16")
    noisy = smooth + generator.normal(0, 4, (height, width, 1)).astype("int16")
    file = io.BytesIO()
    Image.fromarray(np.clip(noisy, 0, 255).astype("uint8")).save(file, "JPEG", quality=85)
    return file.getvalue()


def start(options, folders):
    print("start: seconds to the first batch, seconds of CPU, MB above the imports")
    for count in options.counts:
        for name in ("ours", "keras"):
            rounds = [worker(f"start_{name}", folders[count]) for _ in range(options.rounds)]
            seconds, computed, memory = map(statistics.median, zip(*rounds, strict=True))
            print(
                f"  {count:>9,} files  {name:<6} {seconds:6.1f} s  {computed:6.1f} s  {memory:6,.0f} MB",
                flush=True,
            )


def rate(options, folders):
    print("rate: images per second")
    files = f"folder:{folders[RATED]}"
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        packed, cache = f"{folder}/packed", f"{folder}/cache"
        pack = [sys.executable, "-m", "keras_vit", "pack", files, packed, "--image-size", "256", "--quiet"]
        subprocess.run(pack, check=True)
        shards = f"shards:{packed}"
        ways = {
            "by hand": ("rate_by_hand", folders[RATED], "off"),
            "ours": ("rate_ours", files, "off"),
            "ours, cache": ("rate_ours", files, cache),
            "ours, shards": ("rate_ours", shards, "off"),
            "ours, cache of shards": ("rate_ours", shards, cache),
        }
        for spec in (files, shards):
            worker("rate_ours", spec, cache=cache)  # which fills the cache
        found = {name: [] for name in ways}
        for _ in range(options.rounds):
            for name, (measurement, spec, kept) in ways.items():
                found[name].append(worker(measurement, spec, cache=kept))
    for name, rates in found.items():
        ratios = [ours / theirs for ours, theirs in zip(rates, found["ours"], strict=True)]
        print(f"  {name:<22} {statistics.median(rates):7,.0f}  {statistics.median(ratios):.2f} of ours")


def cpu(options, folders):
    print("cpu: microseconds of an image")
    with tempfile.TemporaryDirectory(dir=options.folder) as cache:
        worker("rate_ours", f"folder:{folders[RATED]}", cache=cache)  # which fills the cache
        found = worker("cpu_in_turn", f"folder:{folders[RATED]}", cache, options.rounds * TURNS)
    ratios = [files / cached for files, cached in zip(found["files"], found["cache"], strict=True)]
    times = "  ".join(f"{name} {statistics.median(each):,.0f}" for name, each in found.items())
    print(f"  {times}  ratio {statistics.median(ratios):.2f}")


def train(options, folders):
    print("train: images per second")
    found = {"by hand": [], "ours": []}
    for _ in range(options.rounds):
        for name, rates in found.items():
            rates.append(worker(f"train_{name.replace(' ', '_')}", folders[RATED]))
    ratios = [ours / theirs for ours, theirs in zip(found["ours"], found["by hand"], strict=True)]
    rates = "  ".join(f"{name} {statistics.median(each):.1f}" for name, each in found.items())
    print(f"  {rates}  {statistics.median(ratios):.2f} of by hand")


def large(options, folders):
    print("large: CPU ms of a photograph of 12 megapixels")
    for name, milliseconds in worker("large").items():
        print(f"  {name:<12} {milliseconds:6.1f}")


def memory(options, folders):
    print("memory: MB above the imports and after each quarter of two epochs")
    print("  " + " ".join(f"{value:,.0f}" for value in worker("memory", folders[max(folders)])))


def worker(name, *arguments, cache="off"):
    """Runs a measurement in a process of its own."""
    command = [sys.executable, __file__, ".", "--worker", name, *map(str, arguments)]
    environment = {**os.environ, "KERAS_VIT_CACHE": str(cache)}
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def resident():
    """The memory of this process in MB."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 1e6


def stream(spec, epochs=1):
    from keras_vit.training import load_data
    from keras_vit.training.augmentation import Augmentation
    from keras_vit.training.data.random_crop import RandomCrop
    from keras_vit.training.data.streams import train_stream

    data = load_data(spec, image_size=SIZE)
    return data, train_stream(
        data.train,
        num_classes=data.num_classes,
        batch_size=BATCH,
        seed=0,
        augmentation=Augmentation(flip=True),
        crop=RandomCrop(0.08),
        epochs=epochs,
    )


def start_ours(folder):
    import tensorflow as tf  # noqa: F401

    import keras_vit.training.recipe  # noqa: F401
    from keras_vit.training.data import sources

    sources.find_source("digits")  # imports every source
    before, began, computed = resident(), time.perf_counter(), used()
    _, batches = stream(f"folder:{folder}")
    next(iter(batches))
    return time.perf_counter() - began, used() - computed, resident() - before


def start_keras(folder):
    import keras

    before, began, computed = resident(), time.perf_counter(), used()
    batches = keras.utils.image_dataset_from_directory(
        folder, image_size=(SIZE, SIZE), batch_size=BATCH, verbose=False
    )
    next(iter(batches))
    return time.perf_counter() - began, used() - computed, resident() - before


def cpu_in_turn(spec, cache, turns):
    found, streams = {"files": [], "cache": []}, {}
    for name, kept in zip(found, ("off", cache), strict=True):
        os.environ["KERAS_VIT_CACHE"] = kept
        streams[name] = iter(stream(spec, epochs=1000)[1])
        next(streams[name])
    for _ in range(int(turns)):
        for name, batches in streams.items():
            wait_for_rest()  # what runs ahead
            began = used()
            for _ in range(TURN):
                next(batches)
            wait_for_rest()
            found[name].append((used() - began) / TURN / BATCH * 1e6)
    print(json.dumps(found), flush=True)
    os._exit(0)  # without waiting for the streams


def wait_for_rest():
    """Waits until this process computes nothing."""
    before = -1.0
    while used() - before > 0.003:
        before = used()
        time.sleep(0.1)


def used():
    """Seconds of CPU that this process has used, with those that it waited for."""
    whose = resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN
    return sum(each.ru_utime + each.ru_stime for each in map(resource.getrusage, whose))


def rate_ours(spec):
    return rated(stream(spec, epochs=2)[1])


def rate_by_hand(folder):
    return rated(by_hand(folder))


def train_ours(folder):
    return trained(stream(f"folder:{folder}")[1])


def train_by_hand(folder):
    return trained(by_hand(folder))


def trained(batches):
    """Images per second of a training."""
    import keras

    from keras_vit.models import levit

    model = levit("128S", image_size=SIZE, num_classes=batches.element_spec[1].shape[1])
    model.compile("adam", keras.losses.CategoricalCrossentropy(from_logits=True))
    times = []
    ended = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda *_, **__: times.append(time.perf_counter())
    )
    model.fit(batches.take(WARM + TRAINED), epochs=1, callbacks=[ended], verbose=0)
    return TRAINED * BATCH / (times[-1] - times[WARM - 1])


def by_hand(folder):
    import tensorflow as tf

    paths = sorted(str(path) for path in Path(folder).rglob("*.jpg"))[: RATED * 81 // 100]
    names = sorted({Path(path).parent.name for path in paths})
    labels = [names.index(Path(path).parent.name) for path in paths]

    def read(path, label):
        content = tf.io.read_file(path)
        shape = tf.io.extract_jpeg_shape(content)
        box = tf.image.sample_distorted_bounding_box(
            shape, tf.zeros((1, 0, 4)), aspect_ratio_range=(3 / 4, 4 / 3), area_range=(0.08, 1),
            use_image_if_no_bounding_boxes=True,
        )  # fmt: skip
        window = tf.concat([box[0][:2], box[1][:2]], axis=0)
        image = tf.io.decode_and_crop_jpeg(content, window, channels=3)
        image = tf.image.resize(image, (SIZE, SIZE))
        return tf.image.random_flip_left_right(image), tf.one_hot(label, len(names))

    batches = tf.data.Dataset.from_tensor_slices((paths, labels)).shuffle(len(paths)).repeat(2)
    return batches.map(read, tf.data.AUTOTUNE).batch(BATCH, True).prefetch(tf.data.AUTOTUNE)


def rated(batches):
    """Images per second, without the first ten batches."""
    for number, _ in enumerate(batches):
        if number == 9:
            began = time.perf_counter()
    return (number - 9) * BATCH / (time.perf_counter() - began)


def large_photographs():
    from keras_vit.io.images import decode_image

    photos = [photograph(4032, 3024, seed) for seed in range(4)]

    def with_pillow(photo):
        with Image.open(io.BytesIO(photo)) as image:
            return image.convert("RGB").resize((SIZE, SIZE), Image.Resampling.BILINEAR)

    readers = {"ours": lambda photo: decode_image(photo, "a photo", (SIZE, SIZE)), "Pillow": with_pillow}
    found = {name: [] for name in readers}
    for _ in range(5):
        for name, read in readers.items():
            began = time.process_time()
            for photo in photos:
                read(photo)
            found[name].append((time.process_time() - began) / len(photos) * 1000)
    return {name: statistics.median(times) for name, times in found.items()}


def memory_of_epochs(folder):
    import tensorflow as tf  # noqa: F401

    import keras_vit.training.recipe  # noqa: F401

    before = resident()
    data, batches = stream(f"folder:{folder}", epochs=2)
    quarter = len(data.train) // BATCH // 4
    found = []
    for number, _ in enumerate(batches):
        if number % quarter == 0:
            found.append(resident() - before)
    return found


WORKERS = {
    "start_ours": start_ours,
    "start_keras": start_keras,
    "rate_ours": rate_ours,
    "rate_by_hand": rate_by_hand,
    "cpu_in_turn": cpu_in_turn,
    "train_ours": train_ours,
    "train_by_hand": train_by_hand,
    "large": large_photographs,
    "memory": memory_of_epochs,
}
MEASUREMENTS = {
    "start": start,
    "rate": rate,
    "cpu": cpu,
    "train": train,
    "large": large,
    "memory": memory,
}

if __name__ == "__main__":
    main()
