import keras
import numpy as np
import pytest

from keras_vit import InputError
from keras_vit.export.images.checks import check_calibration

MODEL = keras.Sequential([keras.Input((4, 4, 3)), keras.layers.Flatten(), keras.layers.Dense(3)])


def images(count, size=(4, 4, 3), dtype="uint8"):
    return np.zeros((count, *size), dtype)


@pytest.mark.parametrize("variant", ["mixed_int8", "full_int8", "int16x8", "auto"])
def test_a_variant_with_fixed_ranges_needs_calibration_images(variant):
    with pytest.raises(InputError, match=f"calibration images for {variant}, received none"):
        check_calibration(MODEL, ("fp32", variant), None)
    with pytest.raises(InputError, match=f"at least 32 .* for {variant}, received 31"):
        check_calibration(MODEL, ("fp32", variant), images(31))
    check_calibration(MODEL, ("fp32", variant), images(32))


@pytest.mark.parametrize("given", [None, images(1)])
def test_the_other_variants_need_none(given):
    check_calibration(MODEL, ("savedmodel", "fp32", "fp16", "dynamic_int8", "int4"), given)


@pytest.mark.parametrize("given", [images(40, (4, 5, 3)), images(40, dtype="float32")])
def test_calibration_images_of_another_kind_are_refused(given):
    with pytest.raises(InputError, match="uint8 calibration images"):
        check_calibration(MODEL, ("fp32",), given)
