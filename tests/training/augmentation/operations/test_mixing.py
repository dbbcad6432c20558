import keras
import numpy as np
import pytest
from scipy import stats

from keras_vit.training.augmentation import Augmentation
from keras_vit.training.augmentation.operations.mixing import NUM_UNIFORMS, apply, beta_quantile

SIZE, HEIGHT, WIDTH = 400, 10, 14


def make_mixed(mixup_alpha, cutmix_alpha):
    """Images of one value each, 0 and 100 alternately, so that pixels show their source."""
    own = np.arange(SIZE) % 2
    images = np.tile(own.reshape(-1, 1, 1, 1) * 100.0, (1, HEIGHT, WIDTH, 1)).astype("float32")
    labels = np.eye(2, dtype="float32")[own]
    uniforms = np.random.default_rng(0).random((SIZE, NUM_UNIFORMS), dtype="float32")
    mixed, mixed_labels = apply(
        images, labels, uniforms, Augmentation(mixup_alpha=mixup_alpha, cutmix_alpha=cutmix_alpha)
    )
    mixed, mixed_labels = keras.ops.convert_to_numpy(mixed), keras.ops.convert_to_numpy(mixed_labels)
    kept = np.where(own.reshape(-1, 1, 1), mixed[..., 0], 100 - mixed[..., 0]) / 100
    return kept, mixed_labels[np.arange(SIZE), own]


@pytest.mark.parametrize("alpha", [0.8, 1.0, 3.0])
def test_shares_follow_the_beta_distribution(alpha):
    uniforms = np.random.default_rng(1).random(20_000, dtype="float32")
    shares = keras.ops.convert_to_numpy(beta_quantile(uniforms, alpha))
    np.testing.assert_allclose(stats.beta(alpha, alpha).cdf(shares), uniforms, atol=3e-4)


def test_mixup_mixes_all_pixels_and_the_label_by_one_share():
    kept, label_share = make_mixed(0.8, 0)
    np.testing.assert_allclose(kept, np.tile(label_share.reshape(-1, 1, 1), (1, HEIGHT, WIDTH)), atol=1e-5)
    assert len(np.unique(label_share)) > SIZE * 0.9
    assert stats.kstest(label_share, stats.beta(0.8, 0.8).cdf).pvalue > 1e-3


def test_cutmix_pastes_one_rectangle_and_its_label_counts_by_exact_pixels():
    kept, label_share = make_mixed(0, 1.0)
    pasted = 1 - kept.round()
    np.testing.assert_allclose(kept, 1 - pasted, atol=1e-6)
    rows, columns = pasted.any(axis=2), pasted.any(axis=1)
    np.testing.assert_array_equal(pasted, rows[:, :, None] & columns[:, None, :])
    np.testing.assert_allclose(label_share, kept.mean(axis=(1, 2)), atol=1e-6)
    assert pasted.any(axis=0).all() and 0.4 < label_share.mean() < 0.75


def test_with_both_on_each_image_gets_one_of_them_at_equal_chance():
    kept, label_share = make_mixed(0.8, 1.0)
    np.testing.assert_allclose(label_share, kept.mean(axis=(1, 2)), atol=1e-5)
    is_cutmix = np.isin(kept.round(5), (0, 1)).all(axis=(1, 2))
    assert 0.4 < is_cutmix.mean() < 0.6
    is_mixup = np.ptp(kept, axis=(1, 2)) < 1e-5
    assert (is_cutmix | is_mixup).all()


def test_the_partner_is_the_next_image_of_the_batch():
    images = np.arange(4, dtype="float32").reshape(4, 1, 1, 1)
    uniforms = np.zeros((4, NUM_UNIFORMS), "float32")  # a share of 0 is kept
    mixed, labels = apply(images, np.eye(4, dtype="float32"), uniforms, Augmentation(mixup_alpha=1.0))
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(mixed).ravel(), [1, 2, 3, 0])
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(labels), np.eye(4)[[1, 2, 3, 0]])
