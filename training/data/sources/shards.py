"""`shards:PATH`: a folder that `keras-vit pack` wrote."""

from pathlib import Path

from keras_vit.io.label_kinds import CLASS
from keras_vit.training.data.dataset import Loaded
from keras_vit.training.data.encoded import DECODED_FIELDS, encoded_parts
from keras_vit.training.data.shards import GROUPED, ShardItems, read_description

ARGUMENT = "PATH"
FIELDS = DECODED_FIELDS


def load(argument, options):
    """Loads the splits of packed images, which are decoded when they are used."""
    folder = Path(argument).expanduser()
    description = read_description(folder)
    items = ShardItems(folder, description["splits"])
    of_images = [items.labels, *([] if items.weights is None else [items.weights])]
    parts = {split: (rows, *(array[rows] for array in of_images)) for split, rows in items.rows.items()}
    splits, lines = encoded_parts(items, parts, options, str(folder), description["channels"])
    lines = [f"packed splits: {', '.join(splits)}", *lines]
    kind = description.get("label_kind", CLASS)
    return Loaded(splits, description["label_names"], lines, kind, GROUPED if items.table else None)
