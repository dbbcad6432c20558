"""Rematerialization, open lengths and initial weights of the encoder."""

import os
import subprocess
import sys
from importlib.util import find_spec

import keras
import numpy as np
import pytest

from keras_vit import layers

X = np.random.default_rng(0).normal(size=(2, 6, 12)).astype("float32")
RANDOM = {"dropout_rate": 0.3, "attention_dropout_rate": 0.3, "drop_path_rate": 0.3, "seed": 1}


def numpy(x):
    return keras.ops.convert_to_numpy(x)


def trained_weights(steps=2, run_eagerly=False, freeze=False, **options):
    keras.utils.set_random_seed(0)
    x = keras.Input((6, 12))
    encoder = layers.TransformerEncoder(2, 3, 20, final_norm=False, **options)
    encoder.blocks[0].mlp.trainable = not freeze
    model = keras.Model(x, encoder(x))
    model.compile(keras.optimizers.SGD(0.1), "mse", run_eagerly=run_eagerly)
    for _ in range(steps):
        model.train_on_batch(X, np.zeros_like(X))
    return model.get_weights()


@pytest.mark.parametrize(
    "options",
    [RANDOM, {**RANDOM, "run_eagerly": True}, {**RANDOM, "freeze": True, "dtype": "mixed_bfloat16"}],
    ids=["graph", "eager", "frozen"],
)
def test_rematerialized_blocks_with_dropout_train_to_the_same_weights(options):
    plain, rematerialized = (trained_weights(remat=remat, **options) for remat in (False, True))
    atol = 1e-3 if "dtype" in options else 1e-6  # bfloat16 rounds gradients to 8 bits
    for expected, weight in zip(plain, rematerialized, strict=True):
        np.testing.assert_allclose(weight, expected, atol=atol)


def test_rematerialization_leaves_frozen_weights_as_they_are():
    options = {"remat": True, "freeze": True, "dtype": "mixed_bfloat16"}
    before, after = (trained_weights(steps, **options) for steps in (0, 1))
    same = [np.array_equal(*pair) for pair in zip(before, after, strict=True)]
    assert sum(same) == 4  # the two kernels and biases of the frozen MLP
    assert len(same) > 4


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="this process starts the others")
@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_rematerialized_blocks_train_to_the_same_weights_on_other_backends(backend):
    if find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            __file__,
            "-k",
            "graph",
            "-p",
            "no:cacheprovider",
        ],
        env={**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=True,
    )


def step_in_scope(layer_class, *arguments, mode, **options):
    with keras.RematScope(mode=mode, layer_names=["layer"]):
        layer = layer_class(*arguments, name="layer", **options)
        model = keras.Sequential([keras.Input((6, 12)), layer])
        model.compile(keras.optimizers.SGD(0.1), "mse", jit_compile=False)
        model.train_on_batch(X, np.zeros((2, *model.output_shape[1:]), "float32"))
    return model.get_weights()


@pytest.mark.parametrize("activation", ["gelu", "swiglu", keras.activations.relu])
def test_a_scope_for_activations_trains_an_encoder(activation):
    weights = step_in_scope(layers.TransformerEncoder, 2, 3, 20, mode="activations", activation=activation)
    assert all(np.isfinite(weight).all() for weight in weights)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="JAX and torch have other limits")
@pytest.mark.parametrize("mode", ["full", "list_of_layers"])
@pytest.mark.parametrize(
    ("layer", "arguments"), [(keras.layers.Dropout, (0.1,)), (layers.TransformerEncoder, (2, 3, 20))]
)
def test_other_scopes_fail_on_tensorflow_with_dropout_of_keras_as_with_an_encoder(layer, arguments, mode):
    with pytest.raises(ValueError, match="keywords? argument"):
        step_in_scope(layer, *arguments, mode=mode)


@pytest.mark.parametrize("kind", ["learned", "sincos_1d"])
def test_sequences_of_open_length_pass_positions_and_encoder_and_are_saved(kind, tmp_path):
    x = keras.Input((None, 12))
    y = layers.PositionEmbedding((1, 9), kind=kind)(x)
    model = keras.Model(x, layers.TransformerEncoder(1, 3, 20, causal=True)(y))
    assert model.output_shape == (None, None, 12)
    long, short = numpy(model(X)), numpy(model(X[:, :4]))
    np.testing.assert_allclose(short, long[:, :4], atol=1e-5)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(numpy(loaded(X)), long)
    assert loaded.predict(X, verbose=0).shape == (2, 6, 12)
    with pytest.raises(ValueError, match=r"at most 9 tokens .* received 12"):
        model(np.concatenate([X, X], axis=1))


@pytest.mark.parametrize("seed", [None, 5])
def test_an_initializer_object_starts_no_two_kernels_alike(seed):
    initializer = keras.initializers.TruncatedNormal(stddev=0.02, seed=seed)
    encoder = layers.TransformerEncoder(2, 3, 12, kernel_initializer=initializer)
    encoder(X)
    kernels = [w for w in encoder.get_weights() if w.shape == (12, 12)]
    assert len(kernels) == 6  # attention's projection and the MLP's two layers, in each block
    for index, kernel in enumerate(kernels):
        assert not any(np.array_equal(kernel, other) for other in kernels[:index])


def test_a_seed_of_an_initializer_decides_the_kernels_also_after_cloning():
    initializer = keras.initializers.TruncatedNormal(seed=5)
    encoder = layers.TransformerEncoder(1, 3, 12, kernel_initializer=initializer)
    other = layers.TransformerEncoder.from_config(encoder.get_config())
    encoder(X), other(X)
    for ours, theirs in zip(encoder.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
