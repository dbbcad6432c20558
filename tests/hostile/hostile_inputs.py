"""All bad inputs, and the good files that they are made from. The same on every run."""

import hostile_folders
import hostile_images
import hostile_keras
import hostile_npz
import hostile_pretrained
import hostile_runs
import hostile_safetensors
import hostile_saved_model
import hostile_texts
import hostile_tfds
import hostile_tflite
from hostile_readers import READERS

# Files of another format become a module here with a function `cases`, a good file in FILES and
# `write_good`, and a reader in hostile_readers.
MODULES = (
    hostile_images,
    hostile_folders,
    hostile_npz,
    hostile_safetensors,
    hostile_keras,
    hostile_texts,
    hostile_tflite,
    hostile_saved_model,
    hostile_pretrained,
    hostile_runs,
    hostile_tfds,
)


FILES = {
    "keras": "m.keras",
    "tflite": "m.tflite",
    "npz": "x.npz",
    "image": "x.png",
    "recipe": "recipe.json",
    "safetensors": "x.safetensors",
}


def all_cases():
    """Returns every Case, in a fixed order."""
    cases = [case for module in MODULES for case in module.cases()]
    names = [case.name for case in cases]
    if len(set(names)) < len(names):
        raise ValueError(f"Names repeat: {sorted({name for name in names if names.count(name) > 1})}")
    return cases


def read_good(folder):
    """Returns the bytes of the good files, and what each reader returns for them; two dicts."""
    good = {name: (folder / file).read_bytes() for name, file in FILES.items()}
    return good, {name: READERS[name](folder / file) for name, file in FILES.items()}


def write_good(folder):
    """Writes one good file of each format."""
    import keras
    import numpy as np

    from keras_vit.export.model.function import model_function
    from keras_vit.export.tflite.convert import write_tflite
    from keras_vit.export.tflite.file_form import FileForm

    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Conv2D(4, 3, activation="relu"),
            keras.layers.Flatten(),
            keras.layers.Dense(10),
        ]
    )
    model.save(folder / "m.keras")
    function, _ = model_function(model, np.zeros((1, 8, 8, 1)), "softmax")
    write_tflite(FileForm(function), folder / "m.tflite")
    (folder / "x.npz").write_bytes(hostile_npz.packed(hostile_npz.arrays()))
    (folder / "x.safetensors").write_bytes(hostile_safetensors.packed())
    (folder / "x.png").write_bytes(hostile_images.saved("PNG"))
    (folder / "recipe.json").write_text('{"recipe": {"data": "digits", "epochs": 3}}')
