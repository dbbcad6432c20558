import keras
import numpy as np
import pytest

from keras_vit import InputError
from keras_vit.layers import PatchEmbedding
from keras_vit.models import cnn, vit, with_image_size, with_patch_size
from keras_vit.models.patch_size import bilinear_matrix, resized_kernel

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (2, 8, 8, 3)).astype("uint8")


def outputs(model, images=IMAGES):
    return keras.ops.convert_to_numpy(model(images, training=False))


def test_the_matrix_is_bilinear_resizing():
    images = RNG.normal(size=(1, 4, 6, 2)).astype("float32")
    resized = np.einsum("ih,jw,bhwc->bijc", bilinear_matrix(4, 7), bilinear_matrix(6, 3), images)
    expected = keras.ops.image.resize(
        images, (7, 3), "bilinear", antialias=False, data_format="channels_last"
    )
    np.testing.assert_allclose(resized, expected, atol=1e-5)


@pytest.mark.parametrize("new", [(4, 4), (5, 9), (4, 12)])
def test_an_enlarged_patch_has_the_same_embedding(new):
    old = (4, 4)
    kernel = RNG.normal(size=(4 * 4 * 3, 10))
    patches = RNG.normal(size=(6, 4, 4, 3))
    enlarged = np.einsum("ih,jw,bhwc->bijc", bilinear_matrix(4, new[0]), bilinear_matrix(4, new[1]), patches)
    found = enlarged.reshape(6, -1) @ resized_kernel(kernel, old, new)
    np.testing.assert_allclose(found, patches.reshape(6, -1) @ kernel, atol=1e-9)


def test_a_smaller_kernel_is_the_best_for_reduced_patches():
    """Any change of it embeds patches of independent pixels worse, once they are reduced."""
    kernel = RNG.normal(size=(16, 3))
    reduced = np.kron(bilinear_matrix(4, 2), bilinear_matrix(4, 2))  # of a flattened patch

    def error(new):
        return np.sum((reduced.T @ new - kernel) ** 2)

    best = resized_kernel(kernel, (4, 4), (2, 2))
    for _ in range(10):
        assert error(best + 0.01 * RNG.normal(size=best.shape)) > error(best)


def test_a_large_flat_image_has_the_same_embeddings_with_larger_patches():
    """The brightness of a patch of one colour counts the same for each size of the patch."""
    model = vit("Pico/2", image_size=8, num_layers=1, num_classes=3, position_embedding="none")
    flat = np.full((1, 8, 8, 3), 90, "float32")
    embeddings = []
    for size in (2, 4, 8):
        other = with_patch_size(model, size)
        embedding = next(layer for layer in other.layers if isinstance(layer, PatchEmbedding))
        embeddings.append(outputs(keras.Model(other.input, embedding.output), flat)[0, 0])
    np.testing.assert_allclose(embeddings[1:], [embeddings[0]] * 2, atol=1e-5)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"pooling": "map", "num_registers": 1, "image_size": (8, 16)},
        {"position_embedding": "learned_rotary"},
        {"position_embedding": "sincos_2d", "dtype": "mixed_bfloat16"},
        {"token_reduction": "pooling"},
    ],
    ids=str,
)
def test_all_other_weights_stay_and_the_same_size_gives_the_same_logits(options, tmp_path):
    model = vit("Pico/2", **{"image_size": 8, "num_layers": 2, "num_classes": 4, **options})
    images = RNG.integers(0, 256, (2, *model.input_shape[1:])).astype("uint8")
    np.testing.assert_allclose(outputs(with_patch_size(model, 2), images), outputs(model, images), atol=1e-5)
    other = with_patch_size(model, 4)
    assert outputs(other, images).shape == (2, 4)
    assert other.get_layer("encoder").input.shape[1] < model.get_layer("encoder").input.shape[1]
    for ours, theirs in zip(other.weights, model.weights, strict=True):
        if not ours.path.endswith("patch_embedding/projection/kernel"):
            np.testing.assert_array_equal(ours, theirs)
    other.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(outputs(again, images), outputs(other, images))
    assert with_image_size(other, 16).input_shape == (None, 16, 16, 3)


@pytest.mark.parametrize(
    ("model", "patch_size", "message"),
    [
        (vit("Pico/2", num_layers=1), 3, r"must divide the image: received image_size=\(8, 8\)"),
        (vit("Pico/2", num_layers=1, stem="conv"), 4, "has the stem 'conv'. Train one with stem='linear'"),
        (cnn(image_size=8, num_classes=2), 2, "linear PatchEmbedding; 'cnn' has none"),
        (vit("Pico/2", num_layers=1), 0, "patch_size"),
        (vit("Pico/2", num_layers=2, token_reduction="pooling"), 8, "even sides"),
        (vit("Pico/2", num_layers=2, token_reduction="merger"), 4, "more than 8 patches .* received 4"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(model, patch_size, message):
    with pytest.raises(InputError, match=message) as caught:
        with_patch_size(model, patch_size)
    assert "\n" not in str(caught.value)


def test_a_model_that_flattens_its_tokens_is_refused():
    images = keras.Input((8, 8, 3))
    tokens = PatchEmbedding(12, 2)(images)
    model = keras.Model(images, keras.layers.Dense(4, name="head")(keras.layers.Flatten()(tokens)))
    with pytest.raises(InputError, match=r"'head/kernel' .* \(192, 4\), and \(48, 4\) for 2 x 2 patches"):
        with_patch_size(model, 4)
