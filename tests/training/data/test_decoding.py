"""Images of 16 bits and with transparency: training, prediction and files see what a recipe states."""

import numpy as np
import pytest
from deep_files import deep_png
from PIL import Image

from keras_vit.errors import InputError
from keras_vit.io.images import read_image
from keras_vit.io.preprocessing import Preprocessing
from keras_vit.training import ImageRecipe, train
from keras_vit.training.data.decoding import color_of, window_of
from keras_vit.training.run import load_run
from keras_vit.training.tasks import task_of


@pytest.fixture
def scans(tmp_path):
    """16-bit images whose values end at 4,095; what is to be learned is in the upper half of these."""
    generator = np.random.default_rng(0)
    for number in range(40):
        values = generator.integers(0, 500, (12, 10)) + (2000 if number % 2 else 3500)
        values[0, :2] = 0, 4095
        path = tmp_path / "scans" / ("dim", "bright")[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(values.astype("uint16")).save(path)
    return tmp_path / "scans"


def recipe(folder, **fields):
    return ImageRecipe(
        data=f"folder:{folder}", image_size=8, model="linear", epochs=1, batch_size=8, **fields
    )


def test_few_grey_levels_are_refused_with_what_to_set(scans):
    with pytest.raises(InputError, match="17 grey levels would be left. Set sixteen_bit=data"):
        task_of(recipe(scans)).load_data()


def test_one_bright_image_does_not_hide_that_the_others_keep_few_levels(scans):
    Image.fromarray(np.full((12, 10), 65_535, "uint16")).save(scans / "dim" / "marker.png")
    message = r"41 of 41 16-bit images .* fewer than 32 grey levels .* Set sixteen_bit=LOW:HIGH"
    for stated in (None, "data"):
        with pytest.raises(InputError, match=message):
            task_of(recipe(scans, sixteen_bit=stated)).load_data()
    found = task_of(recipe(scans, sixteen_bit="0:4095")).load_data().found
    assert "1 image keeps fewer than 32 levels of 16 bits." in found  # the marker
    (found,) = [
        line
        for line in task_of(recipe(scans, sixteen_bit="0:65535")).load_data().found
        if "keep fewer" in line
    ]
    assert found.startswith("41 images keep fewer than 32 levels")


@pytest.mark.parametrize(("stated", "window"), [("data", (0, 4095)), ("1000:4095", (1000, 4095))])
def test_a_window_is_used_by_training_and_kept_for_prediction(stated, window, scans, tmp_path):
    run = train(recipe(scans, sixteen_bit=stated), tmp_path / "run")
    low, high = window
    assert run.data.window == window
    assert f"those from {low:,} to {high:,} scaled to 8 bits" in " ".join(run.data.found)
    known = load_run(tmp_path / "run").task.known
    assert known.window == window
    items, indices = run.data.test.images.decoder.items, run.data.test.images.indices
    for row, index in enumerate(indices):
        np.testing.assert_array_equal(read_image(items.name(index), known), run.data.test.images[row])
    values = np.asarray(Image.open(items.name(indices[0])), "float64")
    expected = np.floor((np.clip(values, low, high) - low) * 255 / (high - low) + 0.5)
    assert np.array_equal(
        read_image(items.name(indices[0]), channels=1)[..., 0], np.floor(values / 257 + 0.5)
    )
    full_size = Preprocessing.of("stretch", (12, 10))
    windowed = Preprocessing(**{**vars(full_size), "window": window})
    np.testing.assert_array_equal(read_image(items.name(indices[0]), windowed)[..., 0], expected)


def test_colours_of_16_bits_are_scaled_by_the_data_or_refused(tmp_path):
    pixels = np.random.default_rng(0).integers(100, 4095, (40, 12, 10, 3)).astype("uint16")
    for number, image in enumerate(pixels):
        path = tmp_path / "scans" / "ab"[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(deep_png(image))
    with pytest.raises(InputError, match="17 grey levels would be left. Set sixteen_bit=data"):
        task_of(recipe(tmp_path / "scans")).load_data()
    data = task_of(recipe(tmp_path / "scans", sixteen_bit="data")).load_data()
    assert data.window == (pixels.min(), pixels.max())
    assert data.test.images[:].std() > 30  # of 256 levels; the upper 8 bits alone are below 16


def test_the_same_images_are_resumed(scans, tmp_path):
    train(recipe(scans, sixteen_bit="data"), tmp_path / "run")
    longer = recipe(scans, sixteen_bit="data").replace(epochs=2)
    assert train(longer, tmp_path / "run", resume=True).data.window == (0, 4095)


@pytest.fixture
def cutouts(tmp_path):
    for number in range(40):
        image = np.zeros((9, 9, 4), "uint8")
        image[3:6, 3:6] = (200, 10 * (number % 2), number, 255)
        path = tmp_path / "cutouts" / ("a", "b")[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path)
    return tmp_path / "cutouts"


@pytest.mark.parametrize(("stated", "color"), [(None, (255, 255, 255)), ("#102030", (16, 32, 48))])
def test_transparent_images_are_laid_on_the_colour_of_the_recipe(stated, color, cutouts, tmp_path):
    run = train(recipe(cutouts, background=stated), tmp_path / "run")
    assert tuple(run.data.test.images[0][0, 0]) == color
    words = "white" if stated is None else stated
    assert f"transparent parts, which become {words}" in " ".join(run.data.found)
    assert load_run(tmp_path / "run").task.known.background == color


def test_a_saved_model_decodes_files_as_training_does(scans, cutouts):
    import tensorflow as tf

    from keras_vit.export.saved_model.decode import decode

    cases = (
        (next(scans.glob("bright/*.png")), {"window": (1000, 4095)}),
        (next(cutouts.glob("b/*.png")), {"background": (16, 32, 48)}),
    )
    for path, fields in cases:
        known = Preprocessing(**{**vars(Preprocessing.of("stretch", 8)), **fields})
        found = tf.function(lambda data, known=known: decode(data, known, 3))(tf.constant(path.read_bytes()))
        assert np.abs(found.numpy().astype(int) - read_image(path, known)).max() <= 1


@pytest.mark.parametrize("text", ["4095", "9:3", "0:70000", "-1:5", "half", "", "1:2:3"])
def test_other_windows_are_refused(text):
    with pytest.raises(InputError, match="LOW:HIGH"):
        window_of(text)


@pytest.mark.parametrize("text", ["greenish", "#12", "255,0,0"])
def test_other_colours_are_refused(text):
    with pytest.raises(InputError, match="a colour such as black"):
        color_of(text)
    with pytest.raises(InputError, match="Expected background to be a colour"):
        ImageRecipe(data="folder:photos", background=text)
