import numpy as np

from keras_vit.models import vit
from keras_vit.training.report.patches import components_picture, principal_components
from keras_vit.training.report.style import drawing, save


def test_the_first_colour_is_the_direction_of_greatest_variance():
    rng = np.random.default_rng(0)
    places = rng.normal(size=(2, 3, 4))
    features = places[..., None] * np.array([3.0, 0.0, 4.0]) + 0.01 * rng.normal(size=(2, 3, 4, 3))
    red = principal_components(features)[..., 0].ravel()
    assert abs(np.corrcoef(red, places.ravel())[0, 1]) > 0.98
    assert red.min() == 0 and red.max() == 1


def test_fewer_dimensions_than_colours_leave_colours_empty():
    assert principal_components(np.random.default_rng(0).normal(size=(5, 2)))[:, 2].max() == 0


def test_each_image_is_next_to_a_map_of_its_own_shape(tmp_path):
    model = vit("Pico/2", num_layers=1, image_size=(4, 8), num_classes=4, num_registers=1)
    images = np.random.default_rng(0).integers(0, 256, (3, 4, 8, 3)).astype("uint8")
    with drawing():
        canvas = components_picture(model, images)
        save(canvas, tmp_path / "components.png")
    maps = [axes.images[0] for axes in canvas.axes[1::2]]
    assert [m.get_array().shape for m in maps] == [(2, 4, 3)] * 3
    assert maps[0].get_extent() == [0, 8, 4, 0]
