import functools
import importlib.util
import os
import subprocess
import sys

import keras
import numpy as np
import pytest

from keras_vit import InputError
from keras_vit.training.augmentation import Augmentation, augment, flip_column, num_uniforms

EVERYTHING = Augmentation(
    flip=True,
    crop_padding=3,
    randaugment_layers=2,
    mixup_alpha=0.8,
    cutmix_alpha=1.0,
    erasing_rate=0.5,
)
EACH_ALONE = [
    Augmentation(flip=True),
    Augmentation(crop_padding=3),
    Augmentation(randaugment_layers=1),
    Augmentation(mixup_alpha=0.8),
    Augmentation(cutmix_alpha=1.0),
    Augmentation(erasing_rate=1.0),
]
OTHERS = [  # also what changes the colours of RGB images
    Augmentation(zoom=0.4),
    Augmentation(brightness=0.5, contrast=0.5),
    Augmentation(brightness=0.4, contrast=0.4, saturation=0.6, hue=0.3, zoom=0.2, rotation=9.0),
    Augmentation(trivial_augment=True),
    Augmentation(crop_padding=3, crop_fill="reflect"),
    Augmentation(flip=True, crop_padding=2, crop_fill="reflect", rotation=9.0, randaugment_layers=1),
]
ALL_OTHERS = Augmentation(
    flip=True, crop_padding=2, zoom=0.3, rotation=9.0, brightness=0.4, contrast=0.4, saturation=0.6, hue=0.3,
    trivial_augment=True, randaugment_layers=1,
)  # fmt: skip
OTHER_BACKENDS = [name for name in ("tensorflow", "jax", "torch") if name != keras.backend.backend()]


