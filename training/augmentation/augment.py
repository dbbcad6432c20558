"""The whole augmentation as one pure function of images, labels and random numbers."""

from keras import ops

from keras_vit.errors import InputError
from keras_vit.training.augmentation import color, erasing, geometry, mixing, randaugment


def num_uniforms(augmentation):
    """Returns how many random numbers one image takes.

    Args:
        augmentation: Augmentation.

    Example:
        >>> from keras_vit.training.augmentation import Augmentation
        >>> num_uniforms(Augmentation(flip=True))
        1
    """
    return sum(count for count, _ in _stages(augmentation))


def augment(images, labels, uniforms, augmentation):
    """Augments a batch, each image on its own.

    It is made of `keras.ops` with static shapes and holds no state, so it runs alike in a tf.data map
    and under `jax.jit`, and gives the same pixels for the same `uniforms`.

    The order is: RandAugment's colours, then its geometry in one resampling with flip, padded crop and
    rotation, random erasing, MixUp and CutMix.

    Args:
        images: `(batch, height, width, channels)`, uint8 or float in [0, 255]. RandAugment takes them
            as whole numbers.
        labels: `(batch, num_classes)`, one-hot float.
        uniforms: float32 `(batch, num_uniforms(augmentation))` in [0, 1), the only randomness.
        augmentation: Augmentation.

    Returns:
        float32 images of the same shape in [0, 255], and float32 labels of the same shape.

    Raises:
        InputError: the padding of the crop is as large as the image.
    """
    check_fits(augmentation, images.shape[1:])
    images, uniforms = ops.convert_to_tensor(images), ops.convert_to_tensor(uniforms)
    labels = ops.convert_to_tensor(labels, dtype="float32")
    first = 0
    for count, stage in _stages(augmentation):
        images, labels = stage(images, labels, uniforms[:, first : first + count], augmentation)
        first += count
    return ops.cast(images, "float32"), labels


def check_fits(augmentation, image_shape):
    """Raises InputError when the padding of the crop is as large as the images."""
    height, width = image_shape[:2]
    if augmentation.crop_padding >= min(height, width):
        raise InputError(
            f"Expected crop_padding below the size of the images, {height} x {width}, "
            f"received {augmentation.crop_padding}."
        )


def _stages(augmentation):
    stages = []
    if augmentation.randaugment_layers:
        count = randaugment.UNIFORMS_PER_LAYER * augmentation.randaugment_layers
        stages.append((count + geometry.num_uniforms(augmentation), _randaugment))
    elif geometry.num_uniforms(augmentation):
        stages.append((geometry.num_uniforms(augmentation), _change_geometry))
    if augmentation.erasing_rate:
        stages.append((erasing.NUM_UNIFORMS, _erase))
    if augmentation.mixup_alpha or augmentation.cutmix_alpha:
        stages.append((mixing.NUM_UNIFORMS, _mix))
    return stages


def _randaugment(images, labels, uniforms, augmentation):
    count = geometry.num_uniforms(augmentation)
    draws = randaugment.draw(uniforms[:, count:], augmentation)
    images = color.change_colors(images, draws)
    return geometry.warp(images, uniforms[:, :count], draws, augmentation), labels


def _change_geometry(images, labels, uniforms, augmentation):
    if augmentation.rotation:
        return geometry.warp(ops.cast(images, "float32"), uniforms, [], augmentation), labels
    return geometry.flip_and_crop(images, uniforms, augmentation), labels


def _erase(images, labels, uniforms, augmentation):
    return erasing.erase(images, uniforms, augmentation.erasing_rate), labels


def _mix(images, labels, uniforms, augmentation):
    return mixing.mix(images, labels, uniforms, augmentation.mixup_alpha, augmentation.cutmix_alpha)
