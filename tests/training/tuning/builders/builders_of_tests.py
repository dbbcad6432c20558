"""Builders that tests search, in processes of their own too."""

import os

import keras
import keras_tuner
import numpy as np

X = np.random.default_rng(0).normal(size=(90, 4)).astype("float32")
Y = (X[:, :1] * X[:, 1:2] > 0).astype("float32")


def train():
    return X[:60], Y[:60]


def validation():
    return X[60:], Y[60:]


def dense(units, rate=0.1):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(units, activation="relu")])
    model.add(keras.layers.Dropout(rate))
    model.add(keras.layers.Dense(1, activation="sigmoid"))
    return model


def build(hp):
    model = dense(hp.Choice("units", [4, 8, 16]))
    rate = hp.Float("learning_rate", 1e-3, 1e-1, sampling="log")
    model.compile(keras.optimizers.Adam(rate), "binary_crossentropy", metrics=[keras.metrics.AUC(name="auc")])
    return model


def build_dynamic(hp):
    model = keras.Sequential([keras.Input((4,))])
    for number in range(hp.Int("layers", 1, 3)):
        model.add(keras.layers.Dense(hp.Int(f"units_{number}", 2, 9)))
    model.add(keras.layers.Dense(1))
    model.compile("adam", "mse")
    return model


def build_conditional(hp):
    kind = hp.Choice("kind", ["dense", "deep"])
    with hp.conditional_scope("kind", ["dense"]):
        units = hp.Int("units", 2, 8) if kind == "dense" else 2
    with hp.conditional_scope("kind", ["deep"]):
        depth = hp.Int("depth", 2, 4) if kind == "deep" else 1
    model = keras.Sequential([keras.Input((4,)), *(keras.layers.Dense(units or 2) for _ in range(depth))])
    model.add(keras.layers.Dense(1 + 0 * hp.get("kind").count("x")))
    model.compile("sgd", "mse")
    return model


class Scores(keras.metrics.Metric):
    """A number of each class."""

    def update_state(self, labels, outputs, sample_weight=None):
        pass

    def result(self):
        return keras.ops.zeros(3)


def build_with_scores(hp):
    model = dense(hp.Int("units", 1, 2))
    model.compile("adam", "mse", metrics=[Scores(name="scores")])
    return model


class WithOwnFit(keras_tuner.HyperModel):
    def build(self, hp):
        return build(hp)

    def fit(self, hp, model, *args, **kwargs):
        return model.fit(*args, batch_size=hp.Choice("batch_size", [10, 30]), **kwargs)


class WithOwnScore(WithOwnFit):
    def fit(self, hp, model, x, y, validation_data, **kwargs):
        model.fit(x, y, epochs=1, verbose=0)
        return {"val_own": float(model.evaluate(*validation_data, verbose=0)[0])}


def raises(hp):
    return {}[hp.Int("units", 1, 2)]


def returns_nothing(hp):
    dense(hp.Int("units", 1, 2))


def not_compiled(hp):
    return dense(hp.Int("units", 1, 2))


def without_hyperparameters(hp):
    model = dense(4)
    model.compile("adam", "mse")
    return model


NUMBER = 3


def three_columns():
    return np.zeros((8, 3), "float32"), np.zeros((8, 1), "float32")


def uneven():
    return np.zeros((8, 4), "float32"), np.zeros((7, 1), "float32")


def data_that_raise():
    raise OSError("no such disk")


def unbatched():
    import tensorflow as tf

    return tf.data.Dataset.from_tensor_slices((X, Y))


def endless():
    return unbatched().batch(10).repeat()


class NoBatches(keras.utils.PyDataset):
    def __len__(self):
        return 0


def no_batches():
    return unbatched().batch(10).take(0)


def build_and_exit(hp):
    hp.Int("units", 1, 2)
    os._exit(7)
