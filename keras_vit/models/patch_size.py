"""The same trained model with patches of another size."""

import keras
import numpy as np

from keras_vit.constraints import checked
from keras_vit.errors import InputError
from keras_vit.layers import PatchEmbedding
from keras_vit.layers._options import PixelPair
from keras_vit.layers.patch_extraction import patch_grid
from keras_vit.models.image_size import with_grid
from keras_vit.models.inspection import find_layer
from keras_vit.pairs import as_pair


@checked
def with_patch_size(model: keras.Model, patch_size: PixelPair) -> keras.Model:
    """Returns the same trained Vision Transformer for patches of another size, in images of the same size.

    Larger patches are fewer tokens and less time, smaller ones the opposite. The kernel of the patch
    embedding is resized so that a patch keeps its embedding as well as that is possible: exactly, when larger
    patches show the same pixels, enlarged bilinearly. A learned position embedding is resampled in each call.
    A model that was trained with one patch size loses accuracy.

    Args:
        model: a model made by `keras_vit.models.vit` with the linear stem, trained or loaded.
        patch_size: int or `(height, width)` in pixels, which must divide the images.

    Returns:
        A new `keras.Model` with the same other weights, not compiled. `model` is not changed.

    Raises:
        InputError: `model` has no linear patch embedding, the patch does not divide its images, or the size
            of another weight depends on the number of patches.

    Example:
        >>> from keras_vit.models import vit
        >>> model = vit("Pico/2", image_size=8, num_classes=5)
        >>> with_patch_size(model, 4).get_layer("encoder").input.shape  # with a class token
        (None, 5, 64)

    Reference: Beyer et al. 2023 (FlexiViT), section 3.4, https://arxiv.org/abs/2212.08013
    """
    embedding = find_layer(model, PatchEmbedding)
    if embedding is None or embedding.stem != "linear":
        found = "has none" if embedding is None else f"has the stem {embedding.stem!r}"
        raise InputError(
            f"with_patch_size() needs a model with a linear PatchEmbedding; {model.name!r} {found}. Train "
            "one with stem='linear'."
        )
    patch_size = as_pair(patch_size, "patch_size")
    grid = patch_grid(model.input_shape, patch_size)
    return with_grid(model, model.input_shape, grid, patch_size, _resize(embedding, patch_size))


def _resize(embedding, patch_size):
    """A function from a weight of the old model to its value in the new one."""
    kernel = embedding.projection.kernel

    def resize(weight):
        value = keras.ops.convert_to_numpy(weight)
        return resized_kernel(value, embedding.patch_size, patch_size) if weight is kernel else value

    return resize


def resized_kernel(kernel: np.ndarray, old: tuple[int, int], new: tuple[int, int]) -> np.ndarray:
    """Resizes a patch embedding's kernel `(height * width * channels, hidden_dim)` to another patch.

    Reference: https://arxiv.org/abs/2212.08013, section 3.4 (PI-resize)
    """
    by_row, by_column = (kernel_resizing_matrix(*sizes) for sizes in zip(old, new, strict=True))
    channels = kernel.shape[0] // (old[0] * old[1])
    grid = kernel.reshape(*old, channels, kernel.shape[-1]).astype("float64")
    grid = np.einsum("ih,jw,hwcd->ijcd", by_row, by_column, grid)
    return grid.reshape(-1, kernel.shape[-1]).astype(kernel.dtype)


def kernel_resizing_matrix(old: int, new: int) -> np.ndarray:
    """Returns the `(new, old)` float64 matrix that resizes one axis of a kernel: a pseudo-inverse.

    Of all new kernels, the result comes closest to giving an enlarged (or reduced) patch the embedding that
    the old kernel gives the patch.
    """
    return np.linalg.pinv(bilinear_matrix(old, new).T)


def bilinear_matrix(source: int, target: int) -> np.ndarray:
    """Returns the `(target, source)` float64 matrix that resizes one axis bilinearly, not antialiased."""
    places = np.clip((np.arange(target) + 0.5) * source / target - 0.5, 0, source - 1)
    return np.maximum(1 - np.abs(places[:, None] - np.arange(source)[None]), 0)
