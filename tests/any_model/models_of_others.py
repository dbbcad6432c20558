"""Small models as people write them, each with inputs and what an export is given about it."""

import dataclasses
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from keras_vit.layers import PatchEmbedding, PositionEmbedding, TransformerEncoder

layers = keras.layers
ITEMS = 40


@dataclasses.dataclass(frozen=True)
class Case:
    """One model: `build` returns it and the inputs; `options` are those of `export_model`."""

    name: str
    build: Callable
    options: dict[str, Any]
    refusal: str | None = None  # words of the error, where a refusal is right


CASES: dict[str, Case] = {}


def case(name, refusal=None, **options):
    def add(build):
        CASES[name] = Case(name, build, options, refusal)
        return build

    return add


def built(case: Case):
    """Returns a case's model, with weights that differ from zeros and ones, and its inputs."""
    keras.utils.set_random_seed(0)
    model, inputs = case.build()
    rng = np.random.default_rng(0)
    for weight in model.weights:
        if weight.dtype in ("float32", "bfloat16"):
            value = keras.ops.convert_to_numpy(keras.ops.cast(weight, "float32"))
            noise = 0.1 * rng.normal(size=value.shape)
            weight.assign(np.abs(value + noise) + 0.1 if "variance" in weight.path else value + noise)
    set_statistics(model, inputs)
    return model, inputs


def set_statistics(model, inputs):
    """Sets batch normalizations to the inputs' statistics, as training does; else outputs hardly vary."""
    norms = [x for x in model._flatten_layers() if isinstance(x, layers.BatchNormalization)]
    for norm in norms:
        norm.momentum = 0.0
    if norms:
        model(keras.tree.map_structure(keras.ops.convert_to_tensor, inputs), training=True)


def photos(size=(16, 16, 3)):
    return np.random.default_rng(1).integers(0, 256, (ITEMS, *size)).astype("uint8")


def numbers(*shape, seed=1):
    return np.random.default_rng(seed).normal(size=(ITEMS, *shape)).astype("float32")


def ids(length, count=30):
    return np.random.default_rng(1).integers(1, count, (ITEMS, length)).astype("int32")


def convolutions(x):
    x = layers.Conv2D(8, 3, padding="same")(layers.Rescaling(1 / 255)(x))
    return layers.ReLU()(layers.BatchNormalization()(x))


def features(x):
    return layers.GlobalAveragePooling2D()(convolutions(x))


CLASSES = np.arange(ITEMS) % 3


@case("logits of a functional model", task="classification", labels=CLASSES)
def logits():
    x = keras.Input((16, 16, 3))
    return keras.Model(x, layers.Dense(3)(features(x))), photos()


def stack():
    return [layers.Rescaling(1 / 255), layers.Conv2D(8, 3), layers.Flatten(), layers.Dense(3)]


@case("Sequential with Input", task="classification", activation="softmax", labels=CLASSES)
def sequential():
    return keras.Sequential([keras.Input((16, 16, 3)), *stack()]), photos()


@case("Sequential without Input", task="classification", labels=np.eye(3)[CLASSES])
def sequential_without_input():
    model = keras.Sequential(stack())
    model(np.zeros((2, 16, 16, 3)))
    return model, photos()


@case("convolutions, then our TransformerEncoder", task="classification", labels=CLASSES)
def hybrid():
    x = keras.Input((16, 16, 3))
    y = PositionEmbedding(grid_size=4)(PatchEmbedding(16, patch_size=4)(convolutions(x)))
    y = TransformerEncoder(num_layers=2, num_heads=2, mlp_dim=32)(y)
    return keras.Model(x, layers.Dense(3)(layers.GlobalAveragePooling1D()(y))), photos()


def mobile_net(**options):
    return keras.applications.MobileNetV2(
        (32, 32, 3), alpha=0.35, weights=None, classes=5, **options
    ), photos((32, 32, 3)).astype("float32") / 127.5 - 1


@case("keras.applications, logits", task="classification")
def application_logits():
    return mobile_net(classifier_activation=None)


@case("keras.applications, its softmax", task="classification")
def application():
    return mobile_net()


@case("softmax, then a cast to float32", task="classification", labels=CLASSES)
def softmax_and_cast():
    x = keras.Input((16, 16, 3))
    y = layers.Softmax()(layers.Dense(3)(features(x)))
    return keras.Model(x, layers.Activation("linear", dtype="float32")(y)), photos()


@case("augmentation inside")
def augmentation():
    x = keras.Input((16, 16, 3))
    y = layers.RandomZoom(0.1)(layers.RandomRotation(0.1)(layers.RandomFlip()(x)))
    return keras.Model(x, layers.Dense(3)(features(y))), photos()


