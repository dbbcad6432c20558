"""A search over your own `build(hp)`, as with KerasTuner, with limits on the file for the phone.

    keras-vit tune examples/own_search.py --objective val_accuracy --max-size-mb 0.1 --run-dir runs/own

The same in Python:

    python examples/own_search.py runs/own
"""

import sys

import keras
from sklearn.datasets import load_digits

from keras_vit.training import search

x, y = load_digits(return_X_y=True)
train, validation = (x[:1300], y[:1300]), (x[1300:], y[1300:])


def build(hp):
    model = keras.Sequential([keras.Input((64,)), keras.layers.Rescaling(1 / 16)])
    for layer in range(hp.Int("layers", 1, 3)):
        units = hp.Choice(f"units_{layer}", [16, 32, 64])
        model.add(keras.layers.Dense(units, activation="relu"))
    model.add(keras.layers.Dense(10))
    optimizer = keras.optimizers.Adam(hp.Float("rate", 1e-4, 1e-2, sampling="log"))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, loss, metrics=["accuracy"])
    return model


if __name__ == "__main__":
    options = {
        "objective": "val_accuracy",
        "max_size_mb": 0.1,
        "trials": 3,
        "epochs": 3,
    }
    result = search(build, sys.argv[1], train=train, validation=validation, **options)
    print(result.winner.fields, result.winner.score, result.model_file)
