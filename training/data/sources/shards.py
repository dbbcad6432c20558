"""`shards:PATH`: a folder that `keras-vit pack` wrote."""

from pathlib import Path

from keras_vit.training.data.encoded import encoded_parts
from keras_vit.training.data.shards import ShardItems, read_description

ARGUMENT = "PATH"


def load(argument, options):
    """Loads the splits of packed images, which are decoded when they are used."""
    folder = Path(argument).expanduser()
    description = read_description(folder)
    items = ShardItems(folder, description["splits"])
    parts = {split: (rows, items.labels[rows]) for split, rows in items.rows.items()}
    splits, lines = encoded_parts(items, parts, options, str(folder), description["channels"])
    return splits, tuple(description["label_names"]), [f"packed splits: {', '.join(splits)}", *lines]