@keras.saving.register_keras_serializable(package="models_of_others")
class Attention(layers.Layer):
    """A custom layer with layers of Keras inside."""

    def __init__(self, units, **options):
        super().__init__(**options)
        self.units = units
        self.query, self.key = layers.Dense(units), layers.Dense(units)
        self.norm = layers.LayerNormalization()

    def build(self, shape):
        for layer in (self.query, self.key, self.norm):
            layer.build(shape)
        self.scale = self.add_weight(shape=(), initializer="ones", name="scale")

    def call(self, x):
        x = self.norm(x)
        scores = keras.ops.matmul(self.query(x), keras.ops.transpose(self.key(x), (0, 2, 1)))
        return self.scale * keras.ops.matmul(keras.ops.softmax(scores), x)

    def compute_output_shape(self, shape):
        return shape

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@case("a custom layer")
def custom_layer():
    x = keras.Input((7, 12))
    return keras.Model(x, layers.Dense(4)(Attention(6)(x))), numbers(7, 12)


@case("nested models", task="classification", labels=CLASSES)
def nested():
    x = keras.Input((16, 16, 3))
    inner = keras.Model(x, features(x), name="backbone")
    x = keras.Input((16, 16, 3))
    head = keras.Sequential([layers.BatchNormalization(), layers.Dense(3)], name="head")
    return keras.Model(x, head(inner(x, training=False))), photos()


@case("mixed bfloat16", task="classification", labels=CLASSES)
def mixed_precision():
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        return logits()
    finally:
        keras.config.set_dtype_policy(policy)


@case("a masked sequence")
def masked():
    x = keras.Input((6,), dtype="int32")
    y = layers.Embedding(30, 8, mask_zero=True)(x)
    y = layers.GlobalAveragePooling1D()(layers.Dense(8, activation="relu")(y))
    tokens = ids(6)
    tokens[::2, 4:] = 0
    return keras.Model(x, layers.Dense(3)(y)), tokens


@case("sigmoid of several labels", task="labels", labels=np.random.default_rng(2).integers(0, 2, (ITEMS, 3)))
def several_labels():
    x = keras.Input((16, 16, 3))
    return keras.Model(x, layers.Dense(3, activation="sigmoid")(features(x))), photos()


@case("one label, one sigmoid", task="labels", labels=CLASSES % 2)
def one_label():
    x = keras.Input((16, 16, 3))
    return keras.Model(x, layers.Dense(1, activation="sigmoid")(features(x))), photos()


@case("one sigmoid", task="classification", labels=CLASSES % 2)
def one_sigmoid():
    x = keras.Input((5,))
    return keras.Model(x, layers.Dense(1, activation="sigmoid")(layers.Dense(8, "tanh")(x))), numbers(5)


@case("regression, one number", task="regression", labels=numbers(seed=3))
def one_number():
    x = keras.Input((5,))
    return keras.Model(x, layers.Dense(1)(layers.Dense(8, "relu")(x))), numbers(5)


@case("regression, three numbers", task="regression", labels=numbers(3, seed=3))
def three_numbers():
    x = keras.Input((16, 16, 3))
    return keras.Model(x, layers.Dense(3, bias_initializer="ones")(features(x))), photos()


@case("an embedding", task="embedding", labels=CLASSES)
def embedding():
    x = keras.Input((16, 16, 3))
    return keras.Model(x, layers.UnitNormalization()(layers.Dense(16)(features(x)))), photos()


@case("two outputs", task={"kind": "classification"}, labels={"kind": CLASSES})
def two_outputs():
    x = keras.Input((16, 16, 3))
    y = features(x)
    return keras.Model(x, [layers.Dense(3, name="kind")(y), layers.Dense(1, name="age")(y)]), photos()


@case("a map of classes", task="map")
def map_of_classes():
    x = keras.Input((16, 16, 3))
    y = convolutions(x)
    z = layers.MaxPooling2D()(y)
    z = layers.Conv2DTranspose(8, 3, strides=2, padding="same", activation="relu")(z)
    y = layers.Concatenate()([layers.UpSampling2D(2, interpolation="bilinear")(layers.MaxPooling2D()(y)), z])
    return keras.Model(x, layers.Conv2D(4, 1, activation="softmax")(y)), photos()


@case("a time series, LSTM", task="regression", labels=numbers(seed=3))
def time_series():
    x = keras.Input((12, 3))
    return keras.Model(x, layers.Dense(1)(layers.LSTM(8)(x))), numbers(12, 3)


@case("two inputs")
def two_inputs():
    image, table = keras.Input((16, 16, 3), name="image"), keras.Input((4,), name="table")
    y = layers.Concatenate()([features(image), layers.Dense(4, "relu")(table)])
    return keras.Model([image, table], layers.Dense(2)(y)), {"image": photos(), "table": numbers(4)}


