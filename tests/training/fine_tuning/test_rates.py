import keras
import numpy as np
import pytest

from keras_vit.training.fine_tuning.rates import depth_from_head, with_rates_by_depth


@pytest.mark.parametrize(
    ("path", "above"),
    [
        ("head/kernel", 0),
        ("encoder/norm/gamma", 0),
        ("encoder/block_11/mlp/expansion/kernel", 1),
        ("encoder/block_0/attention/qkv/lora_kernel_a", 12),
        ("encoder/reduction_4/queries", 8),  # as block 4, which follows it
        ("patch_embedding/projection/kernel", 13),
        ("class_token/token", 13),
        ("position_embedding/embedding", 13),
    ],
)
def test_the_depth_of_a_weight_counts_the_blocks_between_it_and_the_head(path, above):
    assert depth_from_head(path, 12) == above


class Weight(keras.layers.Layer):
    def build(self, input_shape):
        self.kernel = self.add_weight(shape=(2, 3), initializer="ones", name="kernel")


def step_of(optimizer, name):
    layer = Weight(name=name)
    layer.build(None)
    gradient = keras.ops.convert_to_tensor(np.arange(6, dtype="float32").reshape(2, 3) + 1)
    before = np.array(layer.kernel)
    optimizer.apply([gradient], [layer.kernel])
    return np.array(layer.kernel) - before


@pytest.mark.parametrize("kind", [keras.optimizers.SGD, keras.optimizers.AdamW, keras.optimizers.Muon])
def test_update_and_decay_are_those_of_the_optimizer_times_the_factor(kind):
    options = {"learning_rate": 0.1, "weight_decay": 0.3}
    plain = step_of(kind(**options), "block_1")
    slow = step_of(with_rates_by_depth(kind, 3, 0.5)(**options), "block_1")
    np.testing.assert_allclose(slow, plain / 4, rtol=1e-4, atol=1e-6)


def test_a_weight_is_frozen_until_its_epoch_and_changes_then():
    optimizer = with_rates_by_depth(keras.optimizers.SGD, 3, 1.0, unfreeze_every=1)(0.1, weight_decay=0.3)
    layer = Weight(name="block_2")
    layer.build(None)
    for moves in (False, True):
        before = np.array(layer.kernel)
        optimizer.apply([keras.ops.ones((2, 3))], [layer.kernel])
        assert (np.array(layer.kernel) != before).all() == moves
