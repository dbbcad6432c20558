"""Small TFLite files, converted in this process."""

import keras
import numpy as np
import pytest
import tensorflow as tf

layers = keras.layers


def converted(function, shape, *, optimizations=(), types=(), flex=False):
    traced = tf.function(function, input_signature=[tf.TensorSpec(shape, tf.float32)])
    converter = tf.lite.TFLiteConverter.from_concrete_functions([traced.get_concrete_function()])
    converter.optimizations = list(optimizations)
    converter.target_spec.supported_types = list(types)
    if flex:
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS, tf.lite.OpsSet.SELECT_TF_OPS]
    return converter.convert()


def weights(*shape):
    return tf.constant(np.random.default_rng(0).normal(size=shape), tf.float32)


def perceptron(x):
    for width in (256, 256, 256):
        x = tf.nn.gelu(x @ weights(x.shape[-1], width) + 0.1)
    return tf.nn.softmax(x)


def cut_in_two(x):
    """The delegate takes no UNPACK."""
    first, *_ = tf.unstack(tf.reshape(x @ weights(64, 64), (-1, 4, 16)), axis=1)
    return tf.nn.relu(first @ weights(16, 5))


@pytest.fixture(scope="session")
def plain():
    return converted(perceptron, (64, 64))


@pytest.fixture(scope="session")
def half():
    return converted(perceptron, (64, 64), optimizations=[tf.lite.Optimize.DEFAULT], types=[tf.float16])


@pytest.fixture(scope="session")
def cut():
    return converted(cut_in_two, (8, 64))


@pytest.fixture(scope="session")
def needs_flex():
    return converted(tf.linalg.inv, (3, 3), flex=True)