class Subclass(keras.Model):
    """A model whose call is its own code, without a configuration."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm = layers.Conv2D(8, 3), layers.BatchNormalization()
        self.pool, self.dense = layers.GlobalAveragePooling2D(), layers.Dense(3)

    def call(self, images, training=False):
        x = keras.ops.relu(self.norm(self.conv(images / 255), training=training))
        return self.dense(self.pool(x))


@case("a subclass", task="classification", labels=CLASSES)
def subclass():
    model = Subclass()
    inputs = photos().astype("float32")
    model(inputs[:1])
    return model, inputs


class OfBytes(keras.Model):
    """A subclass that is given images as bytes."""

    def __init__(self):
        super().__init__()
        self.scale, self.conv = layers.Rescaling(1 / 255), layers.Conv2D(4, 3, activation="relu")
        self.pool, self.dense = layers.GlobalMaxPooling2D(), layers.Dense(3)

    def call(self, images):
        return self.dense(self.pool(self.conv(self.scale(images))))


@case("a subclass of grey images", task="classification", labels=CLASSES)
def subclass_of_grey():
    model, inputs = OfBytes(), photos((16, 16, 1))
    model(inputs[:1])
    return model, inputs


@case("open height and width", task="classification", labels=CLASSES)
def open_size():
    x = keras.Input((None, None, 3))
    return keras.Model(x, layers.Dense(3)(features(x))), photos((20, 24, 3))


# Others than the reported ones.


@case("separable and depthwise convolutions, GroupNormalization")
def separable():
    x = keras.Input((16, 16, 3))
    y = layers.SeparableConv2D(8, 3, activation="swish")(layers.Rescaling(1 / 255)(x))
    y = layers.GroupNormalization(4)(layers.DepthwiseConv2D(3)(y))
    return keras.Model(x, layers.Dense(3)(layers.GlobalMaxPooling2D()(y))), photos()


@case("two bidirectional recurrent layers", task="sequence")
def bidirectional():
    x = keras.Input((10, 3))
    y = layers.Bidirectional(layers.GRU(6, return_sequences=True))(x)
    y = layers.Bidirectional(layers.LSTM(6, return_sequences=True))(y)
    return keras.Model(x, layers.Dense(4)(y)), numbers(10, 3)


@case("text ids, Conv1D", task="classification", labels=CLASSES)
def text():
    x = keras.Input((12,), dtype="int32", name="tokens")
    y = layers.Conv1D(8, 3, activation="relu")(layers.Embedding(30, 8)(x))
    return keras.Model(x, layers.Dense(3, activation="softmax")(layers.GlobalMaxPooling1D()(y))), ids(12)


@case("Keras's MultiHeadAttention")
def multi_head_attention():
    x = keras.Input((7, 12))
    y = layers.LayerNormalization()(x + layers.MultiHeadAttention(2, 6)(x, x))
    return keras.Model(x, layers.Dense(4)(layers.GlobalAveragePooling1D()(y))), numbers(7, 12)


@case("one encoder for two inputs", task="regression", labels=numbers(seed=3))
def siamese():
    encoder = keras.Sequential([layers.Dense(8, "relu"), layers.Dense(4)], name="encoder")
    left, right = keras.Input((5,), name="left"), keras.Input((5,), name="right")
    y = layers.Dot(axes=1, normalize=True)([encoder(left), encoder(right)])
    return keras.Model([left, right], y), [numbers(5), numbers(5, seed=2)]


@case("dicts in and out")
def dicts():
    inputs = {"price": keras.Input((2,), name="price"), "age": keras.Input((1,), name="age")}
    y = layers.Concatenate()(list(inputs.values()))
    outputs = {"risk": layers.Dense(1, "sigmoid")(y), "score": layers.Dense(2)(y)}
    return keras.Model(inputs, outputs), {"price": numbers(2), "age": numbers(1)}


class Inner(keras.Model):
    def __init__(self):
        super().__init__()
        self.attend, self.dense = Attention(6), layers.Dense(5, "gelu")

    def call(self, x):
        return self.dense(self.attend(x))


class Outer(keras.Model):
    """A subclass of subclasses that takes and returns dicts."""

    def __init__(self):
        super().__init__()
        self.inner = Inner()
        self.heads = {"a": layers.Dense(2), "b": layers.Dense(3)}

    def call(self, inputs):
        x = keras.ops.concatenate([self.inner(inputs["left"]), self.inner(inputs["right"])], axis=1)
        return {name: head(x) for name, head in self.heads.items()}


@case("subclasses within a subclass")
def nested_subclasses():
    model = Outer()
    inputs = {"left": numbers(4, 6), "right": numbers(3, 6)}
    model({name: value[:1] for name, value in inputs.items()})
    return model, inputs


@case("a subclass in mixed bfloat16")
def mixed_subclass():
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        return nested_subclasses()
    finally:
        keras.config.set_dtype_policy(policy)


@case("low-rank additions (LoRA)")
def low_rank():
    model, inputs = logits()
    model.layers[-1].enable_lora(2)
    return model, inputs


@case("after model.quantize(int8)")
def quantized():
    x = keras.Input((6,))
    y = layers.Dense(3)(layers.Dense(16, "relu")(x))
    model = keras.Model(x, y)
    model.quantize("int8")
    return model, numbers(6)


@case("after model.quantize(int4)")
def quantized_to_int4():
    x = keras.Input((6,))
    model = keras.Model(x, layers.Dense(3)(layers.Dense(16, "relu")(x)))
    model.quantize("int4")
    return model, numbers(6)


@case("unit vectors, one of them of zeros")
def unit_vectors():
    x = keras.Input((5,))
    inputs = numbers(5)
    inputs[3] = 0
    return keras.Model(x, layers.UnitNormalization()(layers.ReLU()(x))), inputs


@case("best classes as integers")
def integers():
    x = keras.Input((5,))
    y = layers.Dense(4)(x)
    best = keras.ops.argmax(y, axis=-1), keras.ops.argmin(y, axis=-1, keepdims=True)
    return keras.Model(x, [*best, y]), numbers(5)


@case("float64 in each layer")
def double_precision():
    x = keras.Input((5,), dtype="float64")
    y = layers.Dense(8, activation="relu", dtype="float64")(x)
    return keras.Model(x, layers.Dense(3, dtype="float64")(y)), numbers(5).astype("float64")


@case("TimeDistributed, and residuals by arithmetic")
def time_distributed():
    x = keras.Input((4, 8, 8, 1))
    y = layers.TimeDistributed(layers.Conv2D(4, 3, activation="relu"))(x)
    y = layers.TimeDistributed(layers.Flatten())(y)
    y = layers.Dense(8)(y)
    return keras.Model(x, layers.Dense(2)(y * keras.ops.sigmoid(y) + 1)), numbers(4, 8, 8, 1)


@case("Conv3D and pooling", refusal="no operator for MaxPool3D")
def volumes():
    x = keras.Input((6, 8, 8, 2))
    y = layers.MaxPooling3D()(layers.Conv3D(4, 3, padding="same")(x))
    return keras.Model(x, layers.Dense(2)(layers.GlobalAveragePooling3D()(y))), numbers(6, 8, 8, 2)


@case("Conv3D")
def three_dimensions():
    x = keras.Input((6, 8, 8, 2))
    y = layers.Conv3D(4, 3, padding="same", activation="relu")(x)
    return keras.Model(x, layers.Dense(2)(layers.GlobalAveragePooling3D()(y))), numbers(6, 8, 8, 2)


@case("an autoencoder", task="regression")
def autoencoder():
    x = keras.Input((8, 8, 1))
    y = layers.Dense(64, "sigmoid")(layers.Dense(8, "relu")(layers.Flatten()(x)))
    return keras.Model(x, layers.Reshape((8, 8, 1))(y)), numbers(8, 8, 1)


@case("a Lambda")
def lambdas():
    x = keras.Input((5,))
    return keras.Model(x, layers.Dense(2)(layers.Lambda(lambda x: x * x + 1)(x))), numbers(5)


@case("images divided outside of the model", task="classification", labels=CLASSES)
def divided_outside():
    x = keras.Input((16, 16, 3))
    y = layers.GlobalAveragePooling2D()(layers.Conv2D(8, 3, activation="relu")(x))
    return keras.Model(x, layers.Dense(3, activation="softmax")(y)), photos().astype("float32") / 255


@case("a stateful LSTM", refusal="stateful=True")
def stateful():
    x = keras.Input((12, 3), batch_size=1)
    return keras.Model(x, layers.LSTM(4, stateful=True)(x)), numbers(12, 3)


@case("dropout built with training=True, which predict turns off")
def dropout_in_training():
    x = keras.Input((5,))
    return keras.Model(x, layers.Dropout(0.5)(layers.Dense(4)(x), training=True)), numbers(5)


class Noise(layers.Layer):
    def call(self, x):
        return x + keras.random.normal(keras.ops.shape(x))


@case("noise at inference", refusal="answers the same items differently")
def noise():
    x = keras.Input((5,))
    return keras.Model(x, Noise()(layers.Dense(4)(x))), numbers(5)


@case("strings", refusal="strings")
def strings():
    x = keras.Input((1,), dtype="string")
    y = layers.TextVectorization(vocabulary=["a", "b"], output_sequence_length=4)(x)
    return keras.Model(x, layers.Dense(2)(layers.Embedding(9, 3)(y))), np.array([["a b"]] * ITEMS)
