import numpy as np
import pytest

from keras_vit.models import attention_scores, vit
from keras_vit.models.rollout import attention_rollout
from keras_vit.training.report.attention import rollout_maps, rollout_picture
from keras_vit.training.report.style import drawing, save

IMAGES = np.random.default_rng(0).integers(0, 256, (3, 4, 8, 3)).astype("uint8")


def model_with(**options):
    return vit("Pico/2", num_layers=2, image_size=(4, 8), num_classes=4, **options)


@pytest.mark.parametrize(
    ("options", "prefix", "start"),
    [
        ({"pooling": "token", "num_registers": 2}, 3, "token"),
        ({"pooling": "gap", "num_registers": 2}, 2, "mean"),
        ({"pooling": "gap", "class_token": True}, 1, "mean"),
        ({"pooling": "map"}, 0, "mean"),
    ],
)
def test_maps_start_from_what_the_model_pools(options, prefix, start):
    model = model_with(**options)
    maps = rollout_maps(model, IMAGES)
    expected = attention_rollout(attention_scores(model, IMAGES), prefix, start).reshape(3, 2, 4)
    expected /= expected.max(axis=(1, 2), keepdims=True)
    np.testing.assert_allclose(maps, expected, rtol=1e-4)


def test_each_image_is_next_to_its_map(tmp_path):
    with drawing():
        canvas = rollout_picture(model_with(), IMAGES, [("a", "a"), ("b", "c"), ("c", "c")])
        save(canvas, tmp_path / "picture.png")
    *pairs, bar = canvas.axes
    assert [axes.get_title() for axes in pairs] == [
        "true: a",
        "predicted: a",
        "true: b",
        "predicted: c",
        "true: c",
        "predicted: c",
    ]
    image, heat = pairs[1].images
    assert heat.get_array().shape == (2, 4)
    assert heat.get_extent() == image.get_extent()  # the map covers the image exactly
    assert pairs[1].get_xlim() == pairs[0].get_xlim() and pairs[1].get_ylim() == pairs[0].get_ylim()
