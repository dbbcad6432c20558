import keras
import numpy as np
import pytest

from keras_vit.layers import ImageNormalization

IMAGES = np.random.default_rng(0).integers(0, 256, (2, 4, 6, 3)).astype("uint8")


@pytest.mark.parametrize("kind", ["global_contrast", "l1", "l2", "min_max"])
def test_images_of_bytes_are_normalised_to_floats(kind):
    layer = ImageNormalization(kind)
    from_bytes = keras.ops.convert_to_numpy(layer(IMAGES))
    from_floats = keras.ops.convert_to_numpy(layer(IMAGES.astype("float32")))
    assert from_bytes.dtype == "float32"
    np.testing.assert_array_equal(from_bytes, from_floats)


def test_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="global_contrast"):
        ImageNormalization("mean")
