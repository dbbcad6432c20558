"""Trains a small Vision Transformer with the outliers that large trained ones have, to quantize it.

    python benchmarks/outlier_model.py --data-dir TFDS --out outliers.keras

A model that is trained for minutes has no outliers, and quantization harms it little. Here they are put into
the initial weights, and Fashion-MNIST is then learned around them. What is put in, after Sun et al. 2024
(https://arxiv.org/abs/2402.17762) and SmoothQuant (https://arxiv.org/abs/2211.10438):

- two channels of the residual stream that are ten and more times the others, for all tokens; the gains of
  layer normalizations are small for them and larger for the others,
- one token (a register) on which one hidden neuron of the second block writes some hundred into one channel,
- values, and hidden neurons of MLPs: a few of them are several times the others.

The last line is the accuracy on the test images. Some 15 minutes on one core.
"""

import argparse
from pathlib import Path

import keras
import numpy as np

SIZES = {"image_size": 28, "patch_size": 4, "hidden_dim": 96, "num_layers": 6, "num_heads": 3, "mlp_dim": 384}
STEADY = {3: 10.0, 40: -7.0}  # channel of the residual stream: its addend for all tokens
MARK, SINK = 17, 60  # channels: what only the register has, and where the massive value is written
LOUD = 8.0  # factor of some values and neurons


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-dir", help="where tensorflow-datasets keeps its data")
    parser.add_argument("--out", type=Path, required=True, help="the .keras file to write")
    parser.add_argument("--epochs", type=int, default=2)
    options = parser.parse_args()
    keras.utils.set_random_seed(0)
    (images, labels), test = fashion_mnist(options.data_dir, "train"), fashion_mnist(options.data_dir, "test")
    model = outlier_vit()
    steps = options.epochs * -(-len(images) // 64)
    rate = keras.optimizers.schedules.CosineDecay(0.0, steps, warmup_target=1.5e-3, warmup_steps=steps // 10)
    model.compile(
        keras.optimizers.AdamW(rate, weight_decay=0.02, global_clipnorm=1.0),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    model.fit(images, labels, batch_size=64, epochs=options.epochs, validation_data=test, verbose=2)
    model.save(options.out)


def fashion_mnist(data_dir, split):
    """Returns uint8 images `(n, 28, 28, 1)` and their classes."""
    import tensorflow_datasets as tfds

    data = tfds.load("fashion_mnist", split=split, data_dir=data_dir, download=False, batch_size=-1)
    return data["image"].numpy(), data["label"].numpy()


def outlier_vit(num_classes=10, channels=1, sizes=None):
    """Returns an untrained model with outliers in its weights."""
    from keras_vit.models import vit

    model = vit(
        num_classes=num_classes, channels=channels, num_registers=1, layer_scale=0.3, **(sizes or SIZES)
    )
    rng = np.random.default_rng(0)
    for channel, addend in STEADY.items():
        for table in (model.get_layer("position_embedding").embedding, model.get_layer("registers").tokens):
            change(table, np.s_[..., channel], lambda x, addend=addend: x + addend)
    change(model.get_layer("registers").tokens, np.s_[..., MARK], lambda x: x + 20)
    for block in model.get_layer("encoder").blocks:
        for norm in (block.attention_norm, block.mlp_norm):
            change(norm.gamma, np.s_[:], lambda x: 4 * x)
            change(norm.gamma, np.s_[[*STEADY, SINK]], lambda x: 0.05 * x)
        hidden_dim = block.attention.projection.kernel.shape[0]
        loud = rng.choice(hidden_dim, 3, replace=False)
        change(block.attention.qkv.kernel, np.s_[:, 2 * hidden_dim + loud], lambda x: LOUD * x)
        change(block.attention.projection.kernel, np.s_[loud], lambda x: x / LOUD)
        loud = rng.choice(block.mlp.expansion.kernel.shape[1], 4, replace=False)
        change(block.mlp.expansion.kernel, np.s_[:, loud], lambda x: LOUD * x)
        change(block.mlp.projection.kernel, np.s_[loud], lambda x: x / LOUD)
    write_massive_value(model.get_layer("encoder").blocks[1])
    return model


def write_massive_value(block, neuron=0):
    """Makes one hidden neuron large on the token that has `MARK`, and write to the channel `SINK`."""
    change(block.mlp.expansion.kernel, np.s_[:, neuron], lambda x: 0 * x)
    change(block.mlp.expansion.kernel, np.s_[MARK, neuron], lambda x: x + 4)
    change(block.mlp.expansion.bias, np.s_[neuron], lambda x: x - 6)
    change(block.mlp.projection.kernel, np.s_[neuron], lambda x: 0 * x)
    change(block.mlp.projection.kernel, np.s_[neuron, SINK], lambda x: x + 5)
    change(block.mlp_scale.gamma, np.s_[SINK], lambda x: 0 * x + 1)


def change(weight, index, function):
    value = np.array(weight)
    value[index] = function(value[index])
    weight.assign(value)


if __name__ == "__main__":
    main()
