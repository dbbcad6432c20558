"""The contract of every image model next to the Vision Transformer, and arguments to build each.

As a program it writes the models' logits and the masks of their random layers under the current backend:
`model_contract.py OUT.npz`.
"""

import sys

import keras
import numpy as np

from keras_vit.io.model_archive import load_model
from keras_vit.keras_internals import all_layers, initialize, set_weight, uninitialized_weights
from keras_vit.layers import DropPath
from keras_vit.models import char_rnn, char_transformer, cnn, levit, linear, mlp, repvit, resnet, vit
from keras_vit.models.levit import SIZES as LEVITS
from keras_vit.models.levit import LeViTSize
from keras_vit.models.repvit import SIZES as REPVITS
from keras_vit.models.repvit import RepViTSize
from keras_vit.models.resnet import SIZES, ResNetSize

MEAN, STD = (0.49, 0.48, 0.45), (0.25, 0.24, 0.26)

# The forms of "18" and "50", narrow and short, so that they are quick to build.
SIZES["narrow 18"] = ResNetSize("basic", (1, 2), 8, "7x7", "projection", 32)
SIZES["narrow 50"] = ResNetSize("bottleneck", (2, 1), 8, "7x7", "projection", 32)
SIZES["narrow 20"] = ResNetSize("basic", (1, 1, 2), 8, "3x3", "padding", 32)

LEVITS["narrow"] = LeViTSize(((4, 1), (8, 2), (16, 2)), (16, 24), 4, (2, 3), (1, 2), "hard_swish", 16)
REPVITS["narrow"] = RepViTSize((8, 16), (1, 2), (1, 2), 16)

# name: (builder, arguments); all get image_size, num_classes and seed
CASES = {
    "cnn": (cnn, {"hidden_dim": 24}),
    "cnn_batch_norm": (cnn, {"hidden_dim": 24, "batch_norm": True, "image_size": (16, 12)}),
    "cnn_5x5": (cnn, {"variant": "5x5", "hidden_dim": 24, "pixel_mean": MEAN, "pixel_std": STD}),
    "cnn_5x5_grey": (cnn, {"variant": "5x5", "hidden_dim": 24, "channels": 1, "activation": "tanh"}),
    "linear": (linear, {"channels": 3}),
    "mlp": (mlp, {"hidden_dims": (30, 20), "dropout_rate": 0.1}),
    "mlp_tanh": (mlp, {"hidden_dims": 30, "activation": "tanh", "image_size": (16, 12)}),
    "resnet_20": (resnet, {"variant": "narrow 20", "dropout_rate": 0.1}),
    "resnet_18": (resnet, {"variant": "narrow 18", "channels": 1, "image_size": (32, 48)}),
    "resnet_50": (resnet, {"variant": "narrow 50", "image_size": 32}),
    "levit": (levit, {"variant": "narrow", "image_size": (16, 28)}),
    "repvit": (repvit, {"variant": "narrow", "dropout_rate": 0.1, "channels": 1}),
}

# All kinds of layers; JAX compiles half a minute for these alone.
ON_EVERY_BACKEND = ("cnn_batch_norm", "mlp_tanh", "resnet_20", "resnet_50", "levit")

TEXT = {"vocabulary_size": 11, "num_layers": 2, "dropout_rate": 0.5, "seed": 3}
# name: (builder, arguments that turn on all that is random, number of random layers)
RANDOM = {
    "vit": (
        vit,
        {
            "variant": "Pico/2",
            "num_layers": 3,
            "pooling": "map",
            "dropout_rate": 0.5,
            "attention_dropout_rate": 0.5,
            "drop_path_rate": 0.6,
            "seed": 3,
        },
        12,  # after the embedding, three in each block, and drop path in the second and third
    ),
    "char_transformer": (
        char_transformer,
        {**TEXT, "length": 8, "hidden_dim": 16, "num_heads": 2, "attention_dropout_rate": 0.5},
        7,
    ),
    "char_rnn": (char_rnn, {**TEXT, "cell": "lstm", "hidden_dim": 8, "embedding_dim": 4}, 3),
    "cnn": (cnn, {"hidden_dim": 24, "conv_dropout_rate": 0.5, "dropout_rate": 0.5, "seed": 3}, 3),
    "resnet": (resnet, {"variant": "narrow 20", "dropout_rate": 0.5, "seed": 3}, 1),
    "mlp": (mlp, {"hidden_dims": (30, 20), "dropout_rate": 0.5, "seed": 3}, 2),
    "levit": (levit, {"variant": "narrow", "dropout_rate": 0.5, "drop_path_rate": 0.5, "seed": 3}, 8),
    "repvit": (repvit, {"variant": "narrow", "dropout_rate": 0.5, "seed": 3}, 1),
}


