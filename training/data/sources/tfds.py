"""`tfds:NAME`: image classification sets of TensorFlow Datasets."""

import difflib
import os

import numpy as np

from keras_vit.errors import InputError
from keras_vit.io.progress import say
from keras_vit.training.data.dataset import Loaded, Split
from keras_vit.training.data.encoded import DECODED_FIELDS, encoded_parts
from keras_vit.training.data.items import StoredItems
from keras_vit.training.data.storage import allocate
from keras_vit.training.data.unknown_labels import labelled_rows

ARGUMENT = "NAME"
FIELDS = DECODED_FIELDS
_BATCH = 1024
# Features that name an image, in sets that have one.
_IDS = ("id", "image/filename", "image/file_name", "filename", "file_name")
_PROBE_SECONDS = 10


def load(argument, options):
    """Loads a set that was prepared on this machine, or downloads and prepares it.

    The argument is the name of the set, such as `cifar10`; a configuration follows after a slash. The splits
    `train`, `validation` and `test` are used; a single split is the training split. Rows without labels
    are left out. `image_size` is required for images of different sizes, and used only for them.
    """
    builder = _find_builder(argument, options.data_dir)
    keys = _feature_keys(builder, argument)
    if options.image_size is None and None in builder.info.features[keys[0]].shape:
        raise InputError(
            f"The images of tfds:{argument} vary in size. Set image_size, such as image_size=224."
        )
    if not builder.is_prepared():
        _download(builder, argument)
    splits, lines = _split_names(builder, argument), []
    if None in builder.info.features[keys[0]].shape:
        parts, lines = _encoded_splits(builder, splits, keys, options, f"tfds:{argument}")
    else:
        parts = _decoded_splits(builder, splits, keys)
    known = {name: split.labels >= 0 for name, split in parts.items()}
    rows, without = labelled_rows(known, f"{keys[1]} of tfds:{argument}")
    parts = {
        name: parts[name] if known[name].all() else parts[name].take(found) for name, found in rows.items()
    }
    return Loaded(parts, tuple(builder.info.features[keys[1]].names), [*lines, *without])


def vary_in_size(argument, data_dir):
    """Returns whether the images of a set have no common size."""
    import tensorflow_datasets as tfds

    try:
        features = tfds.builder(argument, data_dir=data_dir).info.features
        return any(None in feature.shape for feature in features.values() if len(feature.shape) == 3)
    except Exception:  # what is wrong with it is said where it is loaded
        return False


def _find_builder(name, data_dir):
    import tensorflow_datasets as tfds

    try:
        return tfds.builder(name, data_dir=data_dir and os.path.expanduser(data_dir))
    except tfds.core.DatasetNotFoundError as error:
        near = difflib.get_close_matches(name, tfds.list_builders(with_community_datasets=False))
        hint = f"Did you mean {' or '.join(near)}?" if near else "The names are at tensorflow.org/datasets."
        raise InputError(f"TensorFlow Datasets has no set {name!r}. {hint}") from error
    except Exception as error:  # a bad configuration or version, or data_dir is not a folder
        raise InputError(f"tfds:{name} cannot be used: {_in_short(error)}") from error


def _feature_keys(builder, name):
    import tensorflow_datasets as tfds

    features = dict(builder.info.features.items()) if hasattr(builder.info.features, "items") else {}
    images = [key for key, feature in features.items() if type(feature) is tfds.features.Image]
    labels = [key for key, feature in features.items() if type(feature) is tfds.features.ClassLabel]
    supervised = builder.info.supervised_keys or ()
    if len(supervised) == 2 and supervised[0] in images and supervised[1] in labels:
        images, labels = [supervised[0]], [supervised[1]]
    if len(images) != 1 or len(labels) != 1 or features[images[0]].np_dtype != np.uint8:
        raise InputError(
            f"tfds:{name} is not an image classification set: expected one feature of 8-bit images and "
            f"one of class labels, received {', '.join(features) or 'others'}."
        )
    ids = [key for key in _IDS if type(features.get(key)) is tfds.features.Text]
    return images[0], labels[0], *ids[:1]


def _download(builder, name):
    _check_reachable(builder, name)
    say(
        f"tfds:{name}: downloading {builder.info.download_size}, once, and preparing it in {builder.data_dir}"
    )
    try:
        builder.download_and_prepare()
    except Exception as error:  # network, checksum, manual steps, disk, permissions
        raise InputError(
            f"tfds:{name} could not be downloaded and prepared in {builder.data_dir}: {_in_short(error)}"
        ) from error


