"""A subclassed model of numbers, whose files may lose one point of the explained variance.

python examples/export_regression.py out
"""

import sys

import keras
import numpy as np

from keras_vit.export import export_model


class Price(keras.Model):
    def __init__(self):
        super().__init__()
        self.hidden, self.price = keras.layers.Dense(32, "relu"), keras.layers.Dense(1)

    def call(self, x):
        return self.price(self.hidden(x))


x = np.random.default_rng(0).normal(size=(1000, 5)).astype("float32")
y = x[:, :1] + x[:, 1:2] ** 2
model = Price()
model.compile(keras.optimizers.Adam(0.01), "mse")
model.fit(x[200:], y[200:], epochs=10, verbose=0)
options = {
    "task": "regression",
    "labels": y[:200],
    "max_drop": 1,
    "calibration": x[200:],
}
for row in export_model(
    model,
    sys.argv[1],
    inputs=x[:200],
    variants=["dynamic_int8", "full_int8"],
    **options,
):
    print(row["variant"], f"explains {100 * row['score']:.2f} % of the variance")