# Constants that a softmax over the keys, or a batch normalization after the residual sum, removes again.
UNSEEN = ("key_norm/beta", "projection_norm/beta", "_projection/beta")


def build(case, **changes):
    make, arguments = case
    return make(**{"image_size": 16, "num_classes": 5, "seed": 3, **arguments, **changes})


def trained(case, **changes):
    """The model of a case, all its weights drawn with NumPy: alike on all backends, none as at first."""
    with uninitialized_weights():
        model = build(case, **changes)
    rng = np.random.default_rng(0)
    for weight in model.weights:
        name, shape = weight.path.split("/")[-1], tuple(weight.shape)
        scale = np.sqrt(2 / np.prod(shape[:-1])) if name == "kernel" else 0.1
        set_weight(weight, scale * rng.normal(size=shape) + (name in ("gamma", "moving_variance")))
    initialize(model)  # the states of random generators
    return model


def images_for(model):
    return np.random.default_rng(1).integers(0, 256, (4, *model.input_shape[1:])).astype("uint8")


def logits(model, images=None):
    images = images_for(model) if images is None else images
    return keras.ops.convert_to_numpy(model(images, training=False))


def check_logits(case):
    model = build(case)
    assert logits(model).shape == (4, 5)
    assert model.outputs[0].dtype == "float32"
    assert model.layers[-1].name == "head"
    images = images_for(model)
    np.testing.assert_array_equal(logits(model, images), logits(model, images.astype("float32")))


def kernels_of(model):
    return [keras.ops.convert_to_numpy(w) for w in model.weights if w.path.endswith("kernel")]


def check_seed(case):
    first, again, other = build(case), build(case), build(case, seed=4)
    for a, b in zip(first.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    kernels, others = kernels_of(first), kernels_of(other)
    for a, b in zip(kernels, others, strict=True):
        assert (a != b).mean() > 0.99  # float32 may draw a number twice
    starts = [kernel.ravel()[0] / np.abs(kernel).max() for kernel in kernels]
    assert len(set(starts)) == len(starts)


def check_saving(case, folder):
    model = trained(case)
    expected = logits(model)
    model.save(folder / "model.keras")
    loaded = load_model(folder / "model.keras")
    assert type(loaded) is type(model)
    np.testing.assert_array_equal(logits(loaded), expected)
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    np.testing.assert_array_equal(logits(clone), expected)


def check_bfloat16(case):
    model, reference = trained(case, dtype="mixed_bfloat16"), trained(case)
    assert {layer.compute_dtype for layer in model.layers[1:-1]} == {"bfloat16"}
    assert model.outputs[0].dtype == "float32"
    assert all(weight.dtype == "float32" for weight in model.weights)
    # bfloat16 has 8 bits of mantissa: relative steps of 2**-8, and a rounding or two in each layer.
    expected = logits(reference)
    roundings = 2 * np.sqrt(len(all_layers(model)))
    assert np.abs(logits(model) - expected).max() / np.abs(expected).max() < roundings * 2**-8


def check_training(case):
    """One step of plain gradient descent moves every weight and every moving statistic, to finite values.

    Not of first weights, where a scale of zero hides what is before it.
    """
    model = trained(case)
    before = [weight.copy() for weight in model.get_weights()]
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.1), loss)
    model.train_on_batch(images_for(model), np.arange(4) % 5)
    for weight, old in zip(model.weights, before, strict=True):
        new = keras.ops.convert_to_numpy(weight)
        assert np.isfinite(new).all(), weight.path
        if not weight.path.endswith(UNSEEN):
            assert (new != old).any(), weight.path


def outputs():
    models = {name: trained(CASES[name]) for name in ON_EVERY_BACKEND}
    return {name: model.predict_on_batch(images_for(model)) for name, model in models.items()}


def masks():
    """What each random layer keeps of ones, `(steps, ...)` for its first two steps, by model and path."""
    ones = keras.ops.ones((64, 6, 12))
    found = {}
    for name, (make, arguments, _) in RANDOM.items():
        with uninitialized_weights():
            model = make(**arguments)
        for index, layer in enumerate(all_layers(model)):
            if isinstance(layer, keras.layers.Dropout | DropPath) and layer.rate:
                initialize(layer)
                kept = [keras.ops.convert_to_numpy(layer(ones, training=True)) > 0 for _ in range(2)]
                found[f"{name}/{index}/{layer.path}"] = np.stack(kept)
    return found


if __name__ == "__main__":
    np.savez(sys.argv[1], **{f"logits {k}": v for k, v in outputs().items()}, **masks())
