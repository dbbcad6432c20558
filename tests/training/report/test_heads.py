import numpy as np
import pytest

from keras_vit.models import attention_scores, vit
from keras_vit.training.report.attention import head_maps, heads_picture
from keras_vit.training.report.style import drawing, save

IMAGES = np.random.default_rng(0).integers(0, 256, (2, 4, 8, 3)).astype("uint8")


def model_with(**options):
    return vit("Pico/2", num_layers=2, image_size=(4, 8), num_classes=4, **options)


@pytest.mark.parametrize(("pooling", "prefix"), [("token", 3), ("gap", 2)])
def test_a_map_is_what_a_head_attends_to_from_where_the_output_is_read(pooling, prefix):
    model = model_with(pooling=pooling, num_registers=2)
    last = attention_scores(model, IMAGES)[-1]
    maps = head_maps(model, IMAGES)
    rows = last[1, 0, :1] if pooling == "token" else last[1, 0, prefix:]
    np.testing.assert_allclose(maps[1, 0].ravel(), rows[:, prefix:].mean(axis=0), rtol=1e-5)


def test_every_head_has_a_map_next_to_its_image(tmp_path):
    with drawing():
        canvas = heads_picture(model_with(num_heads=8, hidden_dim=32), IMAGES)
        save(canvas, tmp_path / "heads.png")
    titles = [axes.get_title() for axes in canvas.axes if axes.get_title()]
    assert titles.count("image") == 2 and [titles.count(f"head {i}") for i in range(1, 9)] == [2] * 8