def _check_reachable(builder, name):
    """Fails within seconds: without a network TFDS itself retries for minutes."""
    import requests

    url = next((url for url in builder.url_infos or () if url.startswith("http")), None)
    try:
        if url is not None:
            requests.head(url, timeout=_PROBE_SECONDS)
    except requests.RequestException as error:
        raise InputError(
            f"tfds:{name} is not prepared in {builder.data_dir}, and {url} cannot be reached to download it. "
            "Name the folder of prepared sets with --data-dir, or go online."
        ) from error


def _split_names(builder, name):
    available = list(builder.info.splits)
    names = {split: split for split in ("train", "validation", "test") if split in available}
    if len(available) == 1:
        return {"train": available[0]}
    if "train" not in names:
        raise InputError(f"Expected a train split in tfds:{name}, found {', '.join(available)}.")
    return names


def _decoded_splits(builder, splits, keys):
    """The splits of images of one size, decoded by TFDS."""
    shape = builder.info.features[keys[0]].shape
    return {name: _decoded_split(builder, source, keys, shape) for name, source in splits.items()}


def _decoded_split(builder, source, keys, shape):
    count = _checked_count(builder, source)
    images, labels, ids = allocate((count, *shape)), np.empty(count, np.int32), []
    start = 0
    for batch, batch_labels, *names in _batches(builder, source, keys):
        rows = slice(start, start + len(batch))
        images[rows], labels[rows] = batch, batch_labels
        ids += _decoded_names(names)
        start = rows.stop
    return Split(images, labels, ids=np.array(ids) if ids else None)


def _decoded_names(names):
    return [name.decode("utf-8", "replace") for name in names[0]] if names else []


def _encoded_splits(builder, splits, keys, options, name):
    """The splits of images of different sizes, which are decoded like image files, not by TFDS."""
    labels, parts = [], {}

    def read():
        for split, source in splits.items():
            first = len(labels)
            _checked_count(builder, source)
            for batch, batch_labels, *ids in _batches(builder, source, keys, encoded=True):
                rows = range(len(labels) - first, len(labels) - first + len(batch))
                labels.extend(batch_labels.tolist())
                names = _decoded_names(ids) or [str(row) for row in rows]
                yield from zip((f"{name} in {source}" for name in names), batch.tolist(), strict=True)
            parts[split] = np.arange(first, len(labels))

    items = StoredItems(read(), name, f"{builder.data_path} {keys[0]}")
    found = np.array(labels, np.int32)
    channels = 1 if builder.info.features[keys[0]].shape[-1] == 1 else 3
    return encoded_parts(
        items, {split: (rows, found[rows]) for split, rows in parts.items()}, options, name, channels
    )


def _checked_count(builder, source):
    """The number of examples; a damaged description has another one."""
    count = builder.info.splits[source].num_examples
    if count < 0:
        raise InputError(_damaged(builder, f"{source} has {count:,} examples."))
    return count


def _batches(builder, source, keys, encoded=False):
    """Yields images and labels of a split, after checking that there are as many as described."""
    import tensorflow as tf
    import tensorflow_datasets as tfds

    decoders = {keys[0]: tfds.decode.SkipDecoding()} if encoded else None
    expected, count = builder.info.splits[source].num_examples, 0
    try:
        examples = builder.as_dataset(source, decoders=decoders)
        examples = examples.map(lambda example: tuple(example[key] for key in keys))
        for batch in examples.batch(_BATCH).prefetch(1).as_numpy_iterator():
            count += len(batch[1])
            if count > expected:
                raise InputError(_damaged(builder, f"{source} has more than {expected:,} examples."))
            yield batch
    except tf.errors.OpError as error:
        raise InputError(_damaged(builder, f"TensorFlow reports: {_in_short(error)}")) from error
    if count < expected:
        raise InputError(_damaged(builder, f"{source} has {count:,} examples of {expected:,}."))


def _damaged(builder, reason):
    return f"The prepared files in {builder.data_dir} are damaged. Remove it to prepare them again. {reason}"


def _in_short(error):
    return " ".join(str(error).split())[:300] or type(error).__name__
