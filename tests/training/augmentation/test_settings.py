import pytest

from keras_vit import InputError
from keras_vit.training.augmentation import Augmentation


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("flip", 1),
        ("flip", "always"),
        ("crop_padding", -1),
        ("crop_padding", 1.5),
        ("crop_padding", True),
        ("randaugment_layers", -1),
        ("randaugment_magnitude", 10.5),
        ("randaugment_magnitude", float("nan")),
        ("mixup_alpha", -0.1),
        ("mixup_alpha", float("inf")),
        ("cutmix_alpha", "1"),
        ("erasing_rate", 1.1),
        ("zoom", 1.0),
        ("zoom", -0.1),
        ("brightness", 1.5),
        ("contrast", "0.4"),
        ("saturation", -1),
        ("hue", 0.6),
        ("trivial_augment", 1),
    ],
)
def test_a_value_out_of_range_is_refused_by_name(field, value):
    with pytest.raises(InputError, match=f"Expected {field} (to be|from)"):
        Augmentation(**{field: value})


def test_a_fill_of_a_crop_needs_a_crop():
    with pytest.raises(InputError, match="crop_padding=0 has no crop_fill"):
        Augmentation(crop_fill="reflect")
