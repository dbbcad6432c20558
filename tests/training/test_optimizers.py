import keras
import numpy as np
import pytest

from keras_vit.models import levit, vit
from keras_vit.training.muon import ConvolutionMuon
from keras_vit.training.optimizers import OPTIMIZERS, build_optimizer, learning_rate_schedule, not_decayed
from keras_vit.training.recipe import ImageRecipe


def test_the_rate_warms_up_linearly_and_ends_at_the_final_rate():
    recipe = ImageRecipe(learning_rate=1e-2, final_learning_rate=1e-4, warmup_fraction=0.1)
    rate = learning_rate_schedule(recipe, 100)
    values = [float(rate(step)) for step in range(101)]
    np.testing.assert_allclose(values[:11], np.linspace(0, 1e-2, 11), rtol=1e-5)
    np.testing.assert_allclose(values[55], (1e-2 + 1e-4) / 2, rtol=1e-4)
    np.testing.assert_allclose(values[100], 1e-4, rtol=1e-4)


def test_without_warm_up_the_first_step_has_the_peak_rate():
    rate = learning_rate_schedule(ImageRecipe(learning_rate=1e-2, warmup_fraction=0.0), 10)
    assert float(rate(0)) == pytest.approx(1e-2)


@pytest.mark.parametrize(
    ("schedule", "after_half", "at_the_end"),
    [
        ("cosine", (1e-2 + 1e-4) / 2, 1e-4),
        ("linear", (1e-2 + 1e-4) / 2, 1e-4),
        ("polynomial", 1e-4 + (1e-2 - 1e-4) / 4, 1e-4),
        ("exponential", 1e-3, 1e-4),
        ("step", 1e-3, 1e-4),
        ("constant", 1e-2, 1e-2),
    ],
)
def test_every_schedule_goes_from_the_peak_to_its_end_after_the_warm_up(schedule, after_half, at_the_end):
    final = {} if schedule in ("step", "constant") else {"final_learning_rate": 1e-4}
    recipe = ImageRecipe(schedule=schedule, learning_rate=1e-2, warmup_fraction=1 / 11, **final)
    rate = learning_rate_schedule(recipe, 1100)
    assert float(rate(50)) == pytest.approx(5e-3)
    assert float(rate(100)) == pytest.approx(1e-2)
    assert float(rate(601)) == pytest.approx(after_half, rel=0.01)
    assert float(rate(1100)) == pytest.approx(at_the_end, rel=0.01)


def test_weight_decay_touches_kernels_alone():
    model = vit("Pico/2", num_layers=1, num_registers=1, layer_scale=0.1, pooling="map", class_token=True)
    spared = {w.path for w in not_decayed(model)}
    decayed = {w.path for w in model.trainable_variables} - spared
    assert {path.split("/")[-1] for path in decayed} == {"kernel"}
    assert {path.split("/")[-1] for path in spared} == {
        "bias", "gamma", "beta", "token", "tokens", "embedding", "probe",
    }  # fmt: skip


@pytest.mark.parametrize("name", sorted(OPTIMIZERS))
def test_a_step_without_gradient_shrinks_kernels_and_nothing_else(name):
    model = vit("Pico/2", num_layers=1, num_classes=3)
    recipe = ImageRecipe(optimizer=name, learning_rate=0.1, weight_decay=0.5, warmup_fraction=0.0)
    before = {w.path: keras.ops.convert_to_numpy(w).copy() for w in model.trainable_variables}
    optimizer = build_optimizer(recipe, model, 10)
    zeros = [keras.ops.zeros_like(w) for w in model.trainable_variables]
    optimizer.apply(zeros, model.trainable_variables)
    for weight in model.trainable_variables:
        shrunk = 0.95 if weight.path.endswith("kernel") else 1.0
        expected = shrunk * before[weight.path]
        np.testing.assert_allclose(keras.ops.convert_to_numpy(weight), expected, rtol=1e-5, atol=1e-7)


def weights_of_muon(model, name="muon"):
    optimizer = build_optimizer(ImageRecipe(optimizer=name), model, 10)
    return {w.path for w in model.trainable_variables if not optimizer._should_use_adamw(w)}


def test_muon_takes_no_learned_queries():
    fields = {"num_layers": 2, "num_classes": 3, "pooling": "map", "token_reduction": "merger"}
    by_muon = weights_of_muon(vit("Pico/2", **fields))
    assert len(by_muon) == 2 * 4 + 5 and all(path.endswith("kernel") for path in by_muon)


def test_muon_takes_the_blocks_kernels_and_not_the_heads():
    by_muon = weights_of_muon(vit("Pico/2", num_layers=1, num_classes=3))
    assert by_muon == {
        f"encoder/block_0/{part}/kernel"
        for part in ("attention/qkv", "attention/projection", "mlp/expansion", "mlp/projection")
    }


def test_muon_of_convolutions_takes_their_kernels_too():
    model = levit("Pico", num_classes=3)
    by_muon = weights_of_muon(model, "convolution_muon")
    convolutions = {w.path for w in model.trainable_variables if len(w.shape) == 4}
    assert len(convolutions) > 2 and by_muon == convolutions | weights_of_muon(model)
    assert not any(path.endswith("attention_bias") for path in by_muon)
    depthwise = keras.Sequential([keras.Input((8, 8, 4)), keras.layers.DepthwiseConv2D(3)])
    assert not weights_of_muon(depthwise, "convolution_muon")


@pytest.mark.parametrize("nesterov", [True, False])
def test_the_update_of_a_convolution_is_that_of_its_matrix(nesterov):
    rng = np.random.default_rng(0)
    kernel = keras.Variable(rng.normal(size=(3, 3, 4, 6)).astype("float32"), name="kernel")
    matrix = keras.Variable(keras.ops.reshape(kernel, (36, 6)), name="kernel")
    options = {"learning_rate": 0.1, "nesterov": nesterov}
    of_kernel, of_matrix = ConvolutionMuon(**options), keras.optimizers.Muon(**options)
    for _ in range(3):
        gradient = rng.normal(size=kernel.shape).astype("float32")
        of_kernel.apply([keras.ops.array(gradient)], [kernel])
        of_matrix.apply([keras.ops.array(gradient.reshape(36, 6))], [matrix])
    found = keras.ops.convert_to_numpy(kernel).reshape(36, 6)
    np.testing.assert_allclose(found, keras.ops.convert_to_numpy(matrix), rtol=1e-5, atol=1e-6)


def test_gradients_are_clipped_by_value_where_a_recipe_says_so():
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(2, use_bias=False)])
    recipe = ImageRecipe(
        optimizer="sgd",
        learning_rate=1.0,
        warmup_fraction=0.0,
        weight_decay=0.0,
        clip_norm=None,
        clip_value=5.0,
    )
    before = model.get_weights()[0]
    build_optimizer(recipe, model, 10).apply([keras.ops.array([[-70.0, 3.0]])], model.trainable_variables)
    np.testing.assert_allclose(model.get_weights()[0] - before, [[5.0, -3.0]], rtol=1e-5)
