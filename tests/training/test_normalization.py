import keras
import numpy as np
import pytest

from keras_vit import InputError
from keras_vit.models import cnn, mlp
from keras_vit.training.normalization import (
    NORMALIZATIONS,
    channel_statistics,
    normalized_model,
    patch_whitening_kernel,
    whitening_matrix,
)

IMAGES = np.random.default_rng(0).integers(0, 256, (300, 8, 8, 3), dtype="uint8")
IMAGES[..., 1] //= 2  # channels that differ


def normalized(kind):
    """What the first layer with weights gets, read two pixels at a time through a linear model."""

    def build(**scaling):
        return mlp(image_size=8, channels=3, num_classes=2, hidden_dims=(), **scaling)

    model = normalized_model(kind, IMAGES, build)
    inner = model.layers[-1] if isinstance(model.layers[-1], keras.Sequential) else model
    outputs = []
    for column in range(0, 192, 2):
        kernel = np.zeros((192, 2), "float32")
        kernel[column, 0] = kernel[column + 1, 1] = 1
        inner.layers[-1].set_weights([kernel, np.zeros(2, "float32")])
        outputs.append(model.predict_on_batch(IMAGES))
    return np.concatenate(outputs, axis=1).reshape(IMAGES.shape)


def test_standardized_channels_have_mean_0_and_deviation_1_over_the_training_images():
    pixels = normalized("standardize")
    np.testing.assert_allclose(pixels.mean((0, 1, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(pixels.std((0, 1, 2)), 1, atol=1e-5)


def test_min_max_takes_each_image_from_0_to_1():
    pixels = normalized("min_max")
    np.testing.assert_allclose(pixels.min((1, 2, 3)), 0, atol=1e-6)
    np.testing.assert_allclose(pixels.max((1, 2, 3)), 1, atol=1e-6)


def test_statistics_of_parts_are_those_of_the_whole(monkeypatch):
    whole = channel_statistics(IMAGES)
    monkeypatch.setattr("keras_vit.training.normalization.MAX_IMAGES", 70)
    np.testing.assert_allclose(channel_statistics(IMAGES), whole, rtol=1e-12)


def test_whitening_is_computed_of_no_more_images_than_fit_into_memory(monkeypatch):
    monkeypatch.setattr("keras_vit.training.normalization.MAX_IMAGES", 200)

    def build(**scaling):
        return mlp(image_size=8, channels=3, num_classes=2, hidden_dims=(), **scaling)

    models = [normalized_model("zca", images, build) for images in (IMAGES, IMAGES[::2])]
    of_all, of_half = (model.get_layer("whitening").get_weights()[1] for model in models)
    np.testing.assert_array_equal(of_all, of_half)


@pytest.mark.parametrize("kind", ["pca", "zca"])
def test_whitened_pixels_are_uncorrelated(kind, monkeypatch):
    monkeypatch.setattr("keras_vit.training.normalization.EPSILON", 1e-9)
    pixels = np.random.default_rng(1).normal(size=(500, 6)) @ np.random.default_rng(2).normal(size=(6, 6))
    mean, matrix = whitening_matrix(kind, pixels)
    whitened = (pixels - mean) @ matrix
    np.testing.assert_allclose(whitened.T @ whitened / len(pixels), np.eye(6), atol=1e-5)


def test_zca_stays_close_to_the_image_and_pca_puts_the_greatest_variance_first():
    pixels = np.random.default_rng(1).normal(size=(500, 6)) * [1, 2, 3, 4, 5, 6]
    _, zca = whitening_matrix("zca", pixels)
    np.testing.assert_allclose(zca, zca.T, atol=1e-9)
    _, pca = whitening_matrix("pca", pixels)
    assert np.abs(pca[:, 0]).argmax() == 5


@pytest.mark.parametrize("kind", NORMALIZATIONS)
def test_every_normalization_is_part_of_the_model_file(kind, tmp_path):
    def build(**fields):
        return cnn(image_size=8, num_classes=3, hidden_dim=8, **fields)

    model = normalized_model(kind, IMAGES, build)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    expected = model.predict_on_batch(IMAGES[:4])
    np.testing.assert_allclose(loaded.predict_on_batch(IMAGES[:4]), expected, rtol=1e-5, atol=1e-6)
    assert np.ptp(expected, axis=0).max() > 1e-3


def test_whitened_patches_are_uncorrelated_and_their_convolution_stays_fixed(monkeypatch):
    smooth = IMAGES.astype("float32")
    smooth[:, :, 1:] = (smooth[:, :, 1:] + 3 * smooth[:, :, :-1]) / 4  # neighbours that resemble each other
    images = smooth.astype("uint8")

    def build(**fields):
        return cnn(image_size=8, num_classes=3, hidden_dim=8, **fields)

    model = normalized_model("patch_whitening", images, build)
    convolution = model.get_layer("patch_whitening")
    assert convolution.output.shape == (None, 8, 8, 12)
    assert not convolution.trainable_weights and model.trainable_weights
    outputs = keras.Model(model.inputs, convolution.output).predict(images, verbose=0)
    patches = outputs[:, :-1, :-1].reshape(-1, 12).astype("float64")  # beyond the border are zeros
    np.testing.assert_allclose(patches.mean(axis=0), 0, atol=1e-3)
    covariance = np.cov(patches.T)
    variances = covariance.diagonal()
    assert np.abs(covariance - np.diag(variances)).max() < 2e-3
    assert variances.min() > 0.9 and variances.max() < 1.001  # 1 but for the small addend
    kernel, bias = patch_whitening_kernel(images)
    monkeypatch.setattr("keras_vit.training.normalization._MOST_VALUES", 8 * 192 * 70)
    for one, other in zip(patch_whitening_kernel(images), (kernel, bias), strict=True):
        np.testing.assert_allclose(np.abs(one), np.abs(other), rtol=1e-6, atol=1e-9)


def test_images_of_one_row_have_no_patches_to_whiten():
    def build(**fields):
        return mlp(image_size=(1, 8), num_classes=3, hidden_dims=(), **fields)

    with pytest.raises(InputError, match="at least 2 x 2 pixels, received 1 x 8"):
        normalized_model("patch_whitening", IMAGES[:, :1], build)