def make_batch(size=32, shape=(16, 12, 3), seed=0):
    generator = np.random.default_rng(seed)
    coarse = generator.integers(0, 256, (size, shape[0] // 4, shape[1] // 4, shape[2]))
    images = coarse.repeat(4, axis=1).repeat(4, axis=2) * 0.8 + generator.integers(0, 50, (size, *shape))
    return images.astype("uint8"), np.eye(5, dtype="float32")[generator.integers(0, 5, size)]


def make_uniforms(augmentation, size=32, seed=1):
    return np.random.default_rng(seed).random((size, num_uniforms(augmentation)), dtype="float32")


def apply(images, labels, uniforms, augmentation):
    images, labels = augment(images, labels, uniforms, augmentation)
    return keras.ops.convert_to_numpy(images), keras.ops.convert_to_numpy(labels)


def test_the_default_changes_nothing_and_takes_no_random_numbers():
    images, labels = make_batch()
    assert num_uniforms(Augmentation()) == 0
    changed, changed_labels = apply(images, labels, make_uniforms(Augmentation()), Augmentation())
    assert changed.dtype == np.float32
    np.testing.assert_array_equal(changed, images)
    np.testing.assert_array_equal(changed_labels, labels)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("augmentation", [*EACH_ALONE, EVERYTHING, OTHERS[0], OTHERS[1], OTHERS[3]], ids=str)
def test_shapes_the_pixel_range_and_the_sum_of_labels_are_kept(augmentation, channels):
    images, labels = make_batch(shape=(16, 12, channels))
    changed, changed_labels = apply(images, labels, make_uniforms(augmentation), augmentation)
    assert changed.shape == images.shape and changed.dtype == np.float32
    assert changed.min() >= 0 and changed.max() <= 255
    assert np.abs(changed - images).max() > 1
    np.testing.assert_allclose(changed_labels.sum(axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("augmentation", [*EACH_ALONE, *OTHERS], ids=str)
def test_equal_images_of_one_batch_are_changed_differently(augmentation):
    images, labels = make_batch()
    if not (augmentation.mixup_alpha or augmentation.cutmix_alpha):  # of equal images these make the same
        images = images[:1].repeat(32, axis=0)
    changed, _ = apply(images, labels, make_uniforms(augmentation), augmentation)
    assert len({image.tobytes() for image in changed}) > (1 if augmentation.flip else 8)


@pytest.mark.parametrize("augmentation", EACH_ALONE[:3] + EACH_ALONE[5:] + OTHERS, ids=str)
def test_an_image_depends_on_its_own_random_numbers_only(augmentation):
    images, labels = make_batch()
    uniforms = make_uniforms(augmentation)
    before, _ = apply(images, labels, uniforms, augmentation)
    uniforms[1:] = make_uniforms(augmentation, seed=2)[1:]
    after, _ = apply(images, labels, uniforms, augmentation)
    np.testing.assert_array_equal(before[0], after[0])
    assert np.abs(before[1:] - after[1:]).max() > 1


def test_float_images_give_the_result_of_uint8():
    images, labels = make_batch()
    uniforms = make_uniforms(EVERYTHING)
    from_uint8, _ = apply(images, labels, uniforms, EVERYTHING)
    from_float, _ = apply(images.astype("float32"), labels, uniforms, EVERYTHING)
    np.testing.assert_array_equal(from_uint8, from_float)


@pytest.mark.parametrize("flip", [False, True])
def test_a_reflected_crop_is_a_part_of_the_image_mirrored_at_its_border(flip):
    augmentation = Augmentation(flip=flip, crop_padding=3, crop_fill="reflect")
    images, labels = make_batch()
    uniforms = make_uniforms(augmentation)
    changed, _ = apply(images, labels, uniforms, augmentation)
    right, down = (np.floor(column * 7).astype(int) for column in uniforms.T[-2:])
    for image, new, x, y, drawn in zip(images, changed, right, down, uniforms[:, 0], strict=True):
        padded = np.pad(image, ((3, 3), (3, 3), (0, 0)), mode="reflect")
        part = padded[y : y + 16, x : x + 12]
        np.testing.assert_array_equal(new, part[:, ::-1] if flip and drawn >= 0.5 else part)


def test_a_reflected_crop_comes_after_all_other_geometry():
    fields = {"flip": True, "crop_padding": 3, "rotation": 20.0, "zoom": 0.2, "trivial_augment": True}
    augmentation = Augmentation(**fields, crop_fill="reflect")
    others = Augmentation(rotation=20.0, zoom=0.2, trivial_augment=True)
    copied = Augmentation(flip=True, crop_padding=3, crop_fill="reflect")
    images, labels = make_batch()
    uniforms = make_uniforms(augmentation)
    changed, _ = apply(images, labels, uniforms, augmentation)
    warped, _ = apply(images, labels, uniforms[:, 3:], others)
    np.testing.assert_array_equal(changed, apply(warped, labels, uniforms[:, :3], copied)[0])


def test_the_column_of_the_flip_is_the_one_that_flips():
    augmentation = Augmentation(flip=True, brightness=0.01, mixup_alpha=1e-5)
    images, labels = make_batch(size=1)
    uniforms = np.full((1, num_uniforms(augmentation)), 0.5 - 1e-6, "float32")
    plain, _ = apply(images, labels, uniforms, augmentation)
    uniforms[:, flip_column(augmentation)] = 0.75
    np.testing.assert_array_equal(apply(images, labels, uniforms, augmentation)[0], plain[:, :, ::-1])
    assert flip_column(Augmentation(crop_padding=2)) is None


def test_padding_as_large_as_the_image_is_refused():
    augmentation = Augmentation(crop_padding=12)
    images, labels = make_batch()
    with pytest.raises(InputError, match="crop_padding below"):
        augment(images, labels, make_uniforms(augmentation), augmentation)


@pytest.mark.parametrize("augmentation", [*EACH_ALONE, EVERYTHING, *OTHERS, ALL_OTHERS], ids=str)
def test_a_last_smaller_batch_is_augmented_like_the_first_rows_of_a_whole_one(augmentation):
    if keras.backend.backend() != "tensorflow":
        pytest.skip("batches of unknown size exist under TensorFlow alone")
    import tensorflow as tf

    images, labels = make_batch(size=10)
    uniforms = make_uniforms(augmentation, size=10)
    batches = tf.data.Dataset.from_tensor_slices((images, labels, uniforms)).batch(4)
    function = functools.partial(augment, augmentation=augmentation)
    augmented = [[array.numpy() for array in batch] for batch in batches.map(lambda *batch: function(*batch))]
    assert [len(batch[0]) for batch in augmented] == [4, 4, 2]
    expected = apply(images[8:], labels[8:], uniforms[8:], augmentation)
    for array, value in zip(augmented[2], expected, strict=True):
        np.testing.assert_allclose(array, value, atol=0.02)


@pytest.mark.parametrize("rows", [10, 1])
def test_random_numbers_for_another_batch_size_are_refused(rows):
    images, labels = make_batch(size=3)
    with pytest.raises(
        InputError, match=rf"uniforms of shape \(3, 19\) for 3 images, received \({rows}, 19\)"
    ):
        augment(images, labels, make_uniforms(EVERYTHING, size=rows), EVERYTHING)
    with pytest.raises(InputError, match="labels for 3 images"):
        augment(images, labels[:2], make_uniforms(EVERYTHING, size=3), EVERYTHING)
    with pytest.raises(InputError, match=r"one-hot labels for 3 images, received an array of \(3,\)"):
        augment(images, labels.argmax(axis=1), make_uniforms(EVERYTHING, size=3), EVERYTHING)
    with pytest.raises(InputError, match=r"uniforms of shape .*, received \(3,\)"):
        augment(images, labels, make_uniforms(EVERYTHING, size=3)[:, 0], EVERYTHING)
    with pytest.raises(InputError, match="augmentation to be Augmentation, received None"):
        augment(images, labels, make_uniforms(EVERYTHING, size=3), None)


@pytest.mark.parametrize(
    "backend",
    [OTHER_BACKENDS[0], *(pytest.param(name, marks=pytest.mark.slow) for name in OTHER_BACKENDS[1:])],
)
def test_another_backend_gives_the_same_images_and_labels(backend, tmp_path):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    images, labels = make_batch(size=128)
    uniforms = make_uniforms(EVERYTHING, size=128)
    others = make_uniforms(ALL_OTHERS, size=128)
    np.savez(tmp_path / "in.npz", images=images, labels=labels, uniforms=uniforms, others=others)
    subprocess.run(
        [sys.executable, "-c", OTHER_PROCESS, str(tmp_path)],
        env={**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=True,
        timeout=300,
    )
    expected, expected_labels = apply(images, labels, uniforms, EVERYTHING)
    expected_others, _ = apply(images, labels, others, ALL_OTHERS)
    with np.load(tmp_path / "out.npz") as other:
        # A pixel whose value before a table is within rounding of a whole number may get its neighbour.
        assert (np.abs(other["others"] - expected_others) > 0.05).mean() < 1e-3
        np.testing.assert_allclose(other["images"], expected, atol=0.02)
        np.testing.assert_allclose(other["labels"], expected_labels, atol=1e-6)


OTHER_PROCESS = f"""
import os
import sys
if os.environ["KERAS_BACKEND"] != "tensorflow":
    sys.modules["tensorflow"] = None  # so that an import of it fails
import keras
import numpy as np
from keras_vit.training.augmentation import Augmentation, augment
arrays = np.load(sys.argv[1] + "/in.npz")
def run(uniforms, augmentation):
    function = lambda images, labels, uniforms: augment(images, labels, uniforms, augmentation)
    if keras.backend.backend() == "jax":
        import jax
        function = jax.jit(function)
    return function(arrays["images"], arrays["labels"], arrays[uniforms])
images, labels = run("uniforms", {EVERYTHING})
others, _ = run("others", {ALL_OTHERS})
found = dict(images=images, labels=labels, others=others)
np.savez(sys.argv[1] + "/out.npz", **{{name: np.asarray(array) for name, array in found.items()}})
"""
